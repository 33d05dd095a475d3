// One image through the network: fault-free once, then under one fault after another.
//
// The fault-free run keeps every accumulator and every activation of the image. A fault starts where it
// acts and moves forward as a rectangle of changed activations: the unit right behind a stuck channel adds
// sums of that channel's weight columns (looked up by which taps changed), later units add the columns of
// the activations that changed, or recompute by popcount where so many changed that this is cheaper. Where
// nothing is left changed, the answer is the fault-free one.
#pragma once

#include <cstdint>
#include <vector>

#include "fault.hpp"
#include "model.hpp"

namespace fat {

constexpr int kFill = 7;  // void columns at the end of a list, so that it can be read eight at a time

class Simulator {
 public:
  explicit Simulator(const Model& model);

  // Fault-free run of an image, uint8 [channels][height][width]; the predicted class.
  int golden(const uint8_t* image);

  // Predicted class of that image, number `frame` of the data set, under a fault.
  int faulty(const Fault& fault, int64_t frame);

  // The stream behind a unit and its pools, [channels][height][width], or the class scores of the last unit, as the
  // latest run left it; in the integers of the network.
  void stream(int unit, int32_t* out) const;

 private:
  // What is kept for one unit.
  struct State {
    Aligned<int16_t> acc16;     // fault-free accumulators [pixel][padded outputs]
    Aligned<int32_t> acc32;     // the same, if the unit is wide
    Aligned<int8_t> margins;        // acc16 less thresholds, within a byte [pixel][plane][padded outputs]; see `margins`
    Aligned<uint64_t> sliced;       // the same in bit-planes; see bit_columns.cpp
    bool has_margins = false, has_sliced = false;  // of the present image
    std::vector<uint64_t> front;    // fault-free planes in front of the pools; not used where there are none
    std::vector<uint64_t> golden;   // fault-free output behind the pools, in its frame
    std::vector<uint64_t> faulty;   // the same under the present fault
    Rect dirty;                     // of the output: `faulty` equals `golden` outside of it
    std::vector<uint64_t> scratch;  // planes in front of the pools, and between them
    std::vector<int32_t> integers;  // the output [pixel][channel] of the plain path
  };

  // Planes of a unit's pixels, at some stage between its thresholds and the end of its pools.
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
    std::vector<uint16_t> entries16;  // where columns are bits, and their offsets short
    int count = 0;
  };

  // Where a row of pixels looks up sums of columns: the patterns of its taps, and their table.
  struct Lookup {
    const uint8_t* patterns;
    const int8_t* table;
  };

  // Which channels in front of which unit the tables are for.
  struct Tabled {
    int unit = -1, channel = 0, channels = 0, step = 0;
    int group = 1;  // channels that share a table
    int twin_level = -1;  // at which twin_ has the unit's planes
    bool operator==(const Tabled& other) const {
      return unit == other.unit && channel == other.channel && channels == other.channels && step == other.step;
    }
  };

  using Streams = std::vector<StreamChange>;

  // simulator.cpp: the course of a fault, and what all units share
  int propagate(int u, Rect changed);
  int classify(const Unit& unit);
  int best_score() const;
  Target golden_front(int u);
  Target stage_target(int u, int stage);
  void settle(int u, const Rect& area);
  void pool_whole(int u);
  void pool_stage(int u, int stage, Target from, Target to, const Rect& area) const;

  // streams.cpp: held activations, anywhere and as many as there are
  int held_streams(const Streams& changes);
  Rect hold_input(const Streams& changes, size_t& next);
  Rect advance(int u, const Rect& changed, const Streams& changes, size_t& next);
  Rect update(int u, const Rect& area);
  void recompute(int u, const Rect& area, Target to);
  void copy_front(int u, const Rect& area, Target to);
  void hold(const StreamChange& change, const Unit& unit, Target to, const Rect& within) const;
  bool as_held(StreamChange& flip);

  // arithmetic.cpp: one channel computed with other weights, thresholds or accumulator bits
  int changed_channel(const Fault& fault);
  Rect write_channel(int u, int channel);
  int64_t changed_accumulator(const Fault& fault, int u, int channel, int y, int x) const;
  int input_integer(int u, int channel, int y, int x) const;

  // plain.cpp: any fault, whole layers in plain integers
  int plain(const Fault& fault, int64_t frame);
  std::vector<int32_t> plain_unit(int u, const std::vector<int32_t>& in, const Fault& fault, int64_t frame);
  std::vector<int32_t> integers_of(int u) const;

  // dense.cpp: whole units from scratch
  void quantise(const uint8_t* image);
  void first_unit(const Rect& area, Target to, bool keep);
  template <class Acc> void first_pixels(const Rect& area, Target to, bool keep);
  void dense_unit(int u, const uint64_t* in, const Rect& area, Target to, bool keep);
  void dense_pixel(const Unit& unit, const uint64_t* in, int y, int x);
  void write_planes(const Unit& unit, uint64_t* planes) const;

