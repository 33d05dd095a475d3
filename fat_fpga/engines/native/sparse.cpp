// A unit behind any set of changed activations: add the weight columns of what changed to the fault-free
// accumulators, pixel by pixel.
#include <algorithm>

#include "simd.hpp"
#include "simulator.hpp"

namespace fat {

// Lists in changes_ what differs in front of unit u.
void Simulator::find_changes(int u) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const uint64_t* golden = states_[u - 1].golden.data();
  const uint64_t* faulty = states_[u - 1].faulty.data();
  const int words = in.words(), stride = unit.column_stride(), half = unit.padded();
  int32_t* entry = changes_.entries.data();
  int pixel = 0;
  for (int y = 0; y < in.frame_height(); ++y) {
    for (int x = 0; x < in.frame_width(); ++x, ++pixel) {
      changes_.start[pixel] = int32_t(entry - changes_.entries.data());
      for (int t = 0; t < in.planes; ++t) {
        for (int w = 0; w < words; ++w, ++golden, ++faulty) {
          const int32_t base = (x * in.channels + w * 64) * stride;
          const uint64_t lowered = *golden;
          uint64_t changed = *golden ^ *faulty;
          int32_t* next = entry + popcount(changed);
          do {  // four at a time, so that the processor seldom guesses the count wrong; the last may be void
            for (int i = 0; i < 4; ++i, changed &= changed - 1) {
              const int bit = lowest_bit(changed);
              entry[i] = base + bit * stride + int(lowered >> bit & 1) * half;
            }
            entry += 4;
          } while (changed != 0);
          entry = next;
        }
      }
    }
  }
  changes_.count = changes_.start[pixel] = int32_t(entry - changes_.entries.data());
}

bool Simulator::choose_sparse(const Unit& unit) const {
  if (model_.update != Update::automatic) return model_.update == Update::sparse;
  const double places = double(unit.in.frame_height()) * unit.in.frame_width();
  const double uses = double(changes_.count) * unit.taps() * unit.pixels() / places;
  const double sparse = uses * (unit.blocks() + 1.0);
  return sparse < kDenseCost * unit.pixels() * unit.dense_steps();
}

void Simulator::sparse_unit(int u) {
  if (model_.units[u].wide) sparse_pixels<int32_t>(u); else sparse_pixels<int16_t>(u);
}

// Unit u into its faulty output, or, for the last unit, into sums_.
template <class Acc>
void Simulator::sparse_pixels(int u) {
  const Unit& unit = model_.units[u];
  const Target to = target(u, states_[u].faulty.data());
  for (int y = 0; y < unit.height; ++y) {
    for (int x = 0; x < unit.width; ++x) {
      uint64_t* planes = unit.last ? nullptr : to.first + y * to.pitch + size_t(x) * unit.out.pixel_words();
      int block = 0;
      const int blocks = unit.blocks();
      while (kMaxGroup >= 8 && blocks - block >= 8) block = sparse_blocks<Acc, 8>(u, y, x, block, planes);
      while (kMaxGroup >= 4 && blocks - block >= 4) block = sparse_blocks<Acc, 4>(u, y, x, block, planes);
      while (blocks - block >= 2) block = sparse_blocks<Acc, 2>(u, y, x, block, planes);
      while (blocks - block >= 1) block = sparse_blocks<Acc, 1>(u, y, x, block, planes);
    }
  }
  if (!unit.last) pool(u, states_[u].faulty.data());
}

// One output pixel, `Group` blocks of 64 channels from `block` on; the block behind them.
template <class Acc, int Group>
int Simulator::sparse_blocks(int u, int y, int x, int block, uint64_t* planes) {
  const Unit& unit = model_.units[u];
  const int padded = unit.padded(), frame = unit.in.frame_width();
  const Acc* golden = accumulators<Acc>(u, y * unit.width + x) + block * kBlock;
  const int period = 127 / std::max(1, unit.largest_weight);  // columns whose sum fits in a byte

  Bytes64 delta[Group];
  for (auto& d : delta) d = Bytes64::zero();
  Wide64<Acc> sums[Group];
  for (int g = 0; g < Group; ++g) sums[g] = Wide64<Acc>::load(golden + g * kBlock);

  int budget = period;
  for (int ky = 0; ky < unit.kernel_y; ++ky) {
    const int32_t* start = changes_.start.data() + (y * unit.stride_y + ky) * frame + x * unit.stride_x;
    const int32_t* entry = changes_.entries.data() + start[0];
    const int32_t* end = changes_.entries.data() + start[unit.kernel_x];
    const int8_t* columns = unit.columns.data() + block * kBlock +
                            ptrdiff_t(ky * unit.kernel_x - x * unit.stride_x) * unit.inputs * unit.column_stride();
    while (entry != end) {
      const int32_t* stop = std::min(end, entry + budget);
      budget -= int(stop - entry);
      for (; entry != stop; ++entry) {
        for (int g = 0; g < Group; ++g) delta[g].add(columns + *entry + g * kBlock);
      }
      if (budget == 0) {
        for (int g = 0; g < Group; ++g) sums[g].add(delta[g]), delta[g] = Bytes64::zero();
        budget = period;
      }
    }
  }
  for (int g = 0; g < Group; ++g) {
    sums[g].add(delta[g]);
    if (unit.last) {
      Acc out[kBlock];
      sums[g].store(out);
      std::copy_n(out, kBlock, sums_.data() + (block + g) * kBlock);
      continue;
    }
    for (int t = 0; t < unit.out.planes; ++t) {
      const Acc* threshold = thresholds<Acc>(unit) + size_t(t) * padded + (block + g) * kBlock;
      planes[t * unit.blocks() + block + g] = sums[g].at_least(threshold);
    }
  }
  return block + Group;
}

}  // namespace fat
