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

#include "changed_columns.hpp"
#include "column_tables.hpp"
#include "dense.hpp"
#include "image.hpp"
#include "one_channel.hpp"
#include "plain.hpp"

namespace fat {

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
  using Streams = std::vector<StreamChange>;

  // simulator.cpp: the course of a fault
  int propagate(int u, Rect changed);
  Rect advance(int u, const Rect& changed, const Streams& changes, size_t& next);
  void recompute(int u, const Rect& area, Target to);
  Rect recompute_whole(int u);
  void copy_front(int u, const Rect& area, Target to);
  int stuck_channels(const Fault& fault);
  int changed_channel(const Fault& fault);

  // streams.cpp: held activations, anywhere and as many as there are
  int held_streams(const Streams& changes);
  Rect hold_input(const Streams& changes, size_t& next);
  void hold(const StreamChange& change, const Unit& unit, Target to, const Rect& within) const;
  bool as_held(StreamChange& flip);

  const Model& model_;
  Image image_;
  Dense dense_;
  ChangedColumns changed_;
  ColumnTables tables_;
  OneChannel channel_;
  Plain plain_;
  std::vector<Rect> needed_;     // areas of a unit's stages
  const Fault* held_ = nullptr;  // stuck channels that no stream was written for
};

}  // namespace fat
