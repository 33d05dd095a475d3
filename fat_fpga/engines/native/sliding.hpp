// A unit of weights of -1, 0 and +1 behind any set of changed activations, where the windows of neighbouring pixels fit
// in a vector of bits side by side: what a changed activation adds to all of them is one vector, or with zeros two.
#pragma once

#include "image.hpp"

namespace fat {

class Sliding : Part {
 public:
  explicit Sliding(Image& image);

  // A new image: what was derived from the last one is void.
  void forget();

  // Whether unit u can be followed in this way.
  bool fit(int u) const { return !columns_[u].empty(); }

  // What it costs behind so many changes, in the unit of kDenseCost.
  double cost(int u, int changes, const Rect& outputs) const;

  // Lists what differs in front of unit u, in an area of what is seen of the frame; how many.
  int list(int u, const Rect& seen, const Rect& area);

  // An area of the unit that is listed, into planes; false where more has changed in front of a pixel than is counted
  // here, and then nothing is written.
  bool unit(int u, const Rect& area, Target to);

 private:
  // Margins of the fault-free accumulators of a unit in bit-planes [row][pair of pixels][plane of the output][slice]
  // [pixel][block]; the first slice is of weights without zeros alone.
  struct Sliced {
    Aligned<uint64_t> planes;
    bool valid = false;  // of the present image
  };

  void set_columns(int u);
  int row(const Unit& unit) const { return unit.inputs * 2 * vector(unit); }
  static int vector(const Unit& unit);
  int count(const Unit& unit, const Rect& area);
  template <int Planes>
  const uint64_t* slices(int u);
  template <int Planes, bool Zeros>
  void rows(int u, const Rect& area, Target to);

  std::vector<Aligned<uint64_t>> columns_;  // of each unit: [kernel row][input][as is, negated][vector][place in it]
  std::vector<uint16_t> entries_;           // what is listed, two columns of the frame at a time: offsets of columns
  int pitch_ = 0;                           // from one row to the next in these:
  std::vector<uint16_t> start_;             // of the entries of each row of two columns, and a row more
  std::vector<uint16_t> places_;            // how many changes are in each place of the frame
  std::vector<uint16_t> numbers_;           // the same in the window of each pixel of an area
  std::vector<uint16_t> most_;              // the most of a row of numbers_
  std::vector<int32_t> bases_;              // of entries, for each word of two places
  std::vector<Sliced> few_, many_;          // of each unit
};

}  // namespace fat
