#include "edited_channels.hpp"

#include <algorithm>

#include "changes.hpp"
#include "simd.hpp"

namespace fat {
namespace {

// Costs in scalar steps: of a changed weight, of what it sees at a pixel, of deciding an output, of one product of a
// change in front, and of one word of bits where a channel's sum is counted anew.
constexpr double kListedWord = 12, kWord = 2, kDecision = 3, kDifference = 3, kBits = 0.15;

int count_met(const int32_t* thresholds, int count, int64_t integer) {
  int met = 0;
  for (int t = 0; t < count; ++t) met += integer >= thresholds[t];  // in whatever order they stand
  return met;
}

// Whether any of so many sums side by side meets a threshold otherwise than a bit of the words beside them says.
bool any_differs(const int64_t* sums, const uint64_t* words, int count, int64_t threshold, int bit) {
  uint64_t any = 0;
  for (int x = 0; x < count; ++x) any |= (words[x] >> bit ^ uint64_t(sums[x] >= threshold)) & 1;
  return any != 0;
}

// Outputs along one axis, of those from `first` up to `end`, whose windows have their place `at` (of the window) inside
// of `size` inputs.
void clip(int& first, int& end, int at, int stride, int size) {
  if (at < 0) first = std::max(first, (-at + stride - 1) / stride);
  end = size - at <= 0 ? first : std::min(end, (size - at - 1) / stride + 1);
}

}  // namespace

namespace {

double difference_cost(const Unit& unit, size_t channels, size_t changes) {
  return kDifference * unit.taps() * double(channels * changes);
}

double count_cost(const Unit& unit, size_t channels, int pixels) {
  return kBits * double(channels) * pixels * unit.taps() * unit.in.pixel_words() * double(unit.planes.size() + 1);
}

}  // namespace

double EditedChannels::cost(const Unit& unit, const NodeEdit& edit, int changes) {
  const size_t channels = edit.channels.size();
  const double levels = unit.in.wide() ? 1 : unit.in.planes;
  double anew = difference_cost(unit, channels, changes);
  if (unit.reads_planes()) anew = std::min(anew, count_cost(unit, channels, unit.pixels()));
  return kScalar * (kListedWord * edit.weights +
                    unit.pixels() * (kWord * levels * edit.weights + kDecision * double(channels)) + anew);
}

void EditedChannels::channels(const Fault& fault, const NodeEdit& edit, int changes) {
  const Node& node = model_.nodes[edit.node];
  if (node.kind != Kind::unit) return threshold_channels(fault, edit, node);
  wanted_.clear();
  for (const ChannelEdit& channel : edit.channels) wanted_.push_back({channel.channel, &channel});
  unit(fault, node.unit, model_.units[node.unit].whole(), changes);
}

void EditedChannels::threshold_channels(const Fault& fault, const NodeEdit& edit, const Node& node) {
  const Stream& out = model_.streams[node.out];
  if (states_[node.out].changed.empty()) image_.settle(node.out, {});
  for (const ChannelEdit& channel : edit.channels) {
    fault.edited_thresholds(channel, node.thresholds.data(), node.steps, thresholds_);
    for (int y = 0; y < out.height; ++y) {
      for (int x = 0; x < out.width; ++x) {
        const int64_t sum = image_.integer(node.inputs[0], y, x, channel.channel);
        const int integer = node.levels.base + node.levels.step * count_met(thresholds_.data(), node.steps, sum);
        image_.put(node.out, y, x, channel.channel, integer);
      }
    }
  }
}

void EditedChannels::behind_strays(const Fault& fault, const NodeEdit* edit, int n) {
  const Node& node = model_.nodes[n];
  const auto get = [&](int k, int y, int x, int c) { return image_.integer(node.inputs[k], y, x, c); };
  for (size_t k = 0; k < node.inputs.size(); ++k) {
    const std::vector<Stray>& strays = states_[node.inputs[k]].strays;
    if (strays.empty()) continue;
    if (node.kind == Kind::unit) {
      const Unit& unit = model_.units[node.unit];
      wanted_.clear();
      for (int m = 0; m < unit.outputs; ++m) wanted_.push_back({m, nullptr});
      if (edit != nullptr) {
        for (const ChannelEdit& channel : edit->channels) wanted_[channel.channel].edit = &channel;
      }
      Rect all;
      int pixels = 0;
      const auto behind = [&](const Stray& stray) {
        const int y = stray.y + unit.in.top, x = stray.x + unit.in.left;
        return unit.windows().touching({y, y + 1, x, x + 1});
      };
      for (const Stray& stray : strays) all.include(behind(stray)), pixels += behind(stray).pixels();
      if (pixels >= all.pixels()) {
        this->unit(fault, node.unit, all, 0);
      } else {
        for (const Stray& stray : strays) this->unit(fault, node.unit, behind(stray), 0);
      }
      continue;
    }
    const bool windows = node.kind == Kind::pool || node.kind == Kind::sum;
    const int first = node.kind == Kind::concat ? node.first_channels[k] : 0;
    for (const Stray& stray : strays) {
      const Rect here{stray.y, stray.y + 1, stray.x, stray.x + 1};
      const Rect area = windows ? node.windows.touching(here) : here;
      const int c = first + stray.channel;
      const auto is_edited = [c](const ChannelEdit& channel) { return channel.channel == c; };
      if (edit != nullptr && std::any_of(edit->channels.begin(), edit->channels.end(), is_edited)) {
        continue;  // of a threshold layer: `threshold_channels` has seen the stray already
      }
      for (int y = area.y0; y < area.y1; ++y) {
        for (int x = area.x0; x < area.x1; ++x) image_.put_any(node.out, y, x, c, node.at(y, x, c, get));
      }
    }
  }
}

// The wanted channels of an area of a unit.
void EditedChannels::unit(const Fault& fault, int u, const Rect& area, int changes) {
  const Unit& unit = model_.units[u];
  if (area.empty()) return;
  differences_.clear();
  const bool counted = counts(unit, area, changes);
  if (counted) count_bits(unit, area);
  else if (unit.wide) begin<int32_t>(u, area);
  else begin<int16_t>(u, area);
  if (!counted) list_differences(unit, area);
  list_strays(unit, area);
  add_differences(unit, area);
  add_words(fault, unit, area);
  decide(fault, unit, area);
}

// The fault-free accumulators.
template <class Acc>
void EditedChannels::begin(int u, const Rect& area) {
  const Unit& unit = model_.units[u];
  sums_.resize(size_t(area.pixels()) * wanted_.size());
  int64_t* to = sums_.data();
  const int64_t step = unit.in_levels.step;
  const int32_t* offsets = unit.offset.data();
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x) {
      const Acc* golden = image_.accumulators<Acc>(u, y * unit.width + x);
      for (const Channel& channel : wanted_) *to++ = step * golden[channel.number] + offsets[channel.number];
    }
  }
}

