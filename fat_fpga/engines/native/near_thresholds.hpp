// Which fault-free sums of a unit lie so near a threshold that one changed weight could move them across it. Where few
// do, a changed weight is followed at these places alone.
#pragma once

#include <vector>

#include "image.hpp"

namespace fat {

class NearThresholds : Part {
 public:
  explicit NearThresholds(Image& image) : Part(image), kept_(model_.units.size()) {}

  // A new image: what was derived from the last one is void.
  void forget();

  // Bits [pixel][block of 64 outputs] of a unit behind planes, which is not the last; null where that gains nothing.
  const uint64_t* of(int u);

  // The most by which changed weights of a channel may move its sum, in the network's integers, for `of` to hold: what
  // one flipped bit of a weight can.
  static int64_t reach(const Unit& unit);
  // By how much such a weight moves it at most.
  static int64_t most(const Unit& unit, const WeightChange& change);

 private:
  // What is kept for a unit. A sum is near a threshold if it is at least the lower bound, and below the upper one.
  struct Kept {
    std::vector<uint64_t> bits;
    Aligned<int16_t> lower16, upper16;  // [plane][padded outputs], index domain
    Aligned<int32_t> lower32, upper32;  // the same of a wide unit
    bool valid = false;                 // of the present image
    bool gains = true;
  };

  template <class Acc>
  void bound(const Unit& unit, Aligned<Acc>& lower, Aligned<Acc>& upper) const;
  template <class Acc>
  void compare(int u, const Aligned<Acc>& lower, const Aligned<Acc>& upper);

  std::vector<Kept> kept_;
};

}  // namespace fat
