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

// Levels from margins, of `Count` thresholds: as bytes in the order of `margins`.
template <int Count>
inline __m512i count_above(__m512i margins, const __m512i* thresholds) {
  const __m512i one = _mm512_set1_epi8(1);
  __m512i levels = _mm512_maskz_mov_epi8(_mm512_cmpgt_epi8_mask(margins, thresholds[0]), one);
  __m512i others = _mm512_setzero_si512();
#pragma GCC unroll 16
  for (int t = 1; t < Count; ++t) {
    const __mmask64 met = _mm512_cmpgt_epi8_mask(margins, thresholds[t]);
    if (t % 2 == 0) levels = _mm512_mask_add_epi8(levels, met, levels, one);
    else others = _mm512_mask_add_epi8(others, met, others, one);
  }
  return _mm512_add_epi8(levels, others);
}

// How many of 15 ascending integers, 64 apart, 32 sums are above: halving what is left four times.
inline __m512i search_levels(__m512i sums, const int16_t* integers) {
  const auto at = [integers](int t) { return _mm512_loadu_si512(integers + t * 64); };
  const __mmask32 eight = _mm512_cmpgt_epi16_mask(sums, at(7));
  const auto first = [&](int t) { return _mm512_mask_blend_epi16(eight, at(t), at(t + 8)); };
  const __mmask32 four = _mm512_cmpgt_epi16_mask(sums, first(3));
  const auto second = [&](int t) { return _mm512_mask_blend_epi16(four, first(t), first(t + 4)); };
  const __mmask32 two = _mm512_cmpgt_epi16_mask(sums, second(1));
  const __mmask32 one = _mm512_cmpgt_epi16_mask(sums, _mm512_mask_blend_epi16(two, second(0), second(2)));
  __m512i levels = _mm512_maskz_mov_epi16(eight, _mm512_set1_epi16(8));
  levels = _mm512_mask_add_epi16(levels, four, levels, _mm512_set1_epi16(4));
  levels = _mm512_mask_add_epi16(levels, two, levels, _mm512_set1_epi16(2));
  return _mm512_mask_add_epi16(levels, one, levels, _mm512_set1_epi16(1));
}

// Sums as they stand in vectors of two bytes.
inline __m512i two_bytes(const int32_t* sums) {
  return _mm512_packs_epi32(_mm512_loadu_si512(sums), _mm512_loadu_si512(sums + 16));
}

inline Bytes64 in_order(__m512i levels) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return {_mm512_permutexvar_epi32(order, levels)};
}

// All thresholds around one middle: they stay in registers.
template <int Count, class Take>
inline void few_levels(const int32_t* sums, int vectors, const Steps& steps, int group, Take take) {
  __m512i thresholds[Count];
#pragma GCC unroll 16
  for (int t = 0; t < Count; ++t) thresholds[t] = _mm512_loadu_si512(steps.thresholds_of(group) + 64 * t);
  const __m512i low = _mm512_loadu_si512(steps.middles_of(group)),
                high = _mm512_loadu_si512(steps.middles_of(group) + 32);
  for (int i = 0; i < vectors; ++i, sums += 64) {
    const __m512i margins =
        _mm512_packs_epi16(_mm512_subs_epi16(two_bytes(sums), low), _mm512_subs_epi16(two_bytes(sums + 32), high));
    take(i, in_order(count_above<Count>(margins, thresholds)));
  }
}

#define FAT_EACH_LEVELS 1

// Calls `take(number, levels)` for each of some 64 sums of a group.
template <class Take>
inline void each_levels(const int32_t* sums, int vectors, const Steps& steps, int group, Take take) {
  const int planes = steps.planes();
  if (steps.ends.size() == 1 && !steps.middles.empty()) {
    if (planes == 1) return few_levels<1>(sums, vectors, steps, group, take);
    if (planes == 3) return few_levels<3>(sums, vectors, steps, group, take);
    if (planes == 7) return few_levels<7>(sums, vectors, steps, group, take);
    if (planes == 15) return few_levels<15>(sums, vectors, steps, group, take);
  }
  if (steps.integers.empty()) {
    for (int i = 0; i < vectors; ++i, sums += 64) take(i, sums_to_levels(sums, steps, group));
    return;
  }
  const int16_t* integers = steps.integers_of(group);
  for (int i = 0; i < vectors; ++i, sums += 64) {
    take(i, in_order(_mm512_packs_epi16(search_levels(two_bytes(sums), integers),
                                        search_levels(two_bytes(sums + 32), integers + 32))));
  }
}

}  // namespace fat
