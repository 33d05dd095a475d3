#include "one_channel.hpp"

#include <algorithm>

namespace fat {

void OneChannel::node(const Fault& fault) {
  const Node& node = model_.nodes[fault.node];
  const bool is_unit = node.kind == Kind::unit;
  if (is_unit && model_.units[node.unit].last) {
    image_.raw = image_.golden_raw;
    image_.raw[fault.channel] = accumulator(fault, node, 0, 0);
    image_.classify_raw();
    return;
  }
  const int count = is_unit ? model_.units[node.unit].planes_out() : node.steps;
  const auto& stored = is_unit ? model_.units[node.unit].integer_thresholds : node.thresholds;
  thresholds_.assign(stored.begin() + size_t(fault.channel) * count,
                     stored.begin() + size_t(fault.channel + 1) * count);
  for (const auto& change : fault.thresholds) thresholds_[change.index] = change.value;
  activate(fault, node, thresholds_.data(), count, is_unit ? model_.units[node.unit].out_levels : node.levels);
}

void OneChannel::activate(const Fault& fault, const Node& node, const int32_t* thresholds, int count, Levels levels) {
  const Stream& out = model_.streams[node.out];
  image_.settle(node.out, {});
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      const int64_t sum = accumulator(fault, node, y, x);
      int met = 0;
      for (int t = 0; t < count; ++t) met += sum >= thresholds[t];  // in whatever order they stand
      const int32_t integer = levels.base + levels.step * met;
      if (integer != image_.golden_integer(node.out, y, x, fault.channel)) {
        image_.put(node.out, y, x, fault.channel, integer);
      }
    }
  }
}

// What the thresholds see at one pixel of the channel, in the network's integers.
int64_t OneChannel::accumulator(const Fault& fault, const Node& node, int y, int x) const {
  if (node.kind != Kind::unit) return image_.golden_integer(node.inputs[0], y, x, fault.channel);
  const Unit& unit = model_.units[node.unit];
  const size_t at = size_t(y * unit.width + x) * unit.padded() + fault.channel;
  const int64_t sum = unit.wide ? image_.units[node.unit].acc32[at] : image_.units[node.unit].acc16[at];
  int64_t accumulator = unit.in_levels.step * sum + unit.offset[fault.channel];
  for (const auto& change : fault.weights) {
    const int row = y * unit.stride_y + change.tap_y - unit.pad_y,
              column = x * unit.stride_x + change.tap_x - unit.pad_x;
    if (row < 0 || column < 0 || row >= unit.in.height || column >= unit.in.width) continue;  // padding is 0
    accumulator += int64_t(change.delta) * image_.golden_integer(unit.source, row, column, change.input);
  }
  for (const auto& change : fault.accumulators) accumulator = change.bits.apply(accumulator);
  return accumulator;
}

}  // namespace fat
