// A whole unit behind planes with other words in its memories, by popcount: the words are put into a copy of its
// memories and taken back.
#pragma once

#include <vector>

#include "dense.hpp"
#include "image.hpp"

namespace fat {

class EditedUnit : Part {
 public:
  EditedUnit(Image& image, Dense& dense) : Part(image), dense_(dense), memories_(model_.units.size()) {}

  // In units of adding 64 weights.
  static double cost(const Unit& unit, const NodeEdit& edit);

  // Into the unit's planes, or, of the last unit, into the image's scores.
  void unit(const Fault& fault, const NodeEdit& edit, Target to);

 private:
  // The model's memories but for the words of an edit while it is computed.
  struct Memories {
    std::vector<WeightPlane> weights;
    Aligned<int32_t> thresholds;
  };
  // A channel whose planes are decided by its sums one by one: a bit of its accumulators changed, or the planes cannot
  // hold one of its weights.
  struct Odd {
    const ChannelEdit* edit;
    int64_t offset;
    std::vector<int32_t> thresholds;
  };

  void toggle(const NodeEdit& edit, int u);
  void put_thresholds(const Fault& fault, const NodeEdit& edit, int u);
  int64_t sum(const Fault& fault, const Unit& unit, const Odd& odd, int y, int x) const;
  void decide(const Fault& fault, const Unit& unit, int y, int x, uint64_t* planes);

  Dense& dense_;
  std::vector<Memories> memories_;  // of each unit; empty where none was computed yet
  std::vector<Odd> odd_;
};

}  // namespace fat
