#include "edited_channels.hpp"

#include <algorithm>

#include "changes.hpp"
#include "simd.hpp"

namespace fat {
namespace {

// Costs in scalar steps: of a changed weight, of what it sees at a pixel, of deciding an output, of one product of a
// change in front, and of one word of bits where a channel's sum is counted anew.
constexpr double kListedWord = 12, kWord = 2, kDecision = 3, kDifference = 3, kBits = 0.15;

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
  const Unit& unit = model_.units[node.unit];
  const Image::State& source = states_[unit.source];
  const Rect whole = unit.whole(), behind = unit.windows().touching(source.changed.moved(unit.in.top, unit.in.left));
  const bool most = model_.by_chance || 2 * behind.pixels() < whole.pixels();  // of the outputs are behind no change
  const bool may = most && !unit.last && unit.reads_planes() && source.strays.empty();
  const uint64_t* near = may ? near_.of(node.unit) : nullptr;
  const auto enough = [&](const ChannelEdit& channel) {
    return near != nullptr && near_is_enough(fault, unit, channel);
  };
  // Where something changed in front all sums are computed, elsewhere those near a threshold.
  for (const bool of_near : {false, true}) {
    wanted_.clear();
    for (const ChannelEdit& channel : edit.channels) {
      if (enough(channel) == of_near) wanted_.push_back({channel.channel, &channel});
    }
    if (!wanted_.empty()) this->unit(fault, node.unit, of_near ? behind : whole, changes);
    for (size_t i = 0; of_near && i < wanted_.size(); ++i) {
      near_channel(fault, node.unit, *wanted_[i].edit, near, behind);
    }
  }
}

// Whether only sums near a threshold can meet it otherwise.
bool EditedChannels::near_is_enough(const Fault& fault, const Unit& unit, const ChannelEdit& edit) const {
  if (edit.thresholds != edit.thresholds_end || edit.accumulators != edit.accumulators_end) return false;
  int64_t most = 0;
  for (int w = edit.weights; w < edit.weights_end; ++w) most += NearThresholds::most(unit, fault.weights[w]);
  return most <= NearThresholds::reach(unit);
}

// The outputs of a channel whose sums are near a threshold, but for an area where they are done.
void EditedChannels::near_channel(const Fault& fault, int u, const ChannelEdit& edit, const uint64_t* near,
                                  const Rect& done) {
  const Unit& unit = model_.units[u];
  const int blocks = unit.blocks(), channel = edit.channel;
  const uint64_t bit = uint64_t(1) << channel % kBlock;
  if (states_[unit.behind].changed.empty()) image_.settle(unit.behind, {});
  near += channel / kBlock;
  for (int first = 0; first < unit.pixels(); first += 8) {
    const int count = std::min(8, unit.pixels() - first);
    for (uint32_t some = set_in(near + size_t(first) * blocks, blocks, count, bit); some != 0; some &= some - 1) {
      const int pixel = first + lowest_bit(some), y = pixel / unit.width, x = pixel % unit.width;
      if (!done.has(y, x)) near_output(fault, u, edit, y, x);
    }
  }
}

// An output behind activations of which none changed.
void EditedChannels::near_output(const Fault& fault, int u, const ChannelEdit& edit, int y, int x) {
  const Unit& unit = model_.units[u];
  const int pixel = y * unit.width + x, channel = edit.channel, steps = unit.planes_out();
  const int64_t golden =
      unit.wide ? image_.accumulators<int32_t>(u, pixel)[channel] : image_.accumulators<int16_t>(u, pixel)[channel];
  int64_t sum = unit.in_levels.step * golden + unit.offset[channel];
  for (int w = edit.weights; w < edit.weights_end; ++w) sum += added(image_, unit, fault.weights[w], y, x);
  const int met = count_met(unit.integer_thresholds.data() + size_t(channel) * steps, steps, sum);
  image_.put(unit.behind, y, x, channel, unit.out_levels.base + unit.out_levels.step * met);
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
  else begin(u, area), list_differences(unit, area);
  list_strays(unit, area);
  add_differences(unit, area);
  add_words(fault, unit, area);
  decide(fault, unit, area);
}

// Whether sums are to be counted anew, and not what changes of them.
bool EditedChannels::counts(const Unit& unit, const Rect& area, int changes) const {
  if (!unit.reads_planes() || changes == 0) return false;
  return count_cost(unit, wanted_.size(), area.pixels()) < difference_cost(unit, wanted_.size(), changes);
}

}  // namespace fat
