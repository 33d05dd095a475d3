// Whole units from scratch.
#pragma once

#include "image.hpp"

namespace fat {

class Dense : Part {
 public:
  explicit Dense(Image& image);

  // An area of the first unit, from the quantised image, into its planes, or, if it is the last one too, into the
  // image's sums; `keep` stores the accumulators.
  void first_unit(const Rect& area, Target to, bool keep);

  // An area of another unit, from the planes in front of it.
  void unit(int u, const uint64_t* in, const Rect& area, Target to, bool keep);

 private:
  template <class Acc>
  void first_pixels(const Rect& area, Target to, bool keep);
  void pixel(const Unit& unit, const uint64_t* in, int y, int x);
  void write_planes(const Unit& unit, uint64_t* planes) const;

  std::vector<uint64_t> window_;  // activations of one window [plane][tap][word]
};

}  // namespace fat