  // column.cpp: stuck channels of one unit, and the unit right behind it
  int stuck_channels(const Fault& fault);
  void gather_rows(int u, int channel, int k);
  bool channel_changes(const Fault& fault);
  bool fits_tables(const Unit& unit) const;
  template <class Entry> void list_channel(int u, int channel, int level, Entry* entries);
  void build_tables(const Fault& fault);
  void make_patterns(const Fault& fault);

  // lookups.cpp: that unit's outputs from the tables
  void add_tables(const Fault& fault);
  const int8_t* margins(int u);
  void take_twin(int u);
  template <class Sink> void each_lookup(const Fault& fault, int lookups, Sink sink);
  template <int Fixed> void margin_pixels(const Fault& fault, int lookups);
  template <class Acc> void table_pixels(const Fault& fault, int lookups);

  // sparse.cpp: a unit behind any set of changes
  void find_changes(int u, const Rect& changed, const Rect& outputs);
  template <class Entry> void find_changes(int u, const Rect& changed, const Rect& outputs, Entry* entries);
  bool choose_sparse(const Unit& unit, const Rect& outputs) const;
  void sparse_unit(int u, const Rect& area, Target to);
  template <class Acc> void sparse_pixels(int u, const Rect& area, Target to);
  template <class Entry> Entry* list_columns(const Unit& unit, int y, int x, const Entry* entries, Entry* list);
  template <class Acc, int Group>
  int sparse_blocks(int u, int pixel, const int32_t* list, int count, int block, uint64_t* planes);

  // bit_columns.cpp: the same where all weights are +1 or -1
  void slice(int u);
  struct Listed {  // columns of a pixel, and of the one beside it
    const uint16_t *first, *second;
    int size;          // of both lists, filled up
    int count, other;  // before that
  };
  void bit_row(int u, int y, const Rect& area, Target golden, Target to);
  void bit_pair(int u, int pixel, bool both, const Listed& listed, uint64_t* out);
  void bit_pixel(int u, int pixel, const Listed& listed, uint64_t* out);
  void bit_sums(int u, int pixel, const Listed& listed, uint64_t* out);

  template <class Acc> Acc* accumulators(int u, int pixel);

  // Where a unit's output under the present fault is: the fault did not come this far, or it is in planes or integers.
  enum class Shown : uint8_t { golden, faulty, plain };

  const Model& model_;
  std::vector<State> states_;
  std::vector<Shown> shown_;
  Changes changes_;
  std::vector<int32_t> columns_;    // offsets of the weight columns that a row of pixels adds, pixel by pixel
  std::vector<uint16_t> columns16_;  // the same where columns are bits, of two pixels side by side in halves
  std::vector<int32_t> counts_;     // how many for each pixel
  int usual_ = 1;                   // vectors of 16 that a row of taps usually adds
  std::vector<int32_t> sizes_;      // the same, filled up
  std::vector<int32_t> pixels_;     // quantised image in its frame [row][column][channel]
  Aligned<int32_t> sums_;       // accumulators of one pixel [padded outputs]
  std::vector<int64_t> scores_;     // of the latest run that reached the last unit, in the network's integers
  std::vector<uint64_t> window_;    // activations of one window [plane][tap][word]
  std::vector<uint8_t> rows_;       // which places of stuck channels changed: bitmap [channel][plane][row of the frame]
  std::vector<uint8_t> golden_rows_;  // of those channels, fault-free: bitmap [channel][plane][row]
  std::vector<uint8_t> inside_;       // which columns of the frame are no padding: bitmap
  size_t row_bytes_ = 0;              // of a row of these, a multiple of 8
  Aligned<int8_t> tables_;          // sums of columns [group][tap row][subset of taps][padded outputs]
  std::vector<int8_t> all_raised_;  // sum of all columns in them [padded outputs]
  Tabled tabled_;
  std::vector<uint64_t> twin_;      // planes of the unit behind, under the channels stuck at the other level
  std::vector<uint8_t> patterns_;     // subsets of taps that changed [group][plane][row of the frame][output column]
  std::vector<Lookup> lookups_;     // of one row of pixels
  std::vector<Rect> needed_;        // areas of a unit's stages
  std::vector<uint8_t> levels_[2];  // one channel's level indices [pixel], in front of and behind a pool
  std::vector<int64_t> golden_scores_;
  int golden_class_ = 0;
  const Fault* held_ = nullptr;  // stuck channels that no stream was written for
};

template <>
inline int16_t* Simulator::accumulators<int16_t>(int u, int pixel) {
  return states_[u].acc16.data() + size_t(pixel) * model_.units[u].padded();
}

template <>
inline int32_t* Simulator::accumulators<int32_t>(int u, int pixel) {
  return states_[u].acc32.data() + size_t(pixel) * model_.units[u].padded();
}

template <class Acc>
const Acc* thresholds(const Unit& unit);

template <>
inline const int16_t* thresholds<int16_t>(const Unit& unit) { return unit.thresholds16.data(); }

template <>
inline const int32_t* thresholds<int32_t>(const Unit& unit) { return unit.thresholds.data(); }

}  // namespace fat
