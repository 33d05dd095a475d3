#include "fault.hpp"

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

}  // namespace

void Fault::prepare(const Model& model) {
  const auto place = [this](const auto& changes) {
    if (!changes.empty()) node = changes[0].node, channel = changes[0].channel;
  };
  place(weights), place(thresholds), place(accumulators);
  const auto elsewhere = [this](const auto& changes) {
    return std::any_of(changes.begin(), changes.end(),
                       [this](const auto& change) { return change.node != node || change.channel != channel; });
  };
  const bool flips = std::any_of(streams.begin(), streams.end(), [](const auto& change) { return change.flips(); });
  if (!weights.empty() || !thresholds.empty() || !accumulators.empty()) {
    const bool several = elsewhere(weights) || elsewhere(thresholds) || elsewhere(accumulators);
    form = several || !streams.empty() ? Form::mixed : Form::arithmetic;
  } else if (flips) {
    form = streams.size() == 1 ? Form::upset : Form::mixed;
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

bool are_twins(const Fault& a, const Fault& b, const Model& model) {
  if (a.form != Fault::Form::channels || b.form != Fault::Form::channels) return false;
  const StreamChange &first = a.streams[0], &second = b.streams[0];
  return model.streams[first.stream].planes == 1 && a.level != b.level && first.stream == second.stream &&
         first.channel == second.channel && first.channel_end == second.channel_end &&
         first.channel_step == second.channel_step;
}

}  // namespace fat
