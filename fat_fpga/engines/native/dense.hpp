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

  // The accumulators of one output pixel, into the image's sums, by the unit's weights or others of the same form.
  void pixel(const Unit& unit, const std::vector<WeightPlane>& planes, const uint64_t* in, int y, int x);

  // An area of a unit's planes, or, in the last unit, the image's sums, by the weights and thresholds given, in the
  // unit's form.
  void area(const Unit& unit, const std::vector<WeightPlane>& planes, const Aligned<int32_t>& thresholds,
            const uint64_t* in, const Rect& area, Target to);

  // Whether the sums of a last unit of one pixel and few outputs take less time than to list what changed in front of
  // it.
  bool counts_scores(const Unit& unit) const;

  // These sums, from planes in front of it, into the image's sums.
  void scores(const Unit& unit, const uint64_t* in);

  // The planes of one output pixel, from its accumulators in the image's sums, by thresholds in the unit's form.
  void write_planes(const Unit& unit, const Aligned<int32_t>& thresholds, uint64_t* planes) const;

 private:
  template <class Acc>
  void integer_pixels(int u, Target to);
  template <class Acc, int Pixels>
  void integer_pixels(int u, int y, int x, uint64_t* planes);
  template <class Acc>
  void area(const Unit& unit, const std::vector<WeightPlane>& planes, const Aligned<int32_t>& thresholds,
            const uint64_t* in, const Rect& area, Target to, Acc* keep);
  template <int Pixels, class Acc>
  void bits(const Unit& unit, const WeightPlane& plane, const Aligned<int32_t>& thresholds, const uint64_t* in, int y,
            int x, uint64_t* out, Acc* kept) const;

  std::vector<uint64_t> window_;  // activations of one window [plane][tap][word]
};

}  // namespace fat
