// Depthwise units with as many outputs as inputs, from levels in bytes: outputs are the lanes of the inputs, 64
// channels at a time.
#pragma once

#include "image.hpp"

namespace fat {

class Depthwise : Part {
 public:
  explicit Depthwise(Image& image);

  // Whether a unit is one, in planes and with sums of 16 bits.
  bool fit(const Unit& unit) const;

  // The whole of a unit without a fault; keeps the accumulators.
  void golden(int u, Target to);

  // Finds what the present fault changed in front, for an area of outputs; whether anything did.
  bool find(int u, const Rect& area);

  // An area of the unit under the present fault into its planes, or, for the last unit, into the image's sums.
  void update(int u, const Rect& area, Target to);

 private:
  void load(int u, const uint64_t* planes, const Rect& seen);
  bool reached(const Unit& unit, int y, int x, int word) const;

  Aligned<uint8_t> levels_;        // [place of the frame][padded channels]
  std::vector<uint64_t> changed_;  // which channels have [place of the frame][word]
  std::vector<uint64_t> any_;      // which have anywhere
};

}  // namespace fat
