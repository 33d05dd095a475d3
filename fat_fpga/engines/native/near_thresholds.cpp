#include "near_thresholds.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "simd.hpp"

namespace fat {
namespace {

constexpr double kFew = 0.15;  // of all sums: of more, all may as well be computed side by side

int64_t largest_level(const Unit& unit) {
  const int64_t first = unit.in_levels.base, last = first + int64_t(unit.in_levels.step) * unit.in.planes;
  return std::max(std::abs(first), std::abs(last));
}

}  // namespace

int64_t NearThresholds::reach(const Unit& unit) {
  int largest = 0;
  for (const WeightPlane& plane : unit.planes) largest = std::max(largest, std::abs(plane.scale));
  return largest * largest_level(unit);
}

int64_t NearThresholds::most(const Unit& unit, const WeightChange& change) {
  return std::abs(int64_t(change.delta)) * largest_level(unit);
}

void NearThresholds::forget() {
  for (Kept& kept : kept_) kept.valid = false;
}

const uint64_t* NearThresholds::of(int u) {
  const Unit& unit = model_.units[u];
  Kept& kept = kept_[u];
  if (!kept.gains) return nullptr;
  if (kept.valid) return kept.bits.data();
  if (kept.bits.empty()) {
    kept.bits.resize(size_t(unit.pixels()) * unit.blocks());
    if (unit.wide) bound(unit, kept.lower32, kept.upper32);
    else bound(unit, kept.lower16, kept.upper16);
  }
  if (unit.wide) compare(u, kept.lower32, kept.upper32);
  else compare(u, kept.lower16, kept.upper16);
  int64_t near = 0;
  for (const uint64_t word : kept.bits) near += popcount(word);
  kept.valid = true;
  kept.gains = model_.by_chance || double(near) < kFew * unit.pixels() * unit.outputs;
  return kept.gains ? kept.bits.data() : nullptr;
}

// Sum and threshold are true integers S and T = step * t + offset, where S is at least T if the index `acc` of S is at
// least t, rounded up. A change of at most `reach` moves acc by at most c steps, rounded up: no sum that is at least
// t + c falls below T, none that is below t - c gets there.
template <class Acc>
void NearThresholds::bound(const Unit& unit, Aligned<Acc>& lower, Aligned<Acc>& upper) const {
  using Limits = std::numeric_limits<Acc>;  // beyond all sums, which `needs_32_bits` in model.cpp sees to
  const int64_t step = unit.in_levels.step, c = (reach(unit) + step - 1) / step;
  const int planes = unit.planes_out();
  lower.assign(size_t(planes) * unit.padded(), Limits::max());
  upper = lower;
  for (int m = 0; m < unit.outputs; ++m) {
    for (int t = 0; t < planes; ++t) {
      const int64_t above = int64_t(unit.integer_thresholds[size_t(m) * planes + t]) - unit.offset[m];
      const int64_t index = above >= 0 ? (above + step - 1) / step : -(-above / step);
      const size_t at = size_t(t) * unit.padded() + m;
      lower[at] = Acc(std::clamp<int64_t>(index - c, Limits::min(), Limits::max()));
      upper[at] = Acc(std::clamp<int64_t>(index + c, Limits::min(), Limits::max()));
    }
  }
}

template <class Acc>
void NearThresholds::compare(int u, const Aligned<Acc>& lower, const Aligned<Acc>& upper) {
  const Unit& unit = model_.units[u];
  const int padded = unit.padded(), planes = unit.planes_out();
  uint64_t* to = kept_[u].bits.data();
  for (int p = 0; p < unit.pixels(); ++p) {
    const Acc* sums = image_.accumulators<Acc>(u, p);
    for (int b = 0; b < unit.blocks(); ++b, sums += kBlock) {
      const auto block = Wide64<Acc>::load(sums);
      uint64_t near = 0;
      for (int t = 0; t < planes; ++t) {
        const size_t at = size_t(t) * padded + b * kBlock;
        near |= block.at_least(lower.data() + at) & ~block.at_least(upper.data() + at);
      }
      *to++ = near;
    }
  }
}

}  // namespace fat
