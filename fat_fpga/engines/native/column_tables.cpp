// Changed channels of a stream, and a unit that reads it: tables of sums of their columns, and patterns of what
// changed.
#include "column_tables.hpp"

#include <algorithm>
#include <cstring>

#include "simd.hpp"

namespace fat {

constexpr int kLargestTableKernel = 5;
constexpr size_t kCacheBytes = 24 << 10;  // of the first-level cache, for tables of channels in pairs
constexpr int kDirections = 2;            // in which a channel changes: raised, lowered

// Costs in units of adding 64 weights: of a sum in a table, of a bit of a channel, of an output pixel, and of each
// look-up or threshold of 64 outputs there.
constexpr double kTableSum = 2, kTableBit = 1, kTablePixel = 2, kTableStep = 0.8;

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

// to[m] += from[m], of a multiple of 64.
void add_bytes(int8_t* to, const int8_t* from, int count) {
  for (int m = 0; m < count; m += kBlock) {
    auto sums = Bytes64::zero();
    sums.add(to + m), sums.add(from + m), sums.store(to + m);
  }
}

// Bytes that are read soon. Columns of the taps of a channel lie far from each other, so that the processor does not
// see that those of the next one follow.
void fetch(const int8_t* bytes, int count) {
#if defined(__GNUC__)
  for (int i = 0; i < count; i += 64) __builtin_prefetch(bytes + i);
#endif
}

// Sums of every subset of some columns, of 64 outputs from `m` on: [subset][padded outputs].
void sums_of_subsets(const int8_t* const* columns, int taps, int m, int padded, int8_t* table) {
  constexpr int kHeld = 3;  // of which all sums stay in registers
  const auto to = [&](int subset) { return table + size_t(subset) * padded + m; };
  Bytes64 sums[1 << kHeld];
  sums[0] = Bytes64::zero();
  sums[0].store(to(0));
  const int held = std::min(taps, kHeld);
#pragma GCC unroll 3
  for (int tap = 0; tap < kHeld; ++tap) {
    if (tap >= held) break;
#pragma GCC unroll 4
    for (int rest = 0; rest < 1 << tap; ++rest) {
      Bytes64& sum = sums[1 << tap | rest];
      sum = sums[rest], sum.add(columns[tap] + m), sum.store(to(1 << tap | rest));
    }
  }
  for (int tap = held; tap < taps; ++tap) {
    for (int rest = 0; rest < 1 << tap; ++rest) {
      auto sum = Bytes64::zero();
      sum.add(columns[tap] + m), sum.add(to(rest)), sum.store(to(1 << tap | rest));
    }
  }
}

}  // namespace

ColumnTables::ColumnTables(Image& image) : Part(image), tabled_(model_.units.size()), margins_(model_.units.size()) {
  size_t rows = 0;
  for (const Unit& unit : model_.units) {
    if (!fit(unit)) continue;
    row_bytes_ = std::max(row_bytes_, (size_t(unit.in.frame_width()) / 64 + 2) * 8);
    rows = std::max(rows, std::max(kMostTabled, kDirections) * size_t(unit.in.planes) * unit.in.frame_height());
  }
  faulty_.resize(rows * row_bytes_ + 8);
  for (size_t u = 0; u < tabled_.size(); ++u) {
    const Unit& unit = model_.units[u];
    if (!fit(unit)) continue;
    tabled_[u].golden_rows.resize(kMostTabled * size_t(unit.in.planes) * unit.in.height * row_bytes_ + 8);
    tabled_[u].inside.resize(row_bytes_);
    for (int x = unit.in.left; x < unit.in.left + unit.in.width; ++x) tabled_[u].inside[x / 8] |= uint8_t(1 << (x % 8));
  }
  rows_.resize(rows * row_bytes_ + 8);           // with the width of the widest frame
  patterns_.resize(rows * row_bytes_ * 8 + 64);  // make_patterns writes some further
}

void ColumnTables::forget() {
  for (Tabled& tabled : tabled_) tabled.channels = 0;
  for (Margins& kept : margins_) kept.valid = false;
}

