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
  const int padded = unit.padded(), subsets = 1 << unit.kernel_x;
  const size_t needed = size_t(fault.channels) * unit.kernel_y * subsets * padded;
  if (tables_.size() < needed) tables_.resize(needed);
  int8_t* table = tables_.data();
  for (int k = 0; k < fault.channels; ++k) {
    const int channel = fault.channel + k * fault.channel_step;
    gather_rows(fault.unit, channel, k);
    for (int ky = 0; ky < unit.kernel_y; ++ky, table += size_t(subsets) * padded) {
      std::memset(table, 0, padded);
      for (int subset = 1; subset < subsets; ++subset) {
        const int kx = __builtin_ctz(subset);
        const int8_t* column =
            unit.columns.data() + (size_t(ky * unit.kernel_x + kx) * unit.inputs + channel) * unit.column_stride();
        const int8_t* rest = table + size_t(subset & (subset - 1)) * padded;
        int8_t* sum = table + size_t(subset) * padded;
        for (int m = 0; m < padded; ++m) sum[m] = int8_t(rest[m] + column[m]);
      }
    }
  }
}

// The unit behind the stuck channels, from rows_ and tables_, and its pools, into its faulty output.
void Simulator::add_tables(const Fault& fault) {
  const int u = fault.unit + 1;
  const Unit& unit = model_.units[u];
  const int lookups = fault.channels * unit.in.planes * unit.kernel_y;
  const bool fits = lookups * unit.kernel_x * unit.largest_weight <= 127;  // all of them, in a byte
  if (unit.wide) table_pixels<int32_t, 0>(fault, lookups);
  else if (fits && lookups == 3) table_pixels<int16_t, 3>(fault, lookups);
  else if (fits && lookups == 6) table_pixels<int16_t, 6>(fault, lookups);
  else if (fits && lookups == 12) table_pixels<int16_t, 12>(fault, lookups);
  else if (fits && lookups == 24) table_pixels<int16_t, 24>(fault, lookups);
  else table_pixels<int16_t, 0>(fault, lookups);
  for (int stage = 1; stage <= int(unit.pools.size()); ++stage) {
    const Windows& pool = unit.pools[stage - 1];
    pool_stage(u, stage, stage_target(u, stage - 1), stage_target(u, stage), Rect::whole(pool.height, pool.width));
  }
}

// `Fixed` is the number of look-ups for each pixel, whose sum fits in a byte; 0 stands for any other case.
template <class Acc, int Fixed>
void Simulator::table_pixels(const Fault& fault, int count) {
  const int u = fault.unit + 1;
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const int padded = unit.padded(), subsets = 1 << unit.kernel_x, words = unit.blocks();
  const int lookups = Fixed ? Fixed : count;
  const int raises = fault.level * fault.channels * unit.kernel_y;  // planes below the level were raised, others lowered
  const int period = 127 / std::max(1, unit.kernel_x * unit.largest_weight);  // look-ups whose sum fits in a byte
  const Target to = stage_target(u, 0);
  lookups_.resize(lookups);
  for (int y = 0; y < unit.height; ++y) {
    for (int i = 0; i < lookups; ++i) {  // by plane, channel and kernel row
      const int t = i / (fault.channels * unit.kernel_y), row = i % (fault.channels * unit.kernel_y);
      const int k = row / unit.kernel_y, ky = row % unit.kernel_y;
      const size_t plane = size_t(k * in.planes + t) * in.frame_height();
      lookups_[i].row = rows_.data() + (plane + y * unit.stride_y + ky) * row_bytes_;
      lookups_[i].table = tables_.data() + size_t(row) * subsets * padded;
    }
    uint64_t* planes = to.first + y * to.pitch;
    const Acc* golden = accumulators<Acc>(u, y * unit.width);
    for (int x = 0; x < unit.width; ++x, planes += unit.out.pixel_words(), golden += padded) {
      const int column = x * unit.stride_x;
      const auto entry = [&](int i) {
        uint32_t bits;
        std::memcpy(&bits, lookups_[i].row + column / 8, 4);
        return lookups_[i].table + size_t((bits >> (column % 8)) & (subsets - 1)) * padded;
      };
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
