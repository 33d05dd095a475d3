// A list of faults, filled call by call.
#pragma once

#include <algorithm>
#include <array>
#include <tuple>
#include <vector>

#include "fault.hpp"
#include "model.hpp"

namespace fat {

struct FaultList {
  using Masks = std::tuple<int64_t, int64_t, int64_t>;
  using Scale = std::tuple<int64_t, int64_t>;
  using Span = std::tuple<int, int>;
  using Place = std::tuple<int, int, int>;

  std::vector<Fault> faults;

  // To be called once all are in.
  void prepare(const Model& model) {
    for (Fault& fault : faults) fault.prepare(model);
    for (size_t i = faults.size(); i-- > 1;) {
      if (!same_channels(faults[i - 1], faults[i])) continue;
      faults[i - 1].following = faults[i].following | uint32_t(1) << faults[i].level;
    }
  }

  // Starts the next fault; the calls that follow add to it.
  void begin() { faults.emplace_back(), order_ = 0; }

  void hold(int stream, std::tuple<int, int, int> channels, Span rows, Span columns, int value) {
    StreamChange change;
    change.stream = stream;
    std::tie(change.channel, change.channel_end, change.channel_step) = channels;
    std::tie(change.area.y0, change.area.y1) = rows;
    std::tie(change.area.x0, change.area.x1) = columns;
    change.value = value;
    change.order = order_++;
    add(std::move(change));
  }

  void flip(int stream, Place index, int64_t frame, Masks masks, Scale scale) {
    const auto [channel, row, column] = index;
    faults.back().flips.push_back({frame, stream, order_++, channel, row, column, bits(masks, scale)});
  }

  void weight(int node, std::tuple<int, int, int, int> index, int delta) {
    const auto [channel, input, y, x] = index;
    faults.back().weights.push_back({node, channel, input, y, x, delta});
  }

  // Many at once; arrays [count][...].
  void weights_of(int node, const int32_t* indices, const int32_t* deltas, size_t count) {
    for (size_t i = 0; i < count; ++i, indices += 4) {
      faults.back().weights.push_back({node, indices[0], indices[1], indices[2], indices[3], deltas[i]});
    }
  }

  void thresholds_of(int node, const int32_t* indices, const int32_t* values, size_t count) {
    for (size_t i = 0; i < count; ++i, indices += 2) threshold(node, indices[0], indices[1], values[i]);
  }

  void accumulators_of(int node, const int32_t* channels, const int64_t* masks, Scale scale, size_t count) {
    for (size_t i = 0; i < count; ++i, masks += 3) {
      accumulator(node, channels[i], {masks[0], masks[1], masks[2]}, scale);
    }
  }

  void flips_of(int stream, const int64_t* frames, const int32_t* indices, const int64_t* masks, Scale scale,
                size_t count) {
    for (size_t i = 0; i < count; ++i, indices += 3, masks += 3) {
      flip(stream, {indices[0], indices[1], indices[2]}, frames[i], {masks[0], masks[1], masks[2]}, scale);
    }
  }

  void threshold(int node, int channel, int index, int value) {
    faults.back().thresholds.push_back({node, channel, index, value});
  }

  void accumulator(int node, int channel, Masks masks, Scale scale) {
    faults.back().accumulators.push_back({node, channel, bits(masks, scale)});
  }

 private:
  int order_ = 0;  // of changes of streams

  static BitChange bits(const Masks& masks, const Scale& scale) {
    return {std::get<0>(masks), std::get<1>(masks), std::get<2>(masks), std::get<0>(scale), std::get<1>(scale)};
  }

  // Keeps the order of places, and in a place the order of the calls.
  void add(StreamChange change) {
    change.mask.assign(blocks_of(std::max(change.channel_end, 1)), 0);
    for (int c = change.channel; c < change.channel_end; c += change.channel_step) {
      change.mask[c / kBlock] |= uint64_t(1) << (c % kBlock);
    }
    auto& streams = faults.back().streams;
    const auto before = [](const StreamChange& a, const StreamChange& b) { return a.stream < b.stream; };
    streams.insert(std::upper_bound(streams.begin(), streams.end(), change, before), std::move(change));
  }
};

}  // namespace fat
