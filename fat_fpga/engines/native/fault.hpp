// What a fault changes, in the terms of the kernels; see fat_fpga/faults/changes.py for the meaning.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "model.hpp"

namespace fat {

constexpr int kMostTabled = 8;  // channels of a unit that are followed by tables
constexpr int kInput = -1;      // as the unit of a stream change: the integers in front of the first unit

// Bits of a register: word = (integer - offset) / step becomes (word & keep | put) ^ invert.
struct BitChange {
  int64_t keep = -1, put = 0, invert = 0;
  int64_t offset = 0, step = 1;

  int64_t apply(int64_t integer) const { return offset + step * ((((integer - offset) / step & keep) | put) ^ invert); }
};

// A box of activations holds one value, or one activation has a bit inverted while one image passes.
struct StreamChange {
  int unit = 0, stage = 0;  // behind `stage` of the unit's pools
  int channel = 0, channel_end = 0, channel_step = 1;
  Rect area;
  int value = 0;               // the integer held
  int level = 0;               // its level index; not used at the input
  std::vector<uint64_t> mask;  // its channels as words; not used at the input
  int64_t frame = -1;          // >= 0: `bits` of one activation, in this image only
  BitChange bits;

  bool flips() const { return frame >= 0; }
};

struct WeightChange {
  int unit, channel, input, tap_y, tap_x, delta;  // delta: new weight minus old
};

struct ThresholdChange {
  int unit, channel, index, value;  // integer domain of the network, not of the kernels
};

struct AccumulatorChange {
  int unit, channel;
  BitChange bits;
};

// Everything that is present at once.
struct Fault {
  // How the simulator takes it, decided once by `prepare`.
  enum class Form : uint8_t {
    nothing,     // no change
    channels,    // a few channels of a unit held in front of its pools
    held,        // held activations, anywhere
    upset,       // one flipped activation
    arithmetic,  // one channel of one unit computes otherwise
    mixed,       // anything else
  };
  Form form = Form::nothing;
  int unit = 0, channel = 0;  // of the forms channels (the first of them) and arithmetic
  int channels = 1, channel_step = 1, level = 0;
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

  // The earliest unit that something changes at; kInput for the image.
  int first_unit() const {
    int first = INT32_MAX;
    for (const auto& change : streams) first = std::min(first, change.unit);
    for (const auto& change : weights) first = std::min(first, change.unit);
    for (const auto& change : thresholds) first = std::min(first, change.unit);
    for (const auto& change : accumulators) first = std::min(first, change.unit);
    return first;
  }
};

// Whether two faults hold the same channels at the two levels of their unit, and the unit behind reads no padding.
inline bool are_twins(const Fault& a, const Fault& b, const Model& model) {
  if (a.form != Fault::Form::channels || b.form != Fault::Form::channels) return false;
  const Unit& unit = model.units[a.unit];
  return unit.levels == 2 && a.level != b.level && a.unit == b.unit && a.channel == b.channel &&
         a.channels == b.channels && a.channel_step == b.channel_step && unit.out.frame_width() == unit.out.width &&
         unit.out.frame_height() == unit.out.height;
}

inline void Fault::prepare(const Model& model) {
  if (!streams.empty()) {
    const StreamChange& change = streams[0];
    unit = change.unit, channel = change.channel, level = change.level, channel_step = change.channel_step;
    channels = (change.channel_end - change.channel + channel_step - 1) / channel_step;
  }
  const auto place = [this](const auto& changes) {
    if (!changes.empty()) unit = changes[0].unit, channel = changes[0].channel;
  };
  place(weights), place(thresholds), place(accumulators);
  const auto elsewhere = [this](const auto& changes) {
    return std::any_of(changes.begin(), changes.end(),
                       [this](const auto& change) { return change.unit != unit || change.channel != channel; });
  };
  const bool flips = std::any_of(streams.begin(), streams.end(), [](const auto& change) { return change.flips(); });
  if (!weights.empty() || !thresholds.empty() || !accumulators.empty()) {
    const bool several = elsewhere(weights) || elsewhere(thresholds) || elsewhere(accumulators);
    form = several || !streams.empty() ? Form::mixed : Form::arithmetic;
  } else if (flips) {
    form = streams.size() == 1 ? Form::upset : Form::mixed;
  } else if (!streams.empty()) {
    const StreamChange& change = streams[0];
    const bool whole = streams.size() == 1 && unit != kInput && change.stage == 0 && channels >= 1 &&
                       channels <= kMostTabled && model.units[unit].whole().inside(change.area);
    form = whole ? Form::channels : Form::held;
  }
}

}  // namespace fat