// Whether sums are to be counted anew, and not what changes of them.
bool EditedChannels::counts(const Unit& unit, const Rect& area, int changes) const {
  if (!unit.reads_planes() || changes == 0) return false;
  return count_cost(unit, wanted_.size(), area.pixels()) < difference_cost(unit, wanted_.size(), changes);
}

// The sums of the wanted channels by the bits of activations and weights.
void EditedChannels::count_bits(const Unit& unit, const Rect& area) {
  const Stream& in = unit.in;
  const int words = in.words(), count = unit.taps() * words, planes = int(unit.planes.size());
  const size_t wanted = wanted_.size();
  sums_.resize(size_t(area.pixels()) * wanted);
  window_.resize(size_t(in.planes) * count);
  const uint64_t* bits = image_.planes(unit.source);
  const int row = unit.kernel_x * words;
  int64_t* sum = sums_.data();
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x) {
      const int top = y * unit.stride_y + unit.origin_y, left = x * unit.stride_x + unit.origin_x;
      uint64_t* to = window_.data();
      for (int t = 0; t < in.planes; ++t) {
        for (int ky = 0; ky < unit.kernel_y; ++ky) {
          const size_t place = size_t(top + ky) * in.frame_width() + left;
          const uint64_t* from = bits + place * in.pixel_words() + size_t(t) * words;
          if (in.planes == 1) {
            to = std::copy_n(from, row, to);
          } else {
            for (int kx = 0; kx < unit.kernel_x; ++kx, from += in.pixel_words()) to = std::copy_n(from, words, to);
          }
        }
      }
      int set = 0;
      if (unit.weight_base != 0) {
        for (const uint64_t word : window_) set += popcount(word);
      }
      for (size_t i = 0; i < wanted; ++i) {
        const uint64_t* weights = unit.rows.data() + size_t(wanted_[i].number) * planes * count;
        int64_t index = int64_t(unit.weight_base) * set;
        for (int j = 0; j < planes; ++j, weights += count) {
          int both = 0;
          for (int t = 0; t < in.planes; ++t) {
            both += popcount_common(window_.data() + size_t(t) * count, weights, count);
          }
          index += int64_t(unit.planes[j].scale) * both;
        }
        *sum++ = unit.in_levels.step * index + unit.offset[wanted_[i].number];
      }
    }
  }
}

