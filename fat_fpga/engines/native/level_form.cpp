#include "level_form.hpp"

#include <algorithm>

#include "model.hpp"
#include "simd_levels.hpp"

namespace fat {

int level_bytes(int channels) { return channels <= 16 ? 16 : channels <= 32 ? 32 : blocks_of(channels) * kBlock; }

namespace {

// The thresholds of one output, those that its sums can neither miss nor meet moved to where they can just do so.
std::vector<int> thresholds_of(const Unit& unit, const int8_t* weights, int m) {
  const int count = unit.taps() * unit.group_inputs();
  int low = 0, high = 0;
  for (int k = 0; k < count; ++k) {
    const int w = weights[size_t(m) * count + k] * unit.in.planes;
    low += std::min(w, 0), high += std::max(w, 0);
  }
  std::vector<int> found;
  for (int t = 0; t < unit.planes_out(); ++t)
    found.push_back(std::clamp<int>(unit.thresholds[size_t(t) * unit.padded() + m], low, high + 1));
  std::sort(found.begin(), found.end());
  return found;
}

// Where a sum of the 64 that are compared together stands in the vectors of two bytes and of one.
struct Places {
  int wide, narrow;
};

Places places_of(const LevelForm& form, int lane) {
  if (form.lanes) return {lane, lane};
  return {wide_place(lane), narrow_place(lane)};
}

void set_steps(LevelForm& form, const Unit& unit, const int8_t* weights) {
  constexpr int kSpan = 252;  // between the thresholds around a middle
  std::vector<std::vector<int>> all;
  for (int m = 0; m < unit.outputs; ++m) all.push_back(thresholds_of(unit, weights, m));
  std::vector<int>& ends = form.steps.ends;
  for (int first = 0, t = 1; t <= unit.planes_out(); ++t) {
    const bool full = t == unit.planes_out() ||
                      std::any_of(all.begin(), all.end(), [&](const auto& of) { return of[t] - of[first] > kSpan; });
    if (full) ends.push_back(first = t);
  }
  const int planes = unit.planes_out(), middles = int(ends.size());
  const size_t all_middles = size_t(form.groups()) * middles * kBlock;
  if (unit.wide) form.steps.middles32.assign(all_middles, 0);
  else form.steps.middles.assign(all_middles, 0);
  form.steps.thresholds.assign(size_t(form.groups()) * planes * kBlock, INT8_MAX);
  const bool search = planes == kMostLevelPlanes && !unit.wide && !form.lanes;
  if (search) form.steps.integers.assign(size_t(form.groups()) * planes * kBlock, INT16_MAX);
  for (int g = 0; g < form.groups(); ++g) {
    for (int lane = 0; lane < kBlock; ++lane) {
      const int m = g * form.group() + lane % form.group();
      if (m >= unit.outputs) continue;
      const Places at = places_of(form, lane);
      for (int t = 0; t < planes && search; ++t)
        form.steps.integers[(size_t(g) * planes + t) * kBlock + at.wide] = int16_t(all[m][t] - 1);
      for (int k = 0, t = 0; k < middles; ++k) {
        const int middle = (all[m][t] + all[m][ends[k] - 1]) / 2;
        const size_t first = (size_t(g) * middles + k) * kBlock;
        if (unit.wide) form.steps.middles32[first + lane] = middle;
        else form.steps.middles[first + at.wide] = int16_t(middle);
        for (; t < ends[k]; ++t)
          form.steps.thresholds[(size_t(g) * planes + t) * kBlock + at.narrow] = int8_t(all[m][t] - 1 - middle);
      }
    }
  }
}

void set_products(LevelForm& form, const Unit& unit, const int8_t* weights) {
  form.fours = unit.kernel_x * form.in / 4;
  if (form.fours > kFours) form.fours = (form.fours + kFours - 1) / kFours * kFours;
  form.weights.assign(size_t((form.out + kByteOutputs - 1) / kByteOutputs) * unit.kernel_y * form.fours * kBlock, 0);
  for (int m = 0; m < unit.outputs; ++m) {
    int8_t* of =
        form.weights.data() + size_t(m / kByteOutputs) * unit.kernel_y * form.fours * kBlock + m % kByteOutputs * 4;
    for (int ky = 0; ky < unit.kernel_y; ++ky) {
      for (int kx = 0; kx < unit.kernel_x; ++kx) {
        for (int c = 0; c < unit.inputs; ++c) {
          const int k = kx * form.in + c;
          of[(size_t(ky) * form.fours + k / 4) * kBlock + k % 4] = *weights++;
        }
      }
    }
  }
}

// Of few channels, a vector has several places, and the weights are there as often.
void set_lanes(LevelForm& form, const Unit& unit, const int8_t* weights) {
  const int pitch = std::max(form.in, kBlock);
  form.weights.assign(size_t(unit.taps()) * pitch, 0);
  for (int tap = 0; tap < unit.taps(); ++tap) {
    for (int lane = 0; lane < pitch; ++lane) {
      const int m = lane % form.in;
      if (m < unit.outputs) form.weights[size_t(tap) * pitch + lane] = weights[size_t(m) * unit.taps() + tap];
    }
  }
}

}  // namespace

LevelForm level_form(const Unit& unit, const int8_t* weights) {
  LevelForm form;
  form.lanes = unit.groups > 1;
  const bool single = unit.group_inputs() == 1 && unit.group_outputs() == 1;
  if (unit.in.wide() || (!unit.last && unit.out.wide())) return form;
  if (form.lanes && (!single || unit.wide || unit.last || (unit.inputs <= 32 && unit.stride_x != 1))) return form;
  form.fits = true;
  form.in = level_bytes(unit.inputs), form.out = level_bytes(unit.outputs);
  if (form.lanes) set_lanes(form, unit, weights);
  else set_products(form, unit, weights);
  if (!unit.last) set_steps(form, unit, weights);
  return form;
}

}  // namespace fat
