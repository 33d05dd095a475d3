// What a fault changes, in the terms of the kernels; see fat_fpga/faults/changes.py for the meaning.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "model.hpp"

namespace fat {

constexpr int kMostTabled = 8;  // channels of a stream that are followed by tables
constexpr int kImage = 0;       // the stream of the image

// Bits of a register: word = (integer - offset) / step becomes (word & keep | put) ^ invert.
struct BitChange {
  int64_t keep = -1, put = 0, invert = 0;
  int64_t offset = 0, step = 1;

  int64_t apply(int64_t integer) const { return offset + step * ((((integer - offset) / step & keep) | put) ^ invert); }
};

// A box of activations holds one value, or one activation has a bit inverted while one image passes.
struct StreamChange {
  int stream = 0;
  int channel = 0, channel_end = 0, channel_step = 1;
  Rect area;
  int value = 0;               // the integer held
  std::vector<uint64_t> mask;  // its channels as words
  int64_t frame = -1;          // >= 0: `bits` of one activation, in this image only
  BitChange bits;

  bool flips() const { return frame >= 0; }
  int channels() const { return (channel_end - channel + channel_step - 1) / channel_step; }
};

struct WeightChange {
  int node, channel, input, tap_y, tap_x, delta;  // in the frame's places; delta: new weight minus old
};

struct ThresholdChange {
  int node, channel, index, value;  // integer domain of the network, not of the kernels
};

struct AccumulatorChange {
  int node, channel;
  BitChange bits;
};

// A stream of which whole channels hold an integer.
struct HeldChannels {
  int stream, value;
};

// Everything that is present at once.
struct Fault {
  // How the simulator takes it, decided once by `prepare`.
  enum class Form : uint8_t {
    nothing,     // no change
    channels,    // a few whole channels of a stream in planes held
    held,        // held activations, anywhere
    upset,       // one flipped activation
    arithmetic,  // one channel of one node computes otherwise
    mixed,       // anything else
  };
  Form form = Form::nothing;
  int node = 0, channel = 0;  // of the form arithmetic
  // Of the form channels, and of the form held where whole channels are: every stream that holds them, one behind the
  // other, of which the last is `streams[0].stream`.
  std::vector<HeldChannels> passed;
  int level = 0;              // of the form channels: the index held
  bool twin_follows = false;  // the next fault of the list holds the same channels at the other of two levels

  std::vector<StreamChange> streams;  // in the order of their places, those of one place as they take effect
  std::vector<WeightChange> weights;
  std::vector<ThresholdChange> thresholds;
  std::vector<AccumulatorChange> accumulators;

  void prepare(const Model& model);

  // Whether an image can meet it.
  bool acts_on(int64_t frame) const {
    if (form != Form::upset && form != Form::mixed) return form != Form::nothing;
    if (!weights.empty() || !thresholds.empty() || !accumulators.empty()) return true;
    return std::any_of(streams.begin(), streams.end(),
                       [frame](const auto& change) { return !change.flips() || change.frame == frame; });
  }

  // The earliest node that is to be computed anew; a change of the image comes before all of them.
  int first_node() const {
    int first = INT32_MAX;
    for (const auto& change : streams) first = std::min(first, std::max(0, change.stream - 1));
    for (const auto& change : weights) first = std::min(first, change.node);
    for (const auto& change : thresholds) first = std::min(first, change.node);
    for (const auto& change : accumulators) first = std::min(first, change.node);
    return first;
  }
};

// Whether two faults hold the same channels at the two levels of their stream.
bool are_twins(const Fault& a, const Fault& b, const Model& model);

}  // namespace fat
