// A unit behind changed activations, read as integers: for each that changed its weight column, times what it changed
// by, is added to the fault-free accumulators.
#pragma once

#include "image.hpp"

namespace fat {

class ChangedIntegers : Part {
 public:
  explicit ChangedIntegers(Image& image);

  // Lists what differs in front of unit u, within a changed area of the stream; how many.
  int find(int u, const Rect& changed);

  // An area of the unit into its planes, or, for the last unit, into the image's sums.
  void unit(int u, const Rect& area, Target to);

 private:
  struct Entry {
    int32_t column;  // offset within a row of taps: (column of the frame * inputs + input) * column stride
    int32_t by;
  };

  template <class Acc>
  void pixels(int u, const Rect& area, Target to);

  std::vector<int32_t> start_;  // of each frame place's entries, and one more
  std::vector<Entry> entries_;
};

}  // namespace fat
