#include "channel_course.hpp"

#include <algorithm>

namespace fat {

void ChannelCourse::forget() {
  for (Golden& kept : golden_) kept.channel = -1;
  latest_stream_ = -1;
}

bool ChannelCourse::fit(int stream) const {
  const Stream& from = model_.streams[stream];
  if (from.readers.size() != 1) return false;
  const Node& node = model_.nodes[from.readers[0]];
  if (node.kind == Kind::unit) return false;
  return std::count(node.inputs.begin(), node.inputs.end(), stream) == 1;
}

ChannelCourse::End ChannelCourse::follow(const StreamChange& held, bool every) {
  stream_ = held.stream, channel_ = held.channel;
  integers_.assign(size_t(model_.streams[stream_].height) * model_.streams[stream_].width, held.value);
  while (fit(stream_)) {
    if (every) write(stream_);
    const Node& node = model_.nodes[model_.streams[stream_].readers[0]];
    step(node, stream_);
    stream_ = node.out;
  }
  const bool repeats = !every && stream_ == latest_stream_ && channel_ == latest_channel_ && integers_ == latest_;
  latest_stream_ = stream_, latest_channel_ = channel_, latest_ = integers_;
  const bool constant = !every && std::all_of(integers_.begin(), integers_.end(),
                                              [this](int32_t integer) { return integer == integers_[0]; });
  return {stream_, channel_, repeats, constant, integers_[0]};
}

// From the channel in front of a node to the one behind it.
void ChannelCourse::step(const Node& node, int stream) {
  const size_t k = size_t(std::find(node.inputs.begin(), node.inputs.end(), stream) - node.inputs.begin());
  const int count = int(integers_.size());
  switch (node.kind) {
    case Kind::add: {
      const std::vector<int32_t>& other = golden(node.inputs[1 - k], channel_);
      const int factor = node.factors[k], others = node.factors[1 - k];
      for (int p = 0; p < count; ++p) integers_[p] = factor * integers_[p] + others * other[p];
      return;
    }
    case Kind::concat:
      channel_ += node.first_channels[k];
      for (int p = 0; p < count; ++p) integers_[p] *= node.factors[k];
      return;
    case Kind::thresholding: {
      next_.resize(count);
      const int32_t* thresholds = node.thresholds.data() + size_t(channel_) * node.steps;
      constexpr int kSome = 64;  // that stay in registers
      for (int first = 0; first < count; first += kSome) {
        const int some = std::min(kSome, count - first);
        int32_t integers[kSome] = {}, met[kSome] = {};
        std::copy_n(integers_.data() + first, some, integers);
        for (int t = 0; t < node.steps; ++t) {
          for (int p = 0; p < kSome; ++p) met[p] += integers[p] >= thresholds[t];
        }
        for (int p = 0; p < some; ++p) next_[first + p] = node.levels.base + node.levels.step * met[p];
      }
      break;
    }
    default:
      windows(node, model_.streams[stream]);
  }
  integers_.swap(next_);
}

void ChannelCourse::windows(const Node& node, const Stream& in) {
  next_.clear();
  const auto get = [&](int, int y, int x, int) { return integers_[size_t(y) * in.width + x]; };
  for (int y = 0; y < node.windows.height; ++y) {
    for (int x = 0; x < node.windows.width; ++x) next_.push_back(node.at(y, x, channel_, get));
  }
}

const std::vector<int32_t>& ChannelCourse::golden(int stream, int channel) {
  Golden& kept = golden_[stream];
  if (kept.channel == channel) return kept.integers;
  kept.channel = channel;
  image_.golden_channel(stream, channel, kept.integers);
  return kept.integers;
}

int ChannelCourse::changes() {
  const std::vector<int32_t>& before = golden(stream_, channel_);
  int count = 0;
  for (size_t p = 0; p < before.size(); ++p) count += before[p] != integers_[p];
  return count;
}

// Where the channel differs from the fault-free one.
void ChannelCourse::write(int stream) {
  const std::vector<int32_t>& before = golden(stream, channel_);
  const int width = model_.streams[stream].width, count = int(before.size());
  image_.settle(stream, {});
  for (int p = 0; p < count; ++p) {
    if (before[p] != integers_[p]) image_.put(stream, p / width, p % width, channel_, integers_[p]);
  }
}

}  // namespace fat
