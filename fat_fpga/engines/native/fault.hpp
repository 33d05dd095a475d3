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

// A box of activations holds one value.
struct StreamChange {
  int stream = 0, order = 0;  // order: of the changes of a fault, as they take effect
  int channel = 0, channel_end = 0, channel_step = 1;
  Rect area;
  int value = 0;               // the integer held
  std::vector<uint64_t> mask;  // its channels as words

  int channels() const { return (channel_end - channel + channel_step - 1) / channel_step; }
};

// Bits of one activation are others while one image passes.
struct Flip {
  int64_t frame;
  int stream, order;
  int channel, row, column;
  BitChange bits;
};

struct WeightChange {
  int node, channel, input, tap_y, tap_x, delta;  // in the frame's places; delta: new weight minus old
  // Of units in planes, once prepared: its place in the bits of each weight plane, and the planes that differ, one bit
  // each; none where they cannot hold the new weight.
  int32_t place = 0;
  uint32_t planes = 0;
};

struct ThresholdChange {
  int node, channel, index, value;  // integer domain of the network, not of the kernels
};

struct AccumulatorChange {
  int node, channel;
  BitChange bits;
};

// Those changes of a fault, of which each has a list, that are of one channel of a node: first and one behind the last.
struct ChannelEdit {
  int channel;
  int weights, weights_end, thresholds, thresholds_end, accumulators, accumulators_end;
  // Of units in planes, once prepared: whether words alone change, which planes hold, and where their thresholds begin
  // for accumulators of the kernels, ascending.
  bool in_planes = false;
  int index_thresholds = 0;
};

// A bit of a weight plane that differs: the word's place in the plane, and the bit of it.
struct Toggle {
  int32_t place;
  uint8_t plane, bit;
};

// The channels of a node that compute otherwise, ascending.
struct NodeEdit {
  int node;
  int weights = 0;  // changed ones, of all channels
  std::vector<ChannelEdit> channels;
  std::vector<Toggle> toggles;  // once prepared: of the weights that planes hold, ascending
};

// A stream of which whole channels hold an integer.
struct HeldChannels {
  int stream, value;
};

// Everything that is present at once.
struct Fault {
  // How the simulator takes it, decided once by `prepare`.
  enum class Form : uint8_t {
    nothing,   // no change
    channels,  // a few whole channels of a stream in planes held
    held,      // held activations, anywhere
    mixed,     // anything else
  };
  Form form = Form::nothing;
  // Of the form channels, and of the form held where whole channels are: every stream that holds them, one behind the
  // other, of which the last is `streams[0].stream`.
  std::vector<HeldChannels> passed;
  int level = 0;           // of the form channels: the index held
  uint32_t following = 0;  // levels at which the next faults of the list hold the same channels, as bits

  std::vector<StreamChange> streams;  // in the order of their places, those of one place as they take effect
  std::vector<Flip> flips;            // by image, and then likewise
  std::vector<WeightChange> weights;  // these three by node and channel
  std::vector<ThresholdChange> thresholds;
  std::vector<AccumulatorChange> accumulators;
  std::vector<NodeEdit> edits;            // what the three make of each node
  std::vector<int32_t> index_thresholds;  // of its channels

  void prepare(const Model& model);

  // The thresholds of a channel under an edit of it, in the network's integers, in whatever order they stand.
  void edited_thresholds(const ChannelEdit& edit, const int32_t* stored, int count, std::vector<int32_t>& out) const {
    out.assign(stored + size_t(edit.channel) * count, stored + size_t(edit.channel + 1) * count);
    for (int i = edit.thresholds; i < edit.thresholds_end; ++i) out[thresholds[i].index] = thresholds[i].value;
  }

  // The flips of an image.
  std::pair<const Flip*, const Flip*> flips_of(int64_t frame) const {
    const auto before = [](const Flip& flip, int64_t at) { return flip.frame < at; };
    const auto first = std::lower_bound(flips.begin(), flips.end(), frame, before);
    const auto end = std::lower_bound(first, flips.end(), frame + 1, before);
    return {flips.data() + (first - flips.begin()), flips.data() + (end - flips.begin())};
  }

 private:
  void set_edits();
  void set_toggles();
  void set_index_thresholds(const Model& model);
};

// Whether two faults hold the same channels at levels of their stream.
bool same_channels(const Fault& a, const Fault& b);

}  // namespace fat
