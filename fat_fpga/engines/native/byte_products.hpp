// Units anew from levels in bytes: four inputs of an output at a time, 16 outputs in a vector. What it costs does not
// depend on how many levels there are, nor on how many activations changed.
#pragma once

#include "image.hpp"

namespace fat {

class ByteProducts : Part {
 public:
  explicit ByteProducts(Image& image);

  // Whether the whole of a unit costs less than by popcount.
  bool cheaper(const Unit& unit) const;

  // The whole of a unit from the fault-free planes in front of it, into its planes; keeps the accumulators.
  void golden(int u, Target to);

  // Reads the levels under the present fault that the windows of an area of outputs cover.
  void load(int u, const Rect& area);

  // Output pixels of that area into the planes of the unit, or, for the last unit, into the image's sums.
  void pixels(int u, const std::vector<int32_t>& pixels, Target to);

 private:
  void load(int u, const uint64_t* planes, const Rect& seen);
  template <class Acc>
  void some(int u, const int32_t* pixels, int count, Target to, bool keep);
  template <int Pixels>
  void tile(const Unit& unit, const int32_t* pixels, int count);
  template <class Acc>
  void write(int u, int pixel, const Acc* sums, Target to);

  std::vector<uint8_t> levels_;  // [place of the frame][inputs, filled up to a multiple of four]
  Aligned<int32_t> sums_;        // of a tile [pixel][padded outputs]
  Aligned<int16_t> sums16_;      // of one pixel
};

}  // namespace fat
