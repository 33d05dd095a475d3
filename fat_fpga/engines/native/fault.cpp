#include "fault.hpp"

#include <tuple>

namespace fat {
namespace {

// What a held channel of a node's input makes of the channel that the node puts out.
int behind(const Node& node, int channel, int value) {
  return node.at(0, 0, channel, [value](int, int, int, int) { return value; });
}

// Whole channels that hold a value hold one behind an operator that works channel by channel, too. Where nothing else
// reads the stream the fault moves there: what it does is the same, and less is left to compute.
void move_on(Fault& fault, const Model& model) {
  StreamChange& change = fault.streams[0];
  fault.passed = {{change.stream, change.value}};
  while (model.streams[change.stream].readers.size() == 1) {
    const Node& node = model.nodes[model.streams[change.stream].readers[0]];
    if (node.kind != Kind::pool && node.kind != Kind::sum && node.kind != Kind::thresholding) return;
    const int value = behind(node, change.channel, change.value);
    for (int c = change.channel; c < change.channel_end; c += change.channel_step) {
      if (behind(node, c, change.value) != value) return;
    }
    change.stream = node.out, change.value = value;
    change.area = model.streams[node.out].whole();
    fault.passed.push_back({change.stream, change.value});
  }
}

// Whether the planes of a unit can hold a weight.
bool holds(const Unit& unit, int weight) {
  if (unit.weight_base != 0) return weight == 1 || weight == -1;
  int held = 0;
  for (size_t j = 0; j < unit.planes.size(); ++j) held += int(unsigned(weight) >> j & 1) * unit.planes[j].scale;
  return held == weight;
}

void place_in_planes(WeightChange& change, const Model& model) {
  const Unit& unit = model.units[model.nodes[change.node].unit];
  if (!unit.reads_planes()) return;
  const size_t tap = size_t(change.tap_y) * unit.kernel_x + change.tap_x;
  const int before = unit.columns[(tap * unit.inputs + change.input) * unit.column_stride() + change.channel];
  const int after = before + change.delta;
  const size_t block = change.channel / kBlock * unit.taps() + tap;
  change.place = int32_t((block * unit.in.words() + change.input / kBlock) * kBlock + size_t(change.channel) % kBlock);
  if (holds(unit, after))
    change.planes = unit.weight_base != 0 ? 1 : unsigned(before ^ after) & ((1u << unit.planes.size()) - 1);
}

}  // namespace

void Fault::prepare(const Model& model) {
  const auto by_image = [](const Flip& a, const Flip& b) {
    return std::tie(a.frame, a.stream, a.order) < std::tie(b.frame, b.stream, b.order);
  };
  std::sort(flips.begin(), flips.end(), by_image);
  for (WeightChange& change : weights) place_in_planes(change, model);
  set_edits(), set_toggles(), set_index_thresholds(model);
  if (!flips.empty() || !edits.empty()) {
    form = Form::mixed;
  } else if (!streams.empty()) {
    form = Form::held;
    StreamChange& change = streams[0];
    if (streams.size() > 1 || change.channels() < 1) return;
    if (!model.streams[change.stream].whole().inside(change.area)) return;
    move_on(*this, model);
    const Stream& stream = model.streams[change.stream];
    if (stream.wide() || change.channels() > kMostTabled) return;
    form = Form::channels;
    level = (change.value - stream.levels.base) / stream.levels.step;
  }
}

// Sorts the changes of words and accumulators, and says which channels of which nodes they are of.
void Fault::set_edits() {
  const auto sort = [](auto& changes) {
    std::stable_sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) {
      return std::tie(a.node, a.channel) < std::tie(b.node, b.channel);
    });
  };
  sort(weights), sort(thresholds), sort(accumulators);
  size_t w = 0, t = 0, a = 0;
  const std::pair<int, int> none{INT32_MAX, 0};
  const auto at = [none](const auto& changes, size_t i) {
    return i < changes.size() ? std::pair<int, int>{changes[i].node, changes[i].channel} : none;
  };
  while (true) {
    const auto next = std::min({at(weights, w), at(thresholds, t), at(accumulators, a)});
    if (next == none) return;
    const ChannelEdit first{next.second, int(w), 0, int(t), 0, int(a), 0, false, 0};
    while (at(weights, w) == next) ++w;
    while (at(thresholds, t) == next) ++t;
    while (at(accumulators, a) == next) ++a;
    if (edits.empty() || edits.back().node != next.first) edits.push_back({next.first, 0, {}, {}});
    edits.back().weights += int(w) - first.weights;
    edits.back().channels.push_back(
        {first.channel, first.weights, int(w), first.thresholds, int(t), first.accumulators, int(a), false, 0});
  }
}

void Fault::set_toggles() {
  for (NodeEdit& edit : edits) {
    const int first = edit.channels.front().weights, end = edit.channels.back().weights_end;
    for (int w = first; w < end; ++w) {
      const auto bit = uint8_t(weights[w].input % kBlock);
      for (uint32_t j = 0; weights[w].planes >> j != 0; ++j) {
        if (weights[w].planes >> j & 1) edit.toggles.push_back({weights[w].place, uint8_t(j), bit});
      }
    }
    std::sort(edit.toggles.begin(), edit.toggles.end(), [](const Toggle& a, const Toggle& b) {
      return std::tie(a.plane, a.place, a.bit) < std::tie(b.plane, b.place, b.bit);
    });
  }
}

// The smallest integer that is not below a quotient, for a positive divisor.
static int64_t ceiled(int64_t integer, int64_t divisor) {
  const int64_t quotient = integer / divisor;
  return quotient * divisor < integer ? quotient + 1 : quotient;
}

void Fault::set_index_thresholds(const Model& model) {
  std::vector<int32_t> found;
  for (NodeEdit& edit : edits) {
    const Node& node = model.nodes[edit.node];
    if (node.kind != Kind::unit || !model.units[node.unit].reads_planes() || model.units[node.unit].last) continue;
    const Unit& unit = model.units[node.unit];
    for (ChannelEdit& channel : edit.channels) {
      int64_t offset = unit.offset[channel.channel];
      channel.in_planes = channel.accumulators == channel.accumulators_end;
      for (int w = channel.weights; w < channel.weights_end; ++w) {
        offset += int64_t(unit.in_levels.base) * weights[w].delta;
        if (weights[w].planes == 0) channel.in_planes = false;
      }
      if (!channel.in_planes) continue;
      channel.index_thresholds = int(index_thresholds.size());
      edited_thresholds(channel, unit.integer_thresholds.data(), unit.planes_out(), found);
      std::sort(found.begin(), found.end());
      for (const int32_t threshold : found) {
        const int64_t least = ceiled(threshold - offset, unit.in_levels.step);
        index_thresholds.push_back(int32_t(std::clamp<int64_t>(least, -(1 << 30), 1 << 30)));
      }
    }
  }
}

bool same_channels(const Fault& a, const Fault& b) {
  if (a.form != Fault::Form::channels || b.form != Fault::Form::channels) return false;
  const StreamChange &first = a.streams[0], &second = b.streams[0];
  return first.stream == second.stream && first.channel == second.channel && first.channel_end == second.channel_end &&
         first.channel_step == second.channel_step;
}

}  // namespace fat