// What differs in front of the outputs, strays left out.
void EditedChannels::list_differences(const Unit& unit, const Rect& outputs) {
  const Image::State& state = states_[unit.source];
  if (state.changed.empty()) return;
  const Rect seen = unit.windows().covered(outputs).moved(-unit.in.top, -unit.in.left);
  const Rect area = state.changed.common(seen);
  if (area.empty()) return;
  each_change(image_, unit.source, area, [&](int y, int x, int c, int32_t was, int32_t is) {
    differences_.push_back({y, x, c, is - was, false});
  });
}

void EditedChannels::list_strays(const Unit& unit, const Rect& outputs) {
  const Rect seen = unit.windows().covered(outputs).moved(-unit.in.top, -unit.in.left);
  for (const Stray& stray : states_[unit.source].strays) {
    if (!seen.has(stray.y, stray.x)) continue;
    const int32_t by = stray.integer - image_.held_integer(unit.source, stray.y, stray.x, stray.channel);
    differences_.push_back({stray.y, stray.x, stray.channel, by, true});
  }
}

void EditedChannels::add_differences(const Unit& unit, const Rect& area) {
  const size_t count = wanted_.size();
  const int inputs = unit.group_inputs(), outputs = unit.group_outputs(), width = area.x1 - area.x0;
  for (const Difference& difference : differences_) {
    const int group = difference.channel / inputs;
    each_tap(unit, difference.y, difference.x, [&](int tap, int pixel) {
      const int y = pixel / unit.width, x = pixel % unit.width;
      if (!area.has(y, x)) return;
      const size_t row = size_t(tap) * inputs + difference.channel % inputs;
      const int8_t* weights = unit.groups > 1 ? unit.group_weights.data() + row * unit.padded()
                                              : unit.columns.data() + row * unit.column_stride();
      int64_t* sums = sums_.data() + (size_t(y - area.y0) * width + (x - area.x0)) * count;
      if (unit.groups == 1 && int(count) == unit.outputs) {
        for (size_t m = 0; m < count; ++m) sums[m] += difference.by * weights[m];
        return;
      }
      for (size_t i = 0; i < count; ++i) {
        const int m = wanted_[i].number;
        if (unit.groups == 1 || m / outputs == group) sums[i] += difference.by * weights[m];
      }
    });
  }
}

// What the changed weights see.
void EditedChannels::add_words(const Fault& fault, const Unit& unit, const Rect& area) {
  for (size_t i = 0; i < wanted_.size(); ++i) {
    if (wanted_[i].edit == nullptr) continue;
    for (int w = wanted_[i].edit->weights; w < wanted_[i].edit->weights_end; ++w) {
      const WeightChange& change = fault.weights[w];
      add_word(change, unit, area, i);
      for (size_t d = differences_.size(); d > 0 && differences_[d - 1].stray; --d) {
        const Difference& stray = differences_[d - 1];
        const int down = stray.y + unit.pad_y - change.tap_y, right = stray.x + unit.pad_x - change.tap_x;
        if (stray.channel != change.input || down < 0 || right < 0) continue;
        if (down % unit.stride_y != 0 || right % unit.stride_x != 0) continue;
        const int y = down / unit.stride_y - area.y0, x = right / unit.stride_x - area.x0;
        if (!area.moved(-area.y0, -area.x0).has(y, x)) continue;
        sums_[(size_t(y) * (area.x1 - area.x0) + x) * wanted_.size() + i] += int64_t(change.delta) * stray.by;
      }
    }
  }
}

