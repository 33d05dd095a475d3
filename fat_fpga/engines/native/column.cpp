// One stuck channel, and the unit right behind it.
//
// Only that channel's weight columns count. Which taps of a window changed is a small bit pattern for each
// row of the kernel, and the sum of the columns of every pattern is tabulated once per channel and image.
#include <algorithm>
#include <cstring>

#include "simd.hpp"
#include "simulator.hpp"

namespace fat {

constexpr int kLargestTableKernel = 5;

// Marks in rows_ where the channel's planes differ from the level; false if nowhere.
bool Simulator::channel_changes(int u, int channel, int level) {
  const Stream& out = model_.units[u].out;
  const int words = out.words();
  const uint64_t* golden = states_[u].golden.data() + channel / 64;
  const int bit = channel % 64;
  bool any = false;
  for (int t = 0; t < out.planes; ++t) {
    const uint64_t stuck = t < level;
    uint8_t* plane = rows_.data() + size_t(t) * out.frame_height() * row_bytes_;
    std::memset(plane, 0, out.top * row_bytes_);
    std::memset(plane + (out.top + out.height) * row_bytes_, 0, out.bottom * row_bytes_);
    for (int y = 0; y < out.height; ++y) {
      uint8_t* row = plane + (y + out.top) * row_bytes_;
      const uint64_t* pixel = golden + out.offset(y, 0) + size_t(t) * words;
      uint64_t changed = 0, seen = 0;
      size_t byte = 0;
      int x = out.left, filled = out.left;
      for (; filled >= 8; filled -= 8) row[byte++] = 0;
      for (const int end = out.left + out.width; x < end; ++x, pixel += out.pixel_words()) {
        changed |= (((*pixel >> bit) & 1) ^ stuck) << filled;
        if (++filled == 64) {
          std::memcpy(row + byte, &changed, 8);
          seen |= changed, byte += 8, filled = 0, changed = 0;
        }
      }
      std::memcpy(row + byte, &changed, 8);
      any |= (seen | changed) != 0;
      if (byte + 8 < row_bytes_) std::memset(row + byte + 8, 0, row_bytes_ - byte - 8);
    }
  }
  return any;
}

bool Simulator::fits_tables(const Unit& unit) const {
  return !unit.last && unit.kernel_x <= kLargestTableKernel && unit.pixels() >= 4 &&
         unit.kernel_x * unit.largest_weight <= 127;
}

void Simulator::build_tables(int u, int channel) {
  if (table_unit_ == u && table_channel_ == channel) return;
  table_unit_ = u, table_channel_ = channel;
  const Unit& unit = model_.units[u];
  const int padded = unit.padded(), subsets = 1 << unit.kernel_x;
  const size_t needed = size_t(unit.kernel_y) * subsets * padded;
  if (tables_.size() < needed) tables_.resize(needed);
  for (int ky = 0; ky < unit.kernel_y; ++ky) {
    int8_t* table = tables_.data() + size_t(ky) * subsets * padded;
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

// Unit u behind a stuck channel, from rows_ and tables_, into its faulty output.
void Simulator::one_column(int u, int level) {
  const Unit& unit = model_.units[u];
  const int lookups = unit.in.planes * unit.kernel_y;
  const bool fits = lookups * unit.kernel_x * unit.largest_weight <= 127;  // all of them, in a byte
  if (unit.wide) return column_pixels<int32_t, 0>(u, level);
  if (fits && lookups == 3) return column_pixels<int16_t, 3>(u, level);
  if (fits && lookups == 6) return column_pixels<int16_t, 6>(u, level);
  column_pixels<int16_t, 0>(u, level);
}

// `Fixed` is the number of look-ups for each pixel, whose sum fits in a byte; 0 stands for any other case.
template <class Acc, int Fixed>
void Simulator::column_pixels(int u, int level) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const int padded = unit.padded(), subsets = 1 << unit.kernel_x, words = unit.blocks();
  const int lookups = Fixed ? Fixed : in.planes * unit.kernel_y;
  const int raises = level * unit.kernel_y;  // planes below the level were raised, the others lowered
  const int period = 127 / std::max(1, unit.kernel_x * unit.largest_weight);  // look-ups whose sum fits in a byte
  const Target to = target(u, states_[u].faulty.data());
  lookups_.resize(lookups);
  for (int y = 0; y < unit.height; ++y) {
    for (int i = 0; i < lookups; ++i) {
      const int t = i / unit.kernel_y, ky = i % unit.kernel_y;
      lookups_[i].row = rows_.data() + (size_t(t) * in.frame_height() + y * unit.stride_y + ky) * row_bytes_;
      lookups_[i].table = tables_.data() + size_t(ky) * subsets * padded;
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
  pool(u, states_[u].faulty.data());
}

// The faulty output of unit u itself, where the unit behind it does not take the tables.
void Simulator::spread_channel(int u, int channel, int level) {
  const Stream& out = model_.units[u].out;
  State& state = states_[u];
  state.faulty = state.golden;
  const uint64_t bit = uint64_t(1) << (channel % 64);
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      uint64_t* word = state.faulty.data() + out.offset(y, x) + channel / 64;
      for (int t = 0; t < out.planes; ++t, word += out.words()) {
        *word = t < level ? *word | bit : *word & ~bit;
      }
    }
  }
}

}  // namespace fat
