// Stuck channels of one unit, and the unit right behind it.
//
// Only those channels' weight columns count. Which taps of a window changed is a small bit pattern for each
// row of the kernel, and the sum of the columns of every pattern is tabulated once per channel and image.
#include <algorithm>
#include <cstring>

#include "simd.hpp"
#include "simulator.hpp"

namespace fat {

constexpr int kLargestTableKernel = 5;
constexpr size_t kCacheBytes = 24 << 10;  // of the first-level cache, for tables of channels in pairs

// Channels stuck at one level, in front of the pools of their unit.
int Simulator::stuck_channels(const Fault& fault) {
  const int u = fault.unit + 1;
  const Unit& next = model_.units[u];
  held_ = &fault;
  if (!fits_tables(next)) {
    if (fault.channels > 1) return held_streams(fault.streams);
    list_channel(u, fault.channel, fault.level);
    if (changes_.count == 0) return golden_class_;
    if (!choose_sparse(next, next.whole())) return held_streams(fault.streams);
    const Rect changed = update(u, next.whole());
    return next.last ? best_score() : propagate(u + 1, changed);
  }
  build_tables(fault);
  if (!channel_changes(fault)) return golden_class_;
  settle(u, next.out.whole());
  add_tables(fault);
  return propagate(u + 1, next.out.whole());
}

// The fault-free planes of a channel, number `k` of those that the tables are for, as bits by row of the frame.
void Simulator::gather_rows(int u, int channel, int k) {
  const Stream& out = model_.units[u].out;
  const int words = out.words(), bit = channel % 64;
  const uint64_t* golden = states_[u].golden.data() + channel / 64;
  for (int t = 0; t < out.planes; ++t) {
    uint8_t* row = golden_rows_.data() + size_t(k * out.planes + t) * out.height * row_bytes_;
    for (int y = 0; y < out.height; ++y, row += row_bytes_) {
      const uint64_t* pixel = golden + out.offset(y, 0) + size_t(t) * words;
      std::memset(row, 0, row_bytes_);
      uint64_t gathered = 0;
      uint8_t* to = row;
      int filled = out.left % 8;
      for (int x = 0; x < out.width; ++x, pixel += out.pixel_words()) {
        gathered |= ((*pixel >> bit) & 1) << filled;
        if (++filled == 64) std::memcpy(to + out.left / 8, &gathered, 8), to += 8, filled = 0, gathered = 0;
      }
      std::memcpy(to + out.left / 8, &gathered, 8);
    }
  }
}

// Marks in rows_ where the planes of the stuck channels differ from the level; false if nowhere.
bool Simulator::channel_changes(const Fault& fault) {
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

bool Simulator::fits_tables(const Unit& unit) const {
  return !unit.last && unit.kernel_x <= kLargestTableKernel && unit.pixels() >= 4 &&
         unit.kernel_x * unit.largest_weight <= 127;
}

// The changes behind one stuck channel, for the whole frame in front of unit u.
void Simulator::list_channel(int u, int channel, int level) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const uint64_t* word = states_[u - 1].golden.data() + channel / 64;
  const int stride = unit.column_stride();
  int32_t *entry = changes_.entries.data(), *start = changes_.start.data();
  for (int y = 0; y < in.frame_height(); ++y) {
    const bool inside = in.top <= y && y < in.top + in.height;
    for (int x = 0; x < in.frame_width(); ++x) {
      *start++ = int32_t(entry - changes_.entries.data());
      if (!inside || x < in.left || x >= in.left + in.width) {
        word += in.pixel_words();
        continue;
      }
      for (int t = 0; t < in.planes; ++t, word += in.words()) {
        const bool was = *word >> (channel % 64) & 1;
        *entry = (x * in.channels + channel) * stride + (was ? unit.padded() : 0);
        entry += was != (t < level);
      }
    }
  }
  changes_.count = *start = int32_t(entry - changes_.entries.data());
}

// Tables and fault-free rows of the channels, kept for the faults that follow.
void Simulator::build_tables(const Fault& fault) {
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
  tabled_.group = fault.channels % 2 == 0 && 2 * unit.kernel_x * unit.largest_weight <= 127 && paired <= kCacheBytes ? 2 : 1;
  const int taps = tabled_.group * unit.kernel_x, subsets = 1 << taps, groups = fault.channels / tabled_.group;
  const size_t needed = size_t(groups) * unit.kernel_y * subsets * padded;
  if (tables_.size() < needed) tables_.resize(needed);
  for (int k = 0; k < fault.channels; ++k) gather_rows(fault.unit, fault.channel + k * fault.channel_step, k);
  int8_t* table = tables_.data();
  for (int g = 0; g < groups; ++g) {
    for (int ky = 0; ky < unit.kernel_y; ++ky, table += size_t(subsets) * padded) {
      std::memset(table, 0, padded);
      for (int subset = 1; subset < subsets; ++subset) {
        const int tap = __builtin_ctz(subset), k = g * tabled_.group + tap / unit.kernel_x;
        const int at = (ky * unit.kernel_x + tap % unit.kernel_x) * unit.inputs + fault.channel + k * fault.channel_step;
        const int8_t* column = unit.columns.data() + size_t(at) * unit.column_stride();
        const int8_t* rest = table + size_t(subset & (subset - 1)) * padded;
        int8_t* sum = table + size_t(subset) * padded;
        for (int m = 0; m < padded; ++m) sum[m] = int8_t(rest[m] + column[m]);
      }
    }
  }
}

// Which subset of the taps of each group's channels changed, for each row of the frame and output column: from rows_.
void Simulator::make_patterns(const Fault& fault) {
  const Unit& unit = model_.units[fault.unit + 1];
  const Stream& in = unit.in;
  const uint32_t taps = (1u << unit.kernel_x) - 1;
  uint8_t* pattern = patterns_.data();
  for (int g = 0; g < fault.channels / tabled_.group; ++g) {
    for (int t = 0; t < in.planes; ++t) {
      for (int y = 0; y < in.frame_height(); ++y, pattern += unit.width) {
        for (int member = 0; member < tabled_.group; ++member) {
          const int plane = (g * tabled_.group + member) * in.planes + t;
          const uint8_t* row = rows_.data() + (size_t(plane) * in.frame_height() + y) * row_bytes_;
          for (int x = 0; x < unit.width; ++x) {
            uint32_t bits;
            std::memcpy(&bits, row + x * unit.stride_x / 8, 4);
            const uint32_t subset = (bits >> (x * unit.stride_x % 8)) & taps;
            pattern[x] = uint8_t(member == 0 ? subset : pattern[x] | subset << unit.kernel_x);
          }
        }
      }
    }
  }
}

// The unit behind the stuck channels, from rows_ and tables_, and its pools, into its faulty output.
void Simulator::add_tables(const Fault& fault) {
  const int u = fault.unit + 1;
  const Unit& unit = model_.units[u];
  make_patterns(fault);
  const int groups = fault.channels / tabled_.group, lookups = groups * unit.in.planes * unit.kernel_y;
  const bool fits = lookups * tabled_.group * unit.kernel_x * unit.largest_weight <= 127;  // all of them, in a byte
  if (unit.wide) table_pixels<int32_t, 0>(fault, lookups);
  else if (fits && lookups == 3) table_pixels<int16_t, 3>(fault, lookups);
  else if (fits && lookups == 6) table_pixels<int16_t, 6>(fault, lookups);
  else if (fits && lookups == 12) table_pixels<int16_t, 12>(fault, lookups);
  else if (fits && lookups == 24) table_pixels<int16_t, 24>(fault, lookups);
  else table_pixels<int16_t, 0>(fault, lookups);
  pool_whole(u);
}

// `Fixed` is the number of look-ups for each pixel, whose sum fits in a byte; 0 stands for any other case.
template <class Acc, int Fixed>
void Simulator::table_pixels(const Fault& fault, int count) {
  const int u = fault.unit + 1;
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const int taps = tabled_.group * unit.kernel_x, rows = fault.channels / tabled_.group * unit.kernel_y;
  const int padded = unit.padded(), words = unit.blocks(), lookups = Fixed ? Fixed : count;
  const int raises = fault.level * rows;  // planes below the level were raised, the others lowered
  const int period = 127 / std::max(1, taps * unit.largest_weight);  // look-ups whose sum fits in a byte
  const Target to = stage_target(u, 0);
  lookups_.resize(lookups);
  for (int y = 0; y < unit.height; ++y) {
    for (int i = 0; i < lookups; ++i) {  // by plane, group and kernel row
      const int t = i / rows, g = i % rows / unit.kernel_y, ky = i % unit.kernel_y;
      const size_t row = size_t(g * in.planes + t) * in.frame_height() + y * unit.stride_y + ky;
      lookups_[i].patterns = patterns_.data() + row * unit.width;
      lookups_[i].table = tables_.data() + (size_t(i % rows) * padded << taps);
    }
    uint64_t* planes = to.first + y * to.pitch;
    const Acc* golden = accumulators<Acc>(u, y * unit.width);
    for (int x = 0; x < unit.width; ++x, planes += unit.out.pixel_words(), golden += padded) {
      const auto entry = [&](int i) { return lookups_[i].table + size_t(lookups_[i].patterns[x]) * padded; };
      for (int b = 0; b < words; ++b) {
        auto sums = Wide64<Acc>::load(golden + b * kBlock);
        auto delta = Bytes64::zero();
        for (int i = 0, budget = period; i < lookups; ++i) {
          if (i < raises) delta.add(entry(i) + b * kBlock); else delta.subtract(entry(i) + b * kBlock);
          if (!Fixed && --budget == 0) sums.add(delta), delta = Bytes64::zero(), budget = period;
        }
        sums.add(delta);
        for (int t = 0; t < unit.out.planes; ++t) {
          planes[t * words + b] = sums.at_least(thresholds<Acc>(unit) + size_t(t) * padded + b * kBlock);
        }
      }
    }
  }
}

}  // namespace fat
