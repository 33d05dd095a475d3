// Blocks of a unit, as many at a time as a register holds the columns of bits of.
#pragma once

#include <type_traits>

#include "simd.hpp"

namespace fat {

// Calls `take` with groups of blocks, as many as `kMost`, or half of them and so on, and the first block of each. With
// weights of -1, 0 and +1 a block has two columns of bits.
template <bool Zeros, class Take>
inline void each_group(int blocks, Take take) {
  constexpr int kMost = Zeros ? kBitBlocks / 2 : kBitBlocks;
  int block = 0;
  const auto groups = [&](auto words) {
    for (; blocks - block >= words; block += words) take(words, block);
  };
  if constexpr (kMost >= 8) groups(std::integral_constant<int, 8>());
  if constexpr (kMost >= 4) groups(std::integral_constant<int, 4>());
  if constexpr (kMost >= 2) groups(std::integral_constant<int, 2>());
  groups(std::integral_constant<int, 1>());
}

}  // namespace fat