// What one changed weight sees in the stream, strays left out.
void EditedChannels::add_word(const WeightChange& change, const Unit& unit, const Rect& area, size_t i) {
  const Stream& in = unit.in;
  const Image::State& state = states_[unit.source];
  const int down = change.tap_y - unit.pad_y, right = change.tap_x - unit.pad_x;
  Rect inside = area;
  clip(inside.y0, inside.y1, down, unit.stride_y, in.height);
  clip(inside.x0, inside.x1, right, unit.stride_x, in.width);
  const size_t count = wanted_.size();
  const int64_t delta = change.delta;
  for (int y = inside.y0; y < inside.y1; ++y) {
    int64_t* sum = sums_.data() + (size_t(y - area.y0) * (area.x1 - area.x0) + (inside.x0 - area.x0)) * count + i;
    const int row = y * unit.stride_y + down, column = inside.x0 * unit.stride_x + right;
    if (in.wide()) {
      const auto& integers = state.changed.empty() ? state.integers : state.faulty_integers;
      const int32_t* from = integers.data() + in.place(row, column) * in.channels + change.input;
      for (int x = inside.x0; x < inside.x1; ++x, sum += count, from += unit.stride_x * in.channels)
        *sum += delta * *from;
      continue;
    }
    const uint64_t* word = image_.planes(unit.source) + in.offset(row, column) + change.input / kBlock;
    const int bit = change.input % kBlock, words = in.words();
    if (in.planes == 1) {
      const int64_t low = delta * in.levels.base, more = delta * in.levels.step;
      const size_t stride = size_t(unit.stride_x) * words;
      if (count == 1 && stride == 1) {  // all of it side by side, for the compiler to see
        const int width = inside.x1 - inside.x0;
        for (int x = 0; x < width; ++x) sum[x] += low + (more & -int64_t(word[x] >> bit & 1));
        continue;
      }
      for (int x = inside.x0; x < inside.x1; ++x, sum += count, word += stride) {
        *sum += low + (more & -int64_t(*word >> bit & 1));
      }
      continue;
    }
    for (int x = inside.x0; x < inside.x1; ++x, sum += count, word += size_t(unit.stride_x) * in.pixel_words()) {
      int64_t index = 0;
      for (int t = 0; t < in.planes; ++t) index += int64_t(word[t * words] >> bit & 1);
      *sum += delta * (in.levels.base + in.levels.step * index);
    }
  }
}

// From the sums to the stream behind the unit, or the scores.
void EditedChannels::decide(const Fault& fault, const Unit& unit, const Rect& area) {
  const size_t count = wanted_.size();
  if (unit.last) {
    if (!image_.reached) image_.raw = image_.golden_raw;
  } else if (states_[unit.behind].changed.empty()) {
    image_.settle(unit.behind, {});
  }
  for (size_t i = 0; i < count; ++i) {
    const auto [channel, edit] = wanted_[i];
    const int steps = unit.last ? 0 : unit.planes_out();
    const int32_t* met_at = unit.last ? nullptr : unit.integer_thresholds.data() + size_t(channel) * steps;
    if (edit != nullptr && edit->thresholds != edit->thresholds_end) {
      fault.edited_thresholds(*edit, unit.integer_thresholds.data(), steps, thresholds_);
      met_at = thresholds_.data();
    }
    int64_t* sum = sums_.data() + i;
    for (int a = edit == nullptr ? 0 : edit->accumulators; edit != nullptr && a < edit->accumulators_end; ++a) {
      for (int p = 0; p < area.pixels(); ++p) sum[p * count] = fault.accumulators[a].bits.apply(sum[p * count]);
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
  const size_t count = wanted_.size();
  const int channel = wanted_[i].number, steps = unit.planes_out(), width = area.x1 - area.x0;
  const int64_t* sum = sums_.data() + size_t(y - area.y0) * width * count + i;
  if (out.wide()) {
    for (int x = area.x0; x < area.x1; ++x, sum += count) {
      const int integer = unit.out_levels.base + unit.out_levels.step * count_met(met_at, steps, *sum);
      if (integer != image_.held_integer(unit.behind, y, x, channel)) image_.put(unit.behind, y, x, channel, integer);
    }
    return;
  }
  const int words = out.words(), pixel_words = out.pixel_words(), planes = out.planes, bit = channel % kBlock;
  uint64_t* word = state.faulty.data() + out.offset(y, area.x0) + channel / kBlock;
  int first = width, last = -1;
  if (steps == 1 && count == 1 && pixel_words == 1 && !any_differs(sum, word, width, *met_at, bit)) return;
  if (steps == 1) {
    const int64_t threshold = *met_at;
    for (int x = 0; x < width; ++x, sum += count, word += pixel_words) {
      const uint64_t differs = (*word >> bit ^ uint64_t(*sum >= threshold)) & 1;
      if (differs == 0) continue;
      *word ^= differs << bit;
      first = std::min(first, x), last = x;
    }
  }
  for (int x = 0; steps > 1 && x < width; ++x, sum += count, word += pixel_words) {
    const int met = count_met(met_at, steps, *sum);
    uint64_t differs = 0;
    for (int t = 0; t < planes; ++t) {
      const uint64_t other = (word[t * words] >> bit & 1) ^ uint64_t(t < met);
      word[t * words] ^= other << bit, differs |= other;
    }
    if (differs != 0) first = std::min(first, x), last = x;
  }
  if (last < 0) return;
  state.changed.include({y, y + 1, area.x0 + first, area.x0 + last + 1});
  state.dirty = state.changed;
}

}  // namespace fat
