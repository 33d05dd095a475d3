// Whole units from scratch.
#pragma once

#include "image.hpp"

namespace fat {

class Dense : Part {
 public:
  explicit Dense(Image& image);

  // The whole of a unit from the fault-free integers in front of it, into its planes, or, in the last unit, into the
  // image's sums; keeps the accumulators.
  void from_integers(int u, Target to);

  // An area of a unit from planes in front of it; `keep` stores the accumulators.
  void from_planes(int u, const uint64_t* in, const Rect& area, Target to, bool keep);

 private:
  template <class Acc>
  void integer_pixels(int u, Target to);
  void pixel(const Unit& unit, const uint64_t* in, int y, int x);
  void write_planes(const Unit& unit, uint64_t* planes) const;

  std::vector<uint64_t> window_;  // activations of one window [plane][tap][word]
};

}  // namespace fat
