#include "answer.hpp"

#include <cstdlib>

namespace fat {

uint8_t compare_scores(const std::vector<int64_t>& before, int golden, const std::vector<int64_t>& after, int label,
                       bool ranks) {
  if (before == after) return 0;
  uint8_t seen = Answer::differs;
  int ahead = 0;  // classes that are ranked before the fault-free one
  const int classes = int(after.size());
  for (int m = 0; m < classes; ++m) ahead += after[m] > after[golden] || (after[m] == after[golden] && m < golden);
  if (ahead >= 5) seen |= Answer::beyond_five;
  if (ranks) return seen;
  const int64_t highest = std::abs(before[golden]), distance = std::abs(after[label] - before[golden]);
  if (10 * distance > highest) seen |= Answer::beyond_tenth;
  if (5 * distance > highest) seen |= Answer::beyond_fifth;
  return seen;
}

void OutcomeCounts::add(Answer answer, int golden, int64_t label) {
  if (answer.seen & Answer::no_level) {
    ++detected;
    return;
  }
  const bool changed = answer.label != golden;
  masked += !(answer.seen & Answer::differs);
  noncritical += (answer.seen & Answer::differs) && !changed;
  sdc1 += changed;
  sdc5 += (answer.seen & Answer::beyond_five) != 0;
  sdc10 += (answer.seen & Answer::beyond_tenth) != 0;
  sdc20 += (answer.seen & Answer::beyond_fifth) != 0;
  critical += changed && golden == label;
}

void OutcomeCounts::add_to(int64_t* counts) const {
  const int64_t all[kNames] = {masked, noncritical, sdc1, detected, sdc5, sdc10, sdc20, critical};
  for (int n = 0; n < kNames; ++n) counts[n] += all[n];
}

}  // namespace fat
