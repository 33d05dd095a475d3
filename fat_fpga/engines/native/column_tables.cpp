// Stuck channels of one unit, and the unit right behind it.
//
// Only those channels' weight columns count. Which taps of a window changed is a small bit pattern for each
// row of the kernel, and the sum of the columns of every pattern is tabulated once per channel and image.
#include "column_tables.hpp"

#include <algorithm>
#include <cstring>

#include "simd.hpp"

namespace fat {

constexpr int kLargestTableKernel = 5;
constexpr size_t kCacheBytes = 24 << 10;  // of the first-level cache, for tables of channels in pairs

namespace {

// Each bit of a number in the lowest bit of a byte of its own.
struct Spread {
  uint64_t bytes[256];
  Spread() {
    for (int number = 0; number < 256; ++number) {
      bytes[number] = 0;
      for (int bit = 0; bit < 8; ++bit) bytes[number] |= uint64_t(number >> bit & 1) << (8 * bit);
    }
  }
};
const Spread kSpread;

}  // namespace

ColumnTables::ColumnTables(Image& image) : Part(image), margins_(model_.units.size()) {
  size_t rows = 0;
  for (const Unit& unit : model_.units) {
    if (unit.last) continue;
    row_bytes_ = std::max(row_bytes_, (size_t(unit.out.frame_width()) / 64 + 2) * 8);
    rows = std::max(rows, kMostTabled * size_t(unit.out.planes) * unit.out.frame_height());
  }
  rows_.resize(rows * row_bytes_ + 8);  // with the width of the widest frame
  golden_rows_.resize(rows * row_bytes_ + 8);
  inside_.resize(row_bytes_);
  patterns_.resize(rows * row_bytes_ * 8 + 64);  // make_patterns writes some further
}

void ColumnTables::forget() {
  tabled_ = {};
  for (Margins& kept : margins_) kept.valid = false;
}

bool ColumnTables::unit(const Fault& fault) {
  const int u = fault.unit + 1;
  const Rect whole = model_.units[u].out.whole();
  build(fault);
  if (tabled_.twin_level == fault.level) {
    image_.settle(u, whole);
    take_twin(u);
    return true;
  }
  if (!channel_changes(fault)) return false;
  image_.settle(u, whole);
  look_up(fault);
  return true;
}

// The fault-free planes of a channel, number `k` of those that the tables are for, as bits by row of the frame.
void ColumnTables::gather_rows(int u, int channel, int k) {
  const Stream& out = model_.units[u].out;
  const uint64_t bit = uint64_t(1) << (channel % 64);
  const uint64_t* golden = states_[u].golden.data() + channel / 64;
  for (int t = 0; t < out.planes; ++t) {
    uint8_t* row = golden_rows_.data() + size_t(k * out.planes + t) * out.height * row_bytes_;
    for (int y = 0; y < out.height; ++y, row += row_bytes_) {
      const uint64_t* pixel = golden + out.offset(y, 0) + size_t(t) * out.words();
      std::memset(row, 0, row_bytes_);
      uint64_t gathered = 0;
      int filled = out.left % 8;
      uint8_t* to = row + out.left / 8;
      for (int x = 0; x < out.width; x += 8) {
        const size_t step = out.pixel_words();
        const uint64_t eight = set_in(pixel + x * step, step, std::min(8, out.width - x), bit);
        gathered |= eight << filled;
        if ((filled += 8) < 64) continue;
        std::memcpy(to, &gathered, 8), to += 8, filled -= 64;
        gathered = filled > 0 ? eight >> (8 - filled) : 0;
      }
      std::memcpy(to, &gathered, 8);
    }
  }
}

// Marks in rows_ where the planes of the stuck channels differ from the level; false if nowhere.
bool ColumnTables::channel_changes(const Fault& fault) {
  const Stream& out = model_.units[fault.unit].out;
  const int bytes = int(row_bytes_);
  uint64_t any = 0;
  for (int plane = 0; plane < fault.channels * out.planes; ++plane) {
    const bool stuck = plane % out.planes < fault.level;
    const uint8_t* golden = golden_rows_.data() + size_t(plane) * out.height * bytes;
    uint8_t* row = rows_.data() + size_t(plane) * out.frame_height() * bytes;
    std::memset(row, 0, size_t(out.top) * bytes);
    row += out.top * bytes;
    for (int y = 0; y < out.height; ++y, row += bytes, golden += bytes) {
      for (int byte = 0; byte < bytes; byte += 8) {
        uint64_t was, inside;
        std::memcpy(&was, golden + byte, 8);
        std::memcpy(&inside, inside_.data() + byte, 8);
        const uint64_t changed = stuck ? ~was & inside : was;
        std::memcpy(row + byte, &changed, 8);
        any |= changed;
      }
    }
    std::memset(row, 0, size_t(out.bottom) * bytes);
  }
  return any != 0;
}

bool ColumnTables::fit(const Unit& unit) const {
  return !unit.last && unit.kernel_x <= kLargestTableKernel && unit.pixels() >= 4 &&
         unit.kernel_x * unit.largest_weight <= 127;
}

// Tables and fault-free rows of the channels, kept for the faults that follow.
void ColumnTables::build(const Fault& fault) {
  const int u = fault.unit + 1;
  const Tabled wanted{u, fault.channel, fault.channels, fault.channel_step};
  if (tabled_ == wanted) return;
  tabled_ = wanted;
  const Unit& unit = model_.units[u];
  std::fill(inside_.begin(), inside_.end(), 0);
  for (int x = unit.in.left; x < unit.in.left + unit.in.width; ++x) inside_[x / 8] |= uint8_t(1 << (x % 8));
  // Channels go in pairs where their tables, of every subset of the taps of both, fit in the cache.
  const int padded = unit.padded();
  const size_t paired = size_t(fault.channels / 2) * unit.kernel_y * padded << (2 * unit.kernel_x);
  const bool in_bytes = 2 * unit.kernel_x * unit.largest_weight <= 127;
  tabled_.group = fault.channels % 2 == 0 && in_bytes && paired <= kCacheBytes ? 2 : 1;
  const int taps = tabled_.group * unit.kernel_x, subsets = 1 << taps, groups = fault.channels / tabled_.group;
  const size_t needed = size_t(groups) * unit.kernel_y * subsets * padded;
  if (tables_.size() < needed) tables_.resize(needed);
  for (int k = 0; k < fault.channels; ++k) gather_rows(fault.unit, fault.channel + k * fault.channel_step, k);
  all_raised_.assign(padded, 0);
  int8_t* table = tables_.data();
  for (int g = 0; g < groups; ++g) {
    for (int ky = 0; ky < unit.kernel_y; ++ky, table += size_t(subsets) * padded) {
      std::memset(table, 0, padded);
      for (int subset = 1; subset < subsets; ++subset) {
        const int tap = __builtin_ctz(subset), k = g * tabled_.group + tap / unit.kernel_x;
        const int at =
            (ky * unit.kernel_x + tap % unit.kernel_x) * unit.inputs + fault.channel + k * fault.channel_step;
        const int8_t* column = unit.columns.data() + size_t(at) * unit.column_stride();
        const int8_t* rest = table + size_t(subset & (subset - 1)) * padded;
        int8_t* sum = table + size_t(subset) * padded;
        for (int m = 0; m < padded; ++m) sum[m] = int8_t(rest[m] + column[m]);
      }
      const int8_t* all = table + size_t(subsets - 1) * padded;
      for (int m = 0; m < padded; ++m) all_raised_[m] = int8_t(all_raised_[m] + all[m]);
    }
  }
}

// Which subset of the taps of each group's channels changed, for each row of the frame and output column: from rows_.
void ColumnTables::make_patterns(const Fault& fault) {
  const Unit& unit = model_.units[fault.unit + 1];
  const Stream& in = unit.in;
  const int stride = unit.stride_x, chunk = stride == 1 ? 8 : 1;              // output columns at a time
  const size_t to_next = size_t(in.planes) * in.frame_height() * row_bytes_;  // channel
  uint8_t* pattern = patterns_.data();
  for (int g = 0; g < fault.channels / tabled_.group; ++g) {
    const uint8_t* row = rows_.data() + size_t(g) * tabled_.group * to_next;
    for (int i = 0; i < in.planes * in.frame_height(); ++i, pattern += unit.width, row += row_bytes_) {
      for (int x = 0; x < unit.width; x += chunk) {
        uint64_t subsets = 0;  // a byte for each output column
        for (int member = 0; member < tabled_.group; ++member) {
          uint32_t bits;
          std::memcpy(&bits, row + member * to_next + x * stride / 8, 4);
          bits >>= x * stride % 8;
          for (int tap = 0; tap < unit.kernel_x; ++tap) {
            subsets |= kSpread.bytes[bits >> tap & 255] << (member * unit.kernel_x + tap);
          }
        }
        std::memcpy(pattern + x, &subsets, 8);  // what lies behind the chunk is written over by the next one
      }
    }
  }
}

}  // namespace fat
