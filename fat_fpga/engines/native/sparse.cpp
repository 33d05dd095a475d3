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
  const int words = in.words(), padded = unit.padded();
  int32_t* raised = changes_.raised.data();
  int32_t* lowered = changes_.lowered.data();
  int pixel = 0;
  for (int y = 0; y < in.frame_height(); ++y) {
    for (int x = 0; x < in.frame_width(); ++x, ++pixel) {
      changes_.raised_start[pixel] = int32_t(raised - changes_.raised.data());
      changes_.lowered_start[pixel] = int32_t(lowered - changes_.lowered.data());
      for (int t = 0; t < in.planes; ++t) {
        for (int w = 0; w < words; ++w, ++golden, ++faulty) {
          const uint64_t changed = *golden ^ *faulty;
          if (changed == 0) continue;
          const int32_t base = (x * in.channels + w * 64) * padded;
          for (uint64_t up = changed & *faulty; up; up &= up - 1) *raised++ = base + __builtin_ctzll(up) * padded;
          for (uint64_t down = changed & *golden; down; down &= down - 1) *lowered++ = base + __builtin_ctzll(down) * padded;
        }
      }
    }
  }
  changes_.raised_count = changes_.raised_start[pixel] = int32_t(raised - changes_.raised.data());
  changes_.lowered_count = changes_.lowered_start[pixel] = int32_t(lowered - changes_.lowered.data());
}

bool Simulator::sparse_is_cheaper(const Unit& unit) const {
  const double places = double(unit.in.frame_height()) * unit.in.frame_width();
  const double uses = double(changes_.count()) * unit.taps() * unit.pixels() / places;
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
    const int place = (y * unit.stride_y + ky) * frame + x * unit.stride_x;
    const int8_t* columns = unit.columns.data() + block * kBlock +
                            ptrdiff_t(ky * unit.kernel_x - x * unit.stride_x) * unit.inputs * padded;
    for (const bool up : {true, false}) {
      const Changes& c = changes_;
      const int32_t* start = (up ? c.raised_start : c.lowered_start).data() + place;
      const int32_t* entry = (up ? c.raised : c.lowered).data() + start[0];
      const int32_t* end = (up ? c.raised : c.lowered).data() + start[unit.kernel_x];
      while (entry != end) {
        const int32_t* stop = std::min(end, entry + budget);
        budget -= int(stop - entry);
        if (up) {
          for (; entry != stop; ++entry) {
            for (int g = 0; g < Group; ++g) delta[g].add(columns + *entry + g * kBlock);
          }
        } else {
          for (; entry != stop; ++entry) {
            for (int g = 0; g < Group; ++g) delta[g].subtract(columns + *entry + g * kBlock);
          }
        }
        if (budget == 0) {
          for (int g = 0; g < Group; ++g) sums[g].add(delta[g]), delta[g] = Bytes64::zero();
          budget = period;
        }
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
