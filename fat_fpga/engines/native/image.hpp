// One image in the program: its fault-free streams, and those under the present fault. Every part of the simulator
// works on it; what a part needs besides, it keeps itself.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "answer.hpp"
#include "fault.hpp"
#include "model.hpp"

namespace fat {

// Planes of a stream's pixels.
struct Target {
  uint64_t* first;
  size_t pitch;  // words from one row to the next
};

// An activation that holds none of the levels of its stream, as a flipped bit can leave it. The stream holds a level in
// its place: what the kernels keep of streams, and how wide their sums are, counts on levels.
struct Stray {
  int y, x, channel;
  int32_t integer;
};

struct Image {
  // What is kept for one stream: planes, or integers where it is wide, in its frame.
  struct State {
    std::vector<uint64_t> golden, faulty;            // fault-free, and under the present fault
    std::vector<int32_t> integers, faulty_integers;  // the same of a wide stream
    Rect dirty;                                      // `faulty` equals `golden` outside of it
    Rect changed;                                    // where the present fault can have changed it; empty: nowhere
    std::vector<Stray> strays;                       // under the present fault, each place once
  };
  // What is kept for one unit.
  struct Sums {
    Aligned<int16_t> acc16;                // fault-free accumulators [pixel][padded outputs]
    Aligned<int32_t> acc32;                // the same, if the unit is wide
    std::vector<uint64_t> front, scratch;  // planes [pixel] without and with a fault, if the stream behind is wide
  };

  explicit Image(const Model& model);

  const Model& model;
  std::vector<State> states;    // by stream
  std::vector<Sums> units;      // by unit
  Aligned<int32_t> sums;        // accumulators of one pixel [padded outputs]
  std::vector<int64_t> raw;     // sums of the last unit in the network's integers, of the latest run that got there
  std::vector<int64_t> scores;  // what becomes of them
  std::vector<int64_t> golden_raw, golden_scores;
  bool reached = false;  // whether the present fault got there
  int label = 0;         // the class that they make
  int golden_class = 0;

  void quantise(const uint8_t* image);  // uint8 [channels][height][width], into the stream of the image
  void classify();                      // scores and class from the accumulators in `sums`
  void classify_raw();                  // the same from `raw`
  Answer answer(bool compares) const;   // what the latest run has come to; without a look at the scores, or with one
  void begin();                         // a new fault: nothing is changed

  Target golden_planes(int stream);
  Target faulty_planes(int stream);
  Target golden_front(int u);  // the planes that a unit makes, without and with a fault
  Target faulty_front(int u);
  void take_front(int u, const Rect& area, bool golden);  // into the stream behind the unit, where it is wide

  void copy_front(int u, const Rect& area, Target to);  // the fault-free planes that a unit makes
  void settle(int stream, const Rect& area);            // the faulty stream is about to be written in `area`, all of it
  void pool_planes(const Node& node, Target from, Target to, const Rect& area) const;
  void put(int stream, int y, int x, int channel, int32_t integer);      // into the faulty stream; marks what differs
  void put_any(int stream, int y, int x, int channel, int64_t integer);  // the same, also of what is no level

  // The one channel in which a stream of planes differs from the fault-free one, and in how many bits; -1 where none
  // does, or several do.
  std::pair<int, int> only_channel(int stream) const;

  int32_t golden_integer(int stream, int y, int x, int channel) const;
  void golden_channel(int stream, int channel, std::vector<int32_t>& integers) const;  // [pixel]
  int32_t integer(int stream, int y, int x, int channel) const;                        // under the present fault
  int32_t held_integer(int stream, int y, int x, int channel) const;  // the same, with levels in the place of strays
  std::vector<int32_t> integers_of(int stream) const;                 // [pixel][channel], under the present fault

  // Whether the faulty stream holds what is not the fault-free one: planes and integers to read.
  const uint64_t* planes(int stream) const {
    const State& state = states[stream];
    return (state.changed.empty() ? state.golden : state.faulty).data();
  }

  template <class Acc>
  Acc* accumulators(int u, int pixel);

 private:
  int first_settled_ = INT32_MAX, end_settled_ = 0;  // streams that were settled under the present fault, and others

  int32_t planes_integer(const Stream& stream, const uint64_t* planes, int y, int x, int channel) const;
};

inline Target Image::golden_planes(int stream) {
  const Stream& out = model.streams[stream];
  return {states[stream].golden.data() + out.offset(0, 0), size_t(out.frame_width()) * out.pixel_words()};
}

inline Target Image::faulty_planes(int stream) {
  const Stream& out = model.streams[stream];
  return {states[stream].faulty.data() + out.offset(0, 0), size_t(out.frame_width()) * out.pixel_words()};
}

inline Target Image::golden_front(int u) {
  const Unit& unit = model.units[u];
  if (unit.last) return {nullptr, 0};
  if (unit.out.wide()) return {units[u].front.data(), size_t(unit.width) * unit.words_out()};
  return golden_planes(unit.behind);
}

inline Target Image::faulty_front(int u) {
  const Unit& unit = model.units[u];
  if (unit.last) return {nullptr, 0};
  if (unit.out.wide()) return {units[u].scratch.data(), size_t(unit.width) * unit.words_out()};
  return faulty_planes(unit.behind);
}

template <>
inline int16_t* Image::accumulators<int16_t>(int u, int pixel) {
  return units[u].acc16.data() + size_t(pixel) * model.units[u].padded();
}

template <>
inline int32_t* Image::accumulators<int32_t>(int u, int pixel) {
  return units[u].acc32.data() + size_t(pixel) * model.units[u].padded();
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
