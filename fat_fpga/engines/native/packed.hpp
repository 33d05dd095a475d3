// Units of few outputs behind changed activations: pixels of a row side by side, as many as fill 64 lanes. What a
// changed activation adds to all of them is one column, so that no lane is empty, and neighbours share what their
// windows share.
#pragma once

#include "image.hpp"

namespace fat {

class Packed : Part {
 public:
  explicit Packed(Image& image);

  // A new image: what was derived from the last one is void.
  void forget();

  // A new fault. Faults of the same key leave much the same behind them: each starts from what the one before left.
  void begin(int64_t key);

  // Takes up what differs in front of unit u, behind a changed area of its stream: the outputs to be written, empty
  // where nothing changes.
  Rect take_up(int u, const Rect& changed);

  // Those outputs, into planes.
  void planes(int u, const Rect& area, Target to);

  // The same as how many thresholds each of them meets, times `by`, in bytes [row][packed pixels][lanes].
  void levels(int u, const Rect& area, int by, int8_t* to);

 private:
  // A unit under the latest fault that reached it, of the present key, or without a fault.
  struct Latest {
    Aligned<int16_t> sums;         // accumulators [row][packed pixels][lanes]
    std::vector<uint64_t> source;  // the stream that they are of
    Rect outputs, frame;           // which of them can differ from the fault-free ones
    int64_t key = 0;
    bool valid = false;  // of the present image
  };

  // What is the same for all places of an area that is taken up.
  struct Course {
    const Unit& unit;
    Rect area;
    int pixels, pitch, kernel, places, limit, wide;  // wide: vectors of a row
    int rows = 0;                                    // of outputs, whose windows have the present row of the frame
    int row[kMostPackedRows] = {};
    const int8_t* columns[kMostPackedRows] = {};  // of the row that it is of their kernel
  };

  static Rect filled(const Unit& unit, const Rect& area);
  Latest& latest(int u);
  void restore(int u, const Rect& outputs);
  int16_t* sums_at(int u, int y, int x);
  int list(const Unit& unit, const uint64_t* before, const uint64_t* after);
  void scatter(int16_t* kept, const Course& course, int right, int group, int count);
  template <int Together>
  void add(int16_t* kept, const Course& course, int first, int group, int column, int count);
  template <class Take>
  void each_group(int u, const Rect& area, Take take);

  int32_t entries_[kBlock * kMostPackedPlanes + 64];  // of one place: 128 * input, and 64 more where it was lowered
  Aligned<int8_t> deltas_;                            // of each vector of an area [64]
  std::vector<int> counts_;                           // how many columns are in each
  std::vector<Latest> latest_;                        // of each unit
  int64_t key_ = 0;
};

}  // namespace fat
