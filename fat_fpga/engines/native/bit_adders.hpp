// Carry-save adders of columns of bits: sums in bit-planes, each in a vector of its own.
#pragma once

#include <cstdint>

#include "simd.hpp"

#if FAT_BIT_COLUMNS

namespace fat {

// total + b + c, as a sum that stays in `total` and a carry.
template <class V>
inline V full_adder(V& total, V b, V c) {
  const V carry = V::majority(total, b, c);
  total = V::parity(total, b, c);
  return carry;
}

// Adds a carry to counts from plane `from` on, modulo 2^Planes.
template <class V, int Planes>
inline void ripple(V (&counts)[Planes], int from, V carry) {
  for (int k = from; k < Planes - 1; ++k) {
    const V next = V::both(counts[k], carry);
    counts[k] = V::differ(counts[k], carry);
    carry = next;
  }
  counts[Planes - 1] = V::differ(counts[Planes - 1], carry);
}

// Adds column(i) to column(i + 7) to counts; the carry into plane 3.
template <class V, int Planes, class Column>
inline V add_eight(V (&counts)[Planes], Column column, int i) {
  const V two0 = full_adder(counts[0], column(i), column(i + 1));
  const V two1 = full_adder(counts[0], column(i + 2), column(i + 3));
  const V two2 = full_adder(counts[0], column(i + 4), column(i + 5));
  const V two3 = full_adder(counts[0], column(i + 6), column(i + 7));
  const V four0 = full_adder(counts[1], two0, two1), four1 = full_adder(counts[1], two2, two3);
  return full_adder(counts[2], four0, four1);
}

// Adds column(0), column(1), ... to counts, modulo 2^Planes; n of them, a multiple of eight.
template <class V, int Planes, class Column>
inline void count_columns(Column column, int n, V (&counts)[Planes]) {
  const auto sixteen = [&](int i) {
    const V carry0 = add_eight(counts, column, i), carry1 = add_eight(counts, column, i + 8);
    return full_adder(counts[3], carry0, carry1);
  };
  int i = 0;
  for (; i + 32 <= n; i += 32) {
    const V carry0 = sixteen(i), carry1 = sixteen(i + 16);
    ripple(counts, 5, full_adder(counts[4], carry0, carry1));
  }
  if (i + 16 <= n) ripple(counts, 4, sixteen(i)), i += 16;
  if (i < n) ripple(counts, 3, add_eight(counts, column, i));
}

}  // namespace fat

#endif
