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
    for (int y = 0; y < out.height; ++y) {
      uint8_t* row = rows_.data() + (size_t(t) * out.frame_height() + y + out.top) * row_bytes_;
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
    for (int y = 0; y < out.top; ++y) std::memset(rows_.data() + (size_t(t) * out.frame_height() + y) * row_bytes_, 0, row_bytes_);
    for (int y = out.top + out.height; y < out.frame_height(); ++y) std::memset(rows_.data() + (size_t(t) * out.frame_height() + y) * row_bytes_, 0, row_bytes_);
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
template <class Acc>
void Simulator::one_column(int u, int level) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const int padded = unit.padded(), subsets = 1 << unit.kernel_x, words = unit.blocks();
  const int period = 127 / (unit.kernel_x * unit.largest_weight);  // look-ups that fit in a byte
  const Target to = target(u, states_[u].faulty.data());
  std::vector<uint32_t> offsets(size_t(in.planes) * unit.kernel_y);
  const int raises = level * unit.kernel_y, all = in.planes * unit.kernel_y;
  for (int y = 0; y < unit.height; ++y) {
    for (int x = 0; x < unit.width; ++x) {
      const int column = x * unit.stride_x;
      uint32_t* offset = offsets.data();
      for (int t = 0; t < in.planes; ++t) {
        for (int ky = 0; ky < unit.kernel_y; ++ky) {
          const uint8_t* row =
              rows_.data() + (size_t(t) * in.frame_height() + y * unit.stride_y + ky) * row_bytes_;
          uint32_t bits;
          std::memcpy(&bits, row + column / 8, 4);
          const uint32_t subset = (bits >> (column % 8)) & (subsets - 1);
          *offset++ = (ky * subsets + subset) * padded;
        }
      }
      const Acc* golden = accumulators<Acc>(u, y * unit.width + x);
      uint64_t* planes = to.first + y * to.pitch + size_t(x) * unit.out.pixel_words();
      for (int b = 0; b < words; ++b) {
        auto sums = Wide64<Acc>::load(golden + b * kBlock);
        auto delta = Bytes64::zero();
        const int8_t* table = tables_.data() + b * kBlock;
        if (all <= period) {
          for (int i = 0; i < raises; ++i) delta.add(table + offsets[i]);
          for (int i = raises; i < all; ++i) delta.subtract(table + offsets[i]);
        } else {
          for (int i = 0, budget = period; i < all; ++i) {
            if (i < raises) delta.add(table + offsets[i]); else delta.subtract(table + offsets[i]);
            if (--budget == 0) sums.add(delta), delta = Bytes64::zero(), budget = period;
          }
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

template void Simulator::one_column<int16_t>(int, int);
template void Simulator::one_column<int32_t>(int, int);

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
