// The few vector operations that the simulator needs, each on 64 output channels at once.
//
//   Bytes64        64 int8 sums of weight columns
//   Wide64<Acc>    64 accumulators, int16 or int32
//   popcounts      64 binary dot products
//   byte_products  dot products of bytes, 16 outputs in a vector
//
// kDenseCost is the cost of one popcount step (64 outputs, one word) in units of adding 64 weights.
#pragma once

#if defined(__AVX512VPOPCNTDQ__) && defined(__AVX512VBMI2__) && defined(__AVX512VNNI__) && defined(__AVX512BW__)
#include "simd_avx512.hpp"
#elif defined(__AVX2__)
#include "simd_avx2.hpp"
#elif defined(FAT_FPGA_NEON)
#include "simd_neon.hpp"
#else
#include "simd_portable.hpp"
#endif

namespace fat {

// Cost of a step of one number, about a nanosecond, in the same units.
#ifdef FAT_SCALAR_COST
constexpr double kScalar = FAT_SCALAR_COST;
#else
constexpr double kScalar = 36 / kDenseCost;
#endif

}  // namespace fat

#ifndef FAT_POPCOUNT_COMMON

namespace fat {

// Bits that `rows` rows of n words, so many words apart, have in common with as many others.
inline int popcount_common(const uint64_t* a, size_t a_pitch, const uint64_t* b, size_t b_pitch, int n, int rows) {
  int found = 0;
  for (int r = 0; r < rows; ++r, a += a_pitch, b += b_pitch) {
    for (int i = 0; i < n; ++i) found += popcount(a[i] & b[i]);
  }
  return found;
}

}  // namespace fat

#endif

#ifndef FAT_POPCOUNTS_FEW
#define FAT_POPCOUNTS_FEW 0
#endif

#ifndef FAT_WINDOW_SUMS
#define FAT_WINDOW_SUMS 0
#endif

#ifndef FAT_BIT_COLUMNS
#define FAT_BIT_COLUMNS 0

namespace fat {

constexpr int kBitBlocks = 1;

// Lists of 16 bits are for bit_columns, which there are none of here.
inline void append(const uint16_t*, int, int32_t, int, uint16_t*) {}

}  // namespace fat

#endif

#ifndef FAT_COMPRESSED_LISTS

namespace fat {

// Which of `count` words (at most eight), `stride` words apart, have the bit.
inline uint32_t set_in(const uint64_t* words, size_t stride, int count, uint64_t bit) {
  uint32_t found = 0;
  for (int i = 0; i < count; ++i) found |= uint32_t((words[i * stride] & bit) != 0) << i;
  return found;
}

// Appends base + 64 * places[i] for each set bit i of `changed`, and 64 more where it is set in `lowered`; the end of
// the list. May write some places further.
inline int32_t* list_places(uint64_t changed, uint64_t lowered, const uint8_t* places, int32_t base, int32_t* entry) {
  int32_t* const end = entry + popcount(changed);
  do {  // as in list_changes
    for (int i = 0; i < 4; ++i, changed &= changed - 1) {
      const int bit = lowest_bit(changed);
      entry[i] = base + 64 * (places[bit] + int(lowered >> bit & 1));
    }
    entry += 4;
  } while (changed != 0);
  return end;
}

// Appends base + 2 * half * i for each set bit i of `changed`, and `half` more where it is set in `lowered`; the end of
// the list. May write some places further.
template <class Entry>
inline Entry* list_changes(uint64_t changed, uint64_t lowered, int32_t base, int32_t half, Entry* entry) {
  Entry* const end = entry + popcount(changed);
  do {  // four at a time, so that the processor seldom guesses the count wrong; the last may be void
    for (int i = 0; i < 4; ++i, changed &= changed - 1) {
      const int bit = lowest_bit(changed);
      entry[i] = Entry(base + (2 * bit + int(lowered >> bit & 1)) * half);
    }
    entry += 4;
  } while (changed != 0);
  return end;
}

}  // namespace fat

#endif
