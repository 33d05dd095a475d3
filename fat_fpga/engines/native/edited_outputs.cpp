// What changed channels make of their sums.
#include <algorithm>

#include "edited_channels.hpp"
#include "steps.hpp"

namespace fat {
namespace {

// Has a bit of words beside so many sums side by side say whether they meet a threshold. 1 in `differs` where it has
// not done so; whether it is so anywhere.
bool set_bits(const int64_t* sums, uint64_t* words, size_t step, int count, int64_t threshold, int bit,
              uint64_t* differs) {
  uint64_t any = 0;
  with_step(step, [&](auto step) {
    for (int x = 0; x < count; ++x) any |= differs[x] = (words[x * step] >> bit ^ uint64_t(sums[x] >= threshold)) & 1;
    if (any == 0) return;
    for (int x = 0; x < count; ++x) words[x * step] ^= differs[x] << bit;
  });
  return any != 0;
}

}  // namespace

// From the sums to the stream behind the unit, or the scores.
void EditedChannels::decide(const Fault& fault, const Unit& unit, const Rect& area) {
  if (unit.last) {
    if (!image_.reached) image_.raw = image_.golden_raw;
  } else if (states_[unit.behind].changed.empty()) {
    image_.settle(unit.behind, {});
  }
  for (size_t i = 0; i < wanted_.size(); ++i) {
    const auto [channel, edit] = wanted_[i];
    const int steps = unit.last ? 0 : unit.planes_out();
    const int32_t* met_at = unit.last ? nullptr : unit.integer_thresholds.data() + size_t(channel) * steps;
    if (edit != nullptr && edit->thresholds != edit->thresholds_end) {
      fault.edited_thresholds(*edit, unit.integer_thresholds.data(), steps, thresholds_);
      met_at = thresholds_.data();
    }
    int64_t* sum = this->sum(i, 0);
    for (int a = edit == nullptr ? 0 : edit->accumulators; edit != nullptr && a < edit->accumulators_end; ++a) {
      for (int64_t* at = sum; at != this->sum(i, area.pixels()); at += pixel_step_) {
        *at = fault.accumulators[a].bits.apply(*at);
      }
    }
    if (unit.last) {
      image_.raw[channel] = *sum;
      continue;
    }
    for (int y = area.y0; y < area.y1; ++y) decide_row(unit, y, area, i, met_at);
  }
  if (unit.last) image_.classify_raw();
}

// A row of outputs of one channel, where the stream holds others.
void EditedChannels::decide_row(const Unit& unit, int y, const Rect& area, size_t i, const int32_t* met_at) {
  const Stream& out = unit.out;
  Image::State& state = states_[unit.behind];
  const int channel = wanted_[i].number, steps = unit.planes_out(), width = area.x1 - area.x0;
  const int64_t* sum = this->sum(i, (y - area.y0) * width);
  if (out.wide()) {
    for (int x = area.x0; x < area.x1; ++x, sum += pixel_step_) {
      const int integer = unit.out_levels.base + unit.out_levels.step * count_met(met_at, steps, *sum);
      if (integer != image_.held_integer(unit.behind, y, x, channel)) image_.put(unit.behind, y, x, channel, integer);
    }
    return;
  }
  const int words = out.words(), pixel_words = out.pixel_words(), bit = channel % kBlock;
  uint64_t* word = state.faulty.data() + out.offset(y, area.x0) + channel / kBlock;
  differs_.resize(size_t(width));
  if (steps == 1 && pixel_step_ == 1) {
    if (!set_bits(sum, word, size_t(pixel_words), width, *met_at, bit, differs_.data())) return;
  } else {
    for (int x = 0; x < width; ++x, sum += pixel_step_, word += pixel_words) {
      const int met = count_met(met_at, steps, *sum);
      differs_[x] = 0;
      for (int t = 0; t < steps; ++t) {
        const uint64_t other = (word[t * words] >> bit & 1) ^ uint64_t(t < met);
        word[t * words] ^= other << bit, differs_[x] |= other;
      }
    }
  }
  const auto first = std::find(differs_.begin(), differs_.end(), 1);
  const auto last = std::find(differs_.rbegin(), differs_.rend(), 1);
  if (first == differs_.end()) return;
  const int x0 = area.x0 + int(first - differs_.begin()), x1 = area.x0 + int(differs_.rend() - last);
  state.changed.include({y, y + 1, x0, x1});
  state.dirty = state.changed;
}

}  // namespace fat