bool ColumnTables::unit(int u, const Fault& fault) {
  const Unit& unit = model_.units[u];
  const StreamChange& held = fault.streams[0];
  build(u, held.channel, held.channels(), held.channel_step);
  if (tabled_[u].known >> fault.level & 1) {
    image_.settle(unit.behind, unit.whole());
    take_known(u, fault.level);
    return true;
  }
  if (!channel_changes(u, fault)) return false;
  image_.settle(unit.behind, unit.whole());
  const uint32_t others = unit.padded_input ? 0 : fault.following & ~(uint32_t(1) << fault.level);
  tabled_[u].known = 0;
  look_up(u, {unit.in.planes, fault.level, unit.whole(), others, fault.level});
  return true;
}

void ColumnTables::one_channel(int u, int channel, const Rect& changed, const Rect& outputs) {
  build(u, channel, 1, 1);
  Pass pass = differences(u, changed);
  pass.area = outputs;
  look_up(u, pass);
}

// Rows y0 to y1 of a channel in the planes of the stream in front of unit u, as bits: [plane][row].
void ColumnTables::gather_rows(int u, const uint64_t* planes, int channel, int y0, int y1, uint8_t* rows) const {
  const Stream& out = model_.units[u].in;
  const uint64_t bit = uint64_t(1) << (channel % 64);
  for (int t = 0; t < out.planes; ++t) {
    uint8_t* row = rows + (size_t(t) * out.height + y0) * row_bytes_;
    for (int y = y0; y < y1; ++y, row += row_bytes_) {
      const uint64_t* pixel = planes + channel / 64 + out.offset(y, 0) + size_t(t) * out.words();
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
bool ColumnTables::channel_changes(int u, const Fault& fault) {
  const Stream& out = model_.units[u].in;
  const Tabled& tabled = tabled_[u];
  const int bytes = int(row_bytes_);
  uint64_t any = 0;
  for (int plane = 0; plane < tabled.channels * out.planes; ++plane) {
    const bool stuck = plane % out.planes < fault.level;
    const uint8_t* golden = tabled.golden_rows.data() + size_t(plane) * out.height * bytes;
    uint8_t* row = rows_.data() + size_t(plane) * out.frame_height() * bytes;
    std::memset(row, 0, size_t(out.top) * bytes);
    row += out.top * bytes;
    for (int y = 0; y < out.height; ++y, row += bytes, golden += bytes) {
      for (int byte = 0; byte < bytes; byte += 8) {
        uint64_t was, inside;
        std::memcpy(&was, golden + byte, 8);
        std::memcpy(&inside, tabled.inside.data() + byte, 8);
        const uint64_t changed = stuck ? ~was & inside : was;
        std::memcpy(row + byte, &changed, 8);
        any |= changed;
      }
    }
    std::memset(row, 0, size_t(out.bottom) * bytes);
  }
  return any != 0;
}

// What one channel changed in a part of its stream, as planes of rows_: first those with places that were raised, then
// those with places that were lowered.
ColumnTables::Pass ColumnTables::differences(int u, const Rect& changed) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  gather_rows(u, states_[unit.source].faulty.data(), tabled_[u].channel, changed.y0, changed.y1, faulty_.data());
  Pass pass{};
  for (const bool raised : {true, false}) {
    for (int t = 0; t < in.planes; ++t) {
      uint8_t* rows = rows_.data() + size_t(pass.planes) * in.frame_height() * row_bytes_;
      pass.planes += difference(u, t, raised, changed, rows);
    }
    if (raised) pass.raised = pass.planes;
  }
  return pass;
}

// Where a plane was raised, or lowered, by row of the frame; false if nowhere.
bool ColumnTables::difference(int u, int plane, bool raised, const Rect& changed, uint8_t* rows) const {
  const Stream& in = model_.units[u].in;
  const size_t first = (size_t(plane) * in.height + changed.y0) * row_bytes_;
  const uint8_t *golden = tabled_[u].golden_rows.data() + first, *faulty = faulty_.data() + first;
  uint64_t any = 0;
  std::memset(rows, 0, in.frame_height() * row_bytes_);
  rows += (in.top + changed.y0) * row_bytes_;
  for (size_t at = 0; at < (changed.y1 - changed.y0) * row_bytes_; at += 8) {
    uint64_t was, is;
    std::memcpy(&was, golden + at, 8);
    std::memcpy(&is, faulty + at, 8);
    const uint64_t differs = raised ? is & ~was : was & ~is;
    std::memcpy(rows + at, &differs, 8);
    any |= differs;
  }
  return any != 0;
}

double ColumnTables::cost(int u, const Rect& outputs) const {
  const Unit& unit = model_.units[u];
  const double sums = double(unit.kernel_y << unit.kernel_x) * unit.blocks();
  const double bits = double(unit.in.planes) * unit.in.height * unit.in.width;
  const double steps = double(unit.blocks()) * (kDirections * unit.in.planes * unit.kernel_y + unit.planes_out());
  return kTableSum * sums + kTableBit * bits + (kTablePixel + kTableStep * steps) * outputs.pixels();
}

bool ColumnTables::fit(const Unit& unit) const {
  return unit.reads_planes() && !unit.last && unit.kernel_x <= kLargestTableKernel && unit.pixels() >= 4 &&
         unit.kernel_x * unit.largest_weight <= 127;
}

// Tables and fault-free rows of the channels, kept for the faults that follow.
void ColumnTables::build(int u, int first, int channels, int step) {
  Tabled& tabled = tabled_[u];
  if (tabled.channels == channels && tabled.channel == first && tabled.step == step) return;
  tabled.channels = channels, tabled.channel = first, tabled.step = step;
  tabled.known = 0;
  const Unit& unit = model_.units[u];
  // Channels go in pairs where their tables, of every subset of the taps of both, fit in the cache.
  const int padded = unit.padded();
  const size_t paired = size_t(channels / 2) * unit.kernel_y * padded << (2 * unit.kernel_x);
  const bool in_bytes = 2 * unit.kernel_x * unit.largest_weight <= 127;
  tabled.group = channels % 2 == 0 && in_bytes && paired <= kCacheBytes ? 2 : 1;
  const int taps = tabled.group * unit.kernel_x, subsets = 1 << taps, groups = channels / tabled.group;
  const size_t needed = size_t(groups) * unit.kernel_y * subsets * padded;
  if (tabled.sums.size() < needed) tabled.sums.resize(needed);
  const uint64_t* golden = states_[unit.source].golden.data();
  const size_t rows = size_t(unit.in.planes) * unit.in.height * row_bytes_;  // of a channel
  for (int k = 0; k < channels; ++k)
    gather_rows(u, golden, first + k * step, 0, unit.in.height, tabled.golden_rows.data() + k * rows);
  tabled.all_raised.assign(padded, 0);
  int8_t *table = tabled.sums.data(), *all_raised = tabled.all_raised.data();
  const int8_t* columns[2 * kLargestTableKernel];
  for (int g = 0; g < groups; ++g) {
    for (int ky = 0; ky < unit.kernel_y; ++ky, table += size_t(subsets) * padded) {
      for (int tap = 0, kx = 0, k = g * tabled.group; tap < taps; ++tap) {
        const int at = (ky * unit.kernel_x + kx) * unit.inputs + first + k * step;
        columns[tap] = unit.columns.data() + size_t(at) * unit.column_stride();
        fetch(columns[tap] + unit.column_stride(), padded);
        if (++kx == unit.kernel_x) kx = 0, ++k;
      }
      for (int m = 0; m < padded; m += kBlock) sums_of_subsets(columns, taps, m, padded, table);
      add_bytes(all_raised, table + size_t(subsets - 1) * padded, padded);
    }
  }
}

// Which subset of the taps of each group's channels changed, for each row of the frame and output column: from rows_.
void ColumnTables::make_patterns(int u, const Pass& pass) {
  const Unit& unit = model_.units[u];
  const Tabled& tabled = tabled_[u];
  const Stream& in = unit.in;
  const int stride = unit.stride_x, chunk = stride == 1 ? 8 : 1;                // output columns at a time
  const size_t to_next = size_t(pass.planes) * in.frame_height() * row_bytes_;  // channel
  uint8_t* pattern = patterns_.data();
  for (int g = 0; g < tabled.channels / tabled.group; ++g) {
    const uint8_t* row = rows_.data() + size_t(g) * tabled.group * to_next;
    for (int i = 0; i < pass.planes * in.frame_height(); ++i, pattern += unit.width, row += row_bytes_) {
      for (int x = 0; x < unit.width; x += chunk) {
        uint64_t subsets = 0;  // a byte for each output column
        for (int member = 0; member < tabled.group; ++member) {
          uint32_t bits;
          std::memcpy(&bits, row + member * to_next + (x * stride + unit.origin_x) / 8, 4);
          bits >>= (x * stride + unit.origin_x) % 8;
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
