// One image through the network: fault-free once, then under one fault after another.
//
// The fault-free run keeps every accumulator and every activation of the image. A fault starts where it
// acts and moves forward as a set of changed activations: the unit right behind a stuck channel adds
// sums of that channel's weight columns (looked up by which taps changed), later units add the columns of
// the activations that changed, or recompute by popcount where so many changed that this is cheaper. Where
// nothing is left changed, the answer is the fault-free one.
#pragma once

#include <cstdint>
#include <vector>

#include "model.hpp"

namespace fat {

class Simulator {
 public:
  explicit Simulator(const Model& model);

  // Fault-free run of an image, uint8 [channels][height][width]; the predicted class.
  int golden(const uint8_t* image);

  // Predicted class of that image with a channel of a unit stuck at a level index.
  int stuck_channel(int unit, int channel, int level);

 private:
  // What is kept for one unit.
  struct State {
    std::vector<int16_t> acc16;     // fault-free accumulators [pixel][padded outputs]
    std::vector<int32_t> acc32;     // the same, if the unit is wide
    std::vector<uint64_t> golden;   // fault-free output behind the pools, in its frame
    std::vector<uint64_t> faulty;   // the same under the present fault
    std::vector<uint64_t> scratch;  // planes in front of the pools, and between them
  };

  // Where a unit writes its planes, in front of any pooling.
  struct Target {
    uint64_t* first;
    size_t pitch;  // words from one row to the next
  };

  // Changed activations in front of a unit, by pixel of the frame. An entry is the offset, within a row of
  // taps, of the weight column to add: (column of the frame * inputs + input) * column stride, and one
  // half of the stride more where the activation was lowered.
  struct Changes {
    std::vector<int32_t> start;  // of each pixel's entries, and one more
    std::vector<int32_t> entries;
    int count = 0;
  };

  // Where a pixel looks up a sum of columns: the row of rows_ that its taps see, and their table.
  struct Lookup {
    const uint8_t* row;
    const int8_t* table;
  };

  // simulator.cpp: the course of a fault, and what all units share
  int propagate(int u);
  int classify(const Unit& unit) const;
  Target target(int u, uint64_t* out);
  void pool(int u, uint64_t* out);

  // dense.cpp: whole units from scratch
  void first_unit(const uint8_t* image);
  template <class Acc> void first_pixels();
  void dense_unit(int u, const uint64_t* in, bool keep, uint64_t* out);
  void dense_pixel(const Unit& unit, const uint64_t* in, int y, int x);
  void write_planes(const Unit& unit, uint64_t* planes) const;

  // column.cpp: one stuck channel and the unit right behind it
  bool channel_changes(int u, int channel, int level);
  bool fits_tables(const Unit& unit) const;
  void build_tables(int u, int channel);
  void one_column(int u, int level);
  template <class Acc, int Fixed> void column_pixels(int u, int level);
  void spread_channel(int u, int channel, int level);

  // sparse.cpp: a unit behind any set of changes
  void find_changes(int u);
  bool choose_sparse(const Unit& unit) const;
  void sparse_unit(int u);
  template <class Acc> void sparse_pixels(int u);
  template <class Acc, int Group> int sparse_blocks(int u, int y, int x, int block, uint64_t* planes);

  template <class Acc> const Acc* accumulators(int u, int pixel) const;

  const Model& model_;
  std::vector<State> states_;
  Changes changes_;
  std::vector<int32_t> pixels_;    // quantised image in its frame [row][column][channel]
  std::vector<int32_t> sums_;      // accumulators of one pixel [padded outputs]
  std::vector<uint64_t> window_;   // activations of one window [plane][tap][word]
  std::vector<uint8_t> rows_;      // which places of one channel changed: bitmap [plane][row of the frame]
  size_t row_bytes_ = 0;
  std::vector<int8_t> tables_;     // sums of one channel's columns [tap row][subset of taps][padded outputs]
  int table_unit_ = -1, table_channel_ = -1;
  std::vector<Lookup> lookups_;    // of one row of pixels
  int golden_class_ = 0;
};

template <>
inline const int16_t* Simulator::accumulators<int16_t>(int u, int pixel) const {
  return states_[u].acc16.data() + size_t(pixel) * model_.units[u].padded();
}

template <>
inline const int32_t* Simulator::accumulators<int32_t>(int u, int pixel) const {
  return states_[u].acc32.data() + size_t(pixel) * model_.units[u].padded();
}

template <class Acc>
const Acc* thresholds(const Unit& unit);

template <>
inline const int16_t* thresholds<int16_t>(const Unit& unit) { return unit.thresholds16.data(); }

template <>
inline const int32_t* thresholds<int32_t>(const Unit& unit) { return unit.thresholds.data(); }

}  // namespace fat
