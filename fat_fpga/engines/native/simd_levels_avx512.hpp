// Levels of sums in AVX-512: packed without a look at the order, which is put right once at the end.
#pragma once

#include <immintrin.h>

#define FAT_SUMS_TO_LEVELS 1

namespace fat {

// Where sum number i of 64 stands in vectors of two bytes and of one: packing goes by 128 bits.
inline int wide_place(int i) { return i / 32 * 32 + i % 16 / 4 * 8 + i / 16 % 2 * 4 + i % 4; }
inline int narrow_place(int i) { return i % 16 / 4 * 16 + i / 16 * 4 + i % 4; }

inline Bytes64 sums_to_levels(const int32_t* sums, const Steps& steps, int group) {
  const __m512i one = _mm512_set1_epi8(1);
  const int8_t* threshold = steps.thresholds_of(group);
  __m512i levels = _mm512_setzero_si512(), others = levels;
  int t = 0;
  const auto compare = [&](__m512i margins, int end) {
    for (; t + 2 <= end; t += 2, threshold += 128) {
      const __mmask64 met = _mm512_cmpgt_epi8_mask(margins, _mm512_loadu_si512(threshold));
      const __mmask64 next = _mm512_cmpgt_epi8_mask(margins, _mm512_loadu_si512(threshold + 64));
      levels = _mm512_mask_add_epi8(levels, met, levels, one);
      others = _mm512_mask_add_epi8(others, next, others, one);
    }
    if (t < end) {
      const __mmask64 met = _mm512_cmpgt_epi8_mask(margins, _mm512_loadu_si512(threshold));
      levels = _mm512_mask_add_epi8(levels, met, levels, one);
      ++t, threshold += 64;
    }
  };
  if (steps.middles32.empty()) {
    const auto two = [sums](int i) {
      return _mm512_packs_epi32(_mm512_loadu_si512(sums + i), _mm512_loadu_si512(sums + i + 16));
    };
    const __m512i low = two(0), high = two(32);
    const int16_t* middle = steps.middles_of(group);
    for (int end : steps.ends) {
      compare(_mm512_packs_epi16(_mm512_subs_epi16(low, _mm512_loadu_si512(middle)),
                                 _mm512_subs_epi16(high, _mm512_loadu_si512(middle + 32))),
              end);
      middle += 64;
    }
  } else {
    const int32_t* middle = steps.middles32_of(group);
    const auto less = [&](int i) {
      return _mm512_sub_epi32(_mm512_loadu_si512(sums + i), _mm512_loadu_si512(middle + i));
    };
    for (int end : steps.ends) {
      compare(_mm512_packs_epi16(_mm512_packs_epi32(less(0), less(16)), _mm512_packs_epi32(less(32), less(48))), end);
      middle += 64;
    }
  }
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return {_mm512_permutexvar_epi32(order, _mm512_add_epi8(levels, others))};
}

}  // namespace fat
