#include "edited_unit.hpp"

#include <algorithm>

#include "changes.hpp"
#include "simd.hpp"

namespace fat {
namespace {

constexpr double kToggle = 10;  // cost of one weight, there and back, in scalar steps

}  // namespace

double EditedUnit::cost(const Unit& unit, const NodeEdit& edit) {
  return kDenseCost * unit.pixels() * unit.dense_steps() + kScalar * kToggle * edit.weights;
}

// Puts the changed weights that planes hold into the copy, or takes them out again.
void EditedUnit::toggle(const NodeEdit& edit, int u) {
  std::vector<WeightPlane>& weights = memories_[u].weights;
  for (const Toggle& toggle : edit.toggles) weights[toggle.plane].bits[toggle.place] ^= uint64_t(1) << toggle.bit;
}

// Puts the thresholds of edited channels into the copy, for accumulators here; lists the odd ones.
void EditedUnit::put_thresholds(const Fault& fault, const NodeEdit& edit, int u) {
  const Unit& unit = model_.units[u];
  const int steps = unit.last ? 0 : unit.planes_out();
  Aligned<int32_t>& copy = memories_[u].thresholds;
  odd_.clear();
  for (const ChannelEdit& channel : edit.channels) {
    if (channel.in_planes) {
      const int32_t* from = fault.index_thresholds.data() + channel.index_thresholds;
      for (int t = 0; t < steps; ++t) copy[size_t(t) * unit.padded() + channel.channel] = from[t];
      continue;
    }
    int64_t offset = unit.offset[channel.channel];
    for (int w = channel.weights; w < channel.weights_end; ++w) {
      if (fault.weights[w].planes != 0) offset += int64_t(unit.in_levels.base) * fault.weights[w].delta;
    }
    odd_.push_back({&channel, offset, {}});
    if (steps > 0) fault.edited_thresholds(channel, unit.integer_thresholds.data(), steps, odd_.back().thresholds);
  }
}

// The finished sum of an odd channel at a pixel, from its accumulator in the image's sums, in the network's integers.
int64_t EditedUnit::sum(const Fault& fault, const Unit& unit, const Odd& odd, int y, int x) const {
  const int m = odd.edit->channel;
  int64_t sum = int64_t(unit.in_levels.step) * image_.sums[m] + odd.offset;
  for (int w = odd.edit->weights; w < odd.edit->weights_end; ++w) {
    const WeightChange& change = fault.weights[w];
    if (change.planes == 0) sum += added(image_, unit, change, y, x);  // else its plane has it
  }
  for (int a = odd.edit->accumulators; a < odd.edit->accumulators_end; ++a) {
    sum = fault.accumulators[a].bits.apply(sum);
  }
  return sum;
}

// Planes of odd channels at a pixel.
void EditedUnit::decide(const Fault& fault, const Unit& unit, int y, int x, uint64_t* planes) {
  for (const Odd& odd : odd_) {
    const int64_t sum = this->sum(fault, unit, odd, y, x);
    const auto met = std::count_if(odd.thresholds.begin(), odd.thresholds.end(), [sum](int32_t t) { return sum >= t; });
    uint64_t* word = planes + odd.edit->channel / kBlock;
    const uint64_t bit = uint64_t(1) << (odd.edit->channel % kBlock);
    for (int t = 0; t < unit.planes_out(); ++t, word += unit.blocks()) *word = t < met ? *word | bit : *word & ~bit;
  }
}

void EditedUnit::unit(const Fault& fault, const NodeEdit& edit, Target to) {
  const int u = model_.nodes[edit.node].unit;
  const Unit& unit = model_.units[u];
  Memories& memories = memories_[u];
  if (memories.weights.empty()) memories = {unit.planes, unit.thresholds};
  toggle(edit, u);
  put_thresholds(fault, edit, u);
  const uint64_t* in = image_.planes(unit.source);
  if (odd_.empty()) {
    dense_.area(unit, memories.weights, memories.thresholds, in, unit.whole(), to);
    if (unit.last) image_.classify();
  }
  for (int y = 0; !odd_.empty() && y < unit.height; ++y) {
    for (int x = 0; x < unit.width; ++x) {
      dense_.pixel(unit, memories.weights, in, y, x);
      if (unit.last) {
        image_.classify();
        for (const Odd& odd : odd_) image_.raw[odd.edit->channel] = sum(fault, unit, odd, y, x);
        image_.classify_raw();
        continue;
      }
      uint64_t* planes = to.first + y * to.pitch + size_t(x) * unit.words_out();
      dense_.write_planes(unit, memories.thresholds, planes);
      decide(fault, unit, y, x, planes);
    }
  }
  toggle(edit, u);
  for (const ChannelEdit& channel : edit.channels) {
    for (size_t at = channel.channel; at < memories.thresholds.size(); at += unit.padded()) {
      memories.thresholds[at] = unit.thresholds[at];
    }
  }
}

}  // namespace fat
