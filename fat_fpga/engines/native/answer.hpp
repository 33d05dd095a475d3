// What a fault does to the answer of an image: the class, and what outcome classes are made of; see
// fat_fpga/engines/counts.py for their meaning.
#pragma once

#include <cstdint>
#include <vector>

namespace fat {

struct Answer {
  enum : uint8_t {
    differs = 1,       // some score
    beyond_five = 2,   // the fault-free class is not among the five highest scores
    beyond_tenth = 4,  // the highest score is more than 10 % away from the fault-free highest one
    beyond_fifth = 8,  // 20 %
    no_level = 16,     // a stream that is watched has an activation that is none of its levels
  };

  int label = -1;
  uint8_t seen = 0;  // any of these, where scores are compared
  int waits = -1;    // the number of what is known when it has been computed together with others, instead
};

// Bits of an answer that follow from the scores of all classes: fault-free, of which class `golden` is the highest, and
// faulty, of which class `label` is. Distances of ranks mean nothing.
uint8_t compare_scores(const std::vector<int64_t>& before, int golden, const std::vector<int64_t>& after, int label,
                       bool ranks);

// Numbers of images in each outcome class under one fault.
struct OutcomeCounts {
  static constexpr int kNames = 8;
  int64_t masked = 0, noncritical = 0, sdc1 = 0, detected = 0, sdc5 = 0, sdc10 = 0, sdc20 = 0, critical = 0;

  // An image of this label, of which the fault-free class is `golden`.
  void add(Answer answer, int golden, int64_t label);

  // Adds them to [kNames], in the order of their names above.
  void add_to(int64_t* counts) const;
};

}  // namespace fat
