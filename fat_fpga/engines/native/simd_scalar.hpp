// What takes one number after the other, for instruction sets that have no vectors for it: portable and NEON. They
// define popcount.
#pragma once

#include <cstdint>

namespace fat {

// Position of the lowest set bit; 0 for a word without one.
inline int lowest_bit(uint64_t x) {
#if defined(__GNUC__)
  return x == 0 ? 0 : __builtin_ctzll(x);
#else
  return x == 0 ? 0 : popcount(~x & (x - 1));
#endif
}

// to[i] = from[i] + add for i < count; may read and write up to 16 places further.
inline void append(const int32_t* from, int count, int32_t add, int, int32_t* to) {
  for (int i = 0; i < count; ++i) to[i] = from[i] + add;
}

// Which of n words, at most 16, differ.
inline uint32_t differing(const uint64_t* a, const uint64_t* b, int n) {
  uint32_t found = 0;
  for (int i = 0; i < n; ++i) found |= uint32_t(a[i] != b[i]) << i;
  return found;
}

// Adds `by` times a number of four bits, given bit by bit, to each of 64 integers; subtracts it where not `raised`.
// Touches none whose number is 0.
inline void add_counts(int32_t* to, const uint64_t* counts, uint64_t raised, int32_t by) {
  for (uint64_t any = counts[0] | counts[1] | counts[2] | counts[3]; any != 0; any &= any - 1) {
    const int i = lowest_bit(any);
    int32_t number = 0;
    for (int k = 0; k < 4; ++k) number |= int32_t(counts[k] >> i & 1) << k;
    to[i] += raised >> i & 1 ? by * number : -by * number;
  }
}

// Which of n integers, at most 64, meet their thresholds.
inline uint64_t at_least(const int32_t* integers, const int32_t* thresholds, int n) {
  uint64_t met = 0;
  for (int i = 0; i < n; ++i) met |= uint64_t(integers[i] >= thresholds[i]) << i;
  return met;
}

}  // namespace fat
