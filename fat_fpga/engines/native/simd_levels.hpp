// What ByteCourse needs of every instruction set, from the operations of simd.hpp; AVX-512 and AMX have some of it in
// forms of their own.
//
//   Tiles            what has to be set up before tile_products
//   tile_products    sums of products of bytes: of rows of places, 16 outputs each
//   sums_to_levels   64 sums, as bytes of how many thresholds they meet
//   each_levels      the same of many
#pragma once

#include <algorithm>

#include "level_form.hpp"
#include "simd.hpp"

#if defined(__AMX_INT8__)
#include "simd_amx.hpp"
#endif

namespace fat {

#ifndef FAT_TILES

constexpr int kFours = 1;                      // of inputs that a row of a kernel of more is filled up to a multiple of
constexpr bool kFullTiles = false;             // whether 16 places cost as much as fewer
constexpr double kTileCost = 256 * kByteCost;  // of 16 places by 64 inputs by 16 outputs, in the unit of kDenseCost

struct Tiles {
  Tiles(int, int) {}
};

// Sums of products of `M` rows of `places` windows, `step` bytes from one to the next, with `N` times 16 outputs'
// weights, into sums[row][place][to_next].
template <int M, int N>
inline void tile_products(const uint8_t* const* rows, int places, size_t step, size_t pitch, int kernel_rows, int fours,
                          const int8_t* weights, int period, int32_t* sums, size_t to_next) {
  const size_t vector = size_t(kernel_rows) * fours * 64;
  for (int m = 0; m < M; ++m) {
    for (int i = 0; i < places; i += 4) {
      const uint8_t* windows[4];
      for (int k = 0; k < 4; ++k) windows[k] = rows[m] + (i + k < places ? i + k : places - 1) * step;
      byte_products<4, N>(windows, pitch, kernel_rows, fours, weights, vector, period,
                          sums + (size_t(m) * places + i) * to_next, to_next);
    }
  }
}

#endif

// How many thresholds of a group 64 sums meet.
inline Bytes64 to_levels(const Wide64<int16_t>& sums, const Steps& steps, int group) {
  auto levels = Bytes64::zero();
  const int16_t* middle = steps.middles_of(group);
  const int8_t* threshold = steps.thresholds_of(group);
  int t = 0;
  for (int end : steps.ends) {
    const Bytes64 margins = sums.above_middle(middle);
    for (; t < end; ++t, threshold += 64) levels.add_where(margins.above(threshold), 1);
    middle += 64;
  }
  return levels;
}

}  // namespace fat

#if defined(__AVX512VBMI2__)
#include "simd_levels_avx512.hpp"
#endif

namespace fat {

#ifndef FAT_SUMS_TO_LEVELS

// Where sum number i of 64 stands in vectors of two bytes and of one.
inline int wide_place(int i) { return i; }
inline int narrow_place(int i) { return i; }

inline Bytes64 sums_to_levels(const int32_t* sums, const Steps& steps, int group) {
  if (steps.middles32.empty()) {
    int16_t narrow[64];
    for (int i = 0; i < 64; ++i) narrow[i] = int16_t(sums[i]);
    return to_levels(Wide64<int16_t>::load(narrow), steps, group);
  }
  auto levels = Bytes64::zero();
  const int32_t* middle = steps.middles32_of(group);
  const int8_t* threshold = steps.thresholds_of(group);
  int t = 0;
  for (int end : steps.ends) {
    alignas(64) int8_t narrow[64];
    for (int i = 0; i < 64; ++i) narrow[i] = int8_t(std::clamp(sums[i] - middle[i], -127, 127));
    auto margins = Bytes64::zero();
    margins.add(narrow);
    for (; t < end; ++t, threshold += 64) levels.add_where(margins.above(threshold), 1);
    middle += 64;
  }
  return levels;
}

#endif

#ifndef FAT_EACH_LEVELS

// Calls `take(number, levels)` for each of some 64 sums of a group.
template <class Take>
inline void each_levels(const int32_t* sums, int vectors, const Steps& steps, int group, Take take) {
  for (int i = 0; i < vectors; ++i) take(i, sums_to_levels(sums + 64 * i, steps, group));
}

#endif

}  // namespace fat
