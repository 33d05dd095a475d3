// One image in the network: its fault-free streams, and those under the present fault. Every part of the simulator
// works on it; what a part needs besides, it keeps itself.
#pragma once

#include <cstdint>
#include <vector>

#include "fault.hpp"
#include "model.hpp"

namespace fat {

// Planes of a unit's pixels, at some stage between its thresholds and the end of its pools.
struct Target {
  uint64_t* first;
  size_t pitch;  // words from one row to the next
};

// Where a unit's output under the present fault is: the fault did not come this far, or it is in planes or integers.
enum class Shown : uint8_t { golden, faulty, plain };

struct Image {
  // What is kept for one unit.
  struct State {
    Aligned<int16_t> acc16;         // fault-free accumulators [pixel][padded outputs]
    Aligned<int32_t> acc32;         // the same, if the unit is wide
    std::vector<uint64_t> front;    // fault-free planes in front of the pools; not used where there are none
    std::vector<uint64_t> golden;   // fault-free output behind the pools, in its frame
    std::vector<uint64_t> faulty;   // the same under the present fault
    Rect dirty;                     // of the output: `faulty` equals `golden` outside of it
    std::vector<uint64_t> scratch;  // planes in front of the pools, and between them
    std::vector<int32_t> integers;  // the output [pixel][channel] of the plain path
  };

  explicit Image(const Model& model);

  const Model& model;
  std::vector<State> states;
  std::vector<Shown> shown;
  std::vector<int32_t> pixels;  // quantised image in its frame [row][column][channel]
  Aligned<int32_t> sums;        // accumulators of one pixel [padded outputs]
  std::vector<int64_t> scores;  // of the latest run that reached the last unit, in the network's integers
  std::vector<int64_t> golden_scores;
  int golden_class = 0;

  void quantise(const uint8_t* image);    // uint8 [channels][height][width], into `pixels`
  int classify();                         // the class from the accumulators in `sums`; keeps the scores
  int best_score() const;                 // the first maximum
  Target golden_front(int u);             // the fault-free planes in front of the pools
  Target stage_target(int u, int stage);  // the planes under a fault, behind `stage` pools
  void settle(int u, const Rect& area);   // the faulty output is about to be written in `area`
  void pool_stage(int u, int stage, Target from, Target to, const Rect& area) const;
  void pool_whole(int u);
  int input_integer(int u, int channel, int y, int x) const;
  std::vector<int32_t> integers_of(int u) const;

  template <class Acc>
  Acc* accumulators(int u, int pixel);
};

template <>
inline int16_t* Image::accumulators<int16_t>(int u, int pixel) {
  return states[u].acc16.data() + size_t(pixel) * model.units[u].padded();
}

template <>
inline int32_t* Image::accumulators<int32_t>(int u, int pixel) {
  return states[u].acc32.data() + size_t(pixel) * model.units[u].padded();
}

template <class Acc>
const Acc* thresholds(const Unit& unit);

template <>
inline const int16_t* thresholds<int16_t>(const Unit& unit) {
  return unit.thresholds16.data();
}

template <>
inline const int32_t* thresholds<int32_t>(const Unit& unit) {
  return unit.thresholds.data();
}

// A part of the simulator: what it works on.
class Part {
 protected:
  explicit Part(Image& image) : image_(image), model_(image.model), states_(image.states) {}

  Image& image_;
  const Model& model_;
  std::vector<Image::State>& states_;
};

}  // namespace fat
