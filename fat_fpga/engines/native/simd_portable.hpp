// Plain C++: runs anywhere, and the compiler vectorises what it can.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace fat {

constexpr int kMaxGroup = 2;       // blocks whose sums fit in registers
constexpr int kCountedScores = 0;  // weight planes times planes; see Dense::counts_scores
constexpr double kDenseCost = 60;
constexpr double kByteCost = 4;  // of 16 outputs of four inputs by products of bytes, in the same unit

struct Bytes64 {
  int8_t v[64];

  static Bytes64 zero() {
    Bytes64 r;
    std::memset(r.v, 0, sizeof r.v);
    return r;
  }
  void add(const int8_t* p) {
    for (int i = 0; i < 64; ++i) v[i] = int8_t(v[i] + p[i]);
  }
  void subtract(const int8_t* p) {
    for (int i = 0; i < 64; ++i) v[i] = int8_t(v[i] - p[i]);
  }
  // Adds x where a bit is set.
  void add_where(uint64_t mask, int8_t x) {
    for (int i = 0; i < 64; ++i) v[i] = int8_t(v[i] + (mask >> i & 1 ? x : 0));
  }
  void store(int8_t* p) const { std::memcpy(p, v, sizeof v); }
  uint64_t above(const int8_t* p) const {
    uint64_t mask = 0;
    for (int i = 0; i < 64; ++i) mask |= uint64_t(v[i] > p[i]) << i;
    return mask;
  }
};

template <class Acc>
struct Wide64 {
  Acc v[64];

  static Wide64 zero() {
    Wide64 r;
    std::memset(r.v, 0, sizeof r.v);
    return r;
  }
  static Wide64 load(const Acc* p) {
    Wide64 r;
    std::memcpy(r.v, p, sizeof r.v);
    return r;
  }
  void add(const Bytes64& d) {
    for (int i = 0; i < 64; ++i) v[i] = Acc(v[i] + d.v[i]);
  }
  void add_product(const int8_t* p, Acc factor) {
    for (int i = 0; i < 64; ++i) v[i] = Acc(v[i] + factor * p[i]);
  }
  void store(Acc* p) const { std::memcpy(p, v, sizeof v); }
  // Less these, as bytes of -127..127.
  Bytes64 above_middle(const Acc* p) const {
    Bytes64 r;
    for (int i = 0; i < 64; ++i) r.v[i] = int8_t(std::clamp(int(v[i]) - int(p[i]), -127, 127));
    return r;
  }
  // Bit i is set where accumulator i meets its threshold.
  uint64_t at_least(const Acc* threshold) const {
    uint64_t mask = 0;
    for (int i = 0; i < 64; ++i) mask |= uint64_t(v[i] >= threshold[i]) << i;
    return mask;
  }
  // The same for the first 32.
  uint64_t at_least_low(const Acc* threshold) const {
    uint64_t mask = 0;
    for (int i = 0; i < 32; ++i) mask |= uint64_t(v[i] >= threshold[i]) << i;
    return mask;
  }
};

inline int popcount(uint64_t x) {
  x -= (x >> 1) & 0x5555555555555555u;
  x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return int((x * 0x0101010101010101u) >> 56);
}

}  // namespace fat

#include "simd_scalar.hpp"

namespace fat {

// sums[o] += scale * sum over n words of popcount(bits[i] & weights[i][o]), for 64 outputs o.
inline void popcounts(const uint64_t* bits, int n, const uint64_t* weights, int scale, int32_t* sums) {
  int32_t counts[64] = {};
  for (int i = 0; i < n; ++i) {
    for (int o = 0; o < 64; ++o) counts[o] += popcount(bits[i] & weights[i * 64 + o]);
  }
  for (int o = 0; o < 64; ++o) sums[o] += scale * counts[o];
}

// The number of planes that have each of 64 channels' bits, as bytes; planes are `stride` words apart.
inline void spread_levels(const uint64_t* planes, int count, int stride, uint8_t* to) {
  std::memset(to, 0, 64);
  for (int t = 0; t < count; ++t) {
    const uint64_t plane = planes[size_t(t) * stride];
    for (int i = 0; i < 64; ++i) to[i] = uint8_t(to[i] + (plane >> i & 1));
  }
}

// Sums of products of `Pixels` windows of unsigned bytes, `rows` rows of `steps` times four bytes, with `Vectors` times
// 16 outputs' weights [vector][row][step][output][4].
template <int Pixels, int Vectors>
inline void byte_products(const uint8_t* const* windows, size_t pitch, int rows, int steps, const int8_t* weights,
                          size_t vector, int, int32_t* sums, size_t to_next) {
  for (int v = 0; v < Vectors; ++v) {
    for (int i = 0; i < Pixels; ++i) {
      const int8_t* weight = weights + v * vector;
      int32_t by_input[64] = {};
      for (int row = 0; row < rows; ++row) {
        for (int step = 0; step < steps; ++step, weight += 64) {
          const uint8_t* four = windows[i] + row * pitch + 4 * step;
          for (int k = 0; k < 64; ++k) by_input[k] += four[k % 4] * weight[k];
        }
      }
      int32_t* to = sums + i * to_next + v * 16;
      for (int o = 0; o < 16; ++o)
        to[o] = by_input[4 * o] + by_input[4 * o + 1] + by_input[4 * o + 2] + by_input[4 * o + 3];
    }
  }
}

// Sums, lane by lane, of 64 channels' unsigned bytes times weights, over the taps of a window: `row` and `column` bytes
// lie between taps, `to_next` between the weights of one and of the next.
inline Wide64<int16_t> lane_products(const uint8_t* window, size_t row, size_t column, int rows, int columns,
                                     const int8_t* weights, size_t to_next) {
  auto sums = Wide64<int16_t>::zero();
  for (int ky = 0; ky < rows; ++ky) {
    for (int kx = 0; kx < columns; ++kx, weights += to_next) {
      const uint8_t* levels = window + ky * row + kx * column;
      for (int i = 0; i < 64; ++i) sums.v[i] = int16_t(sums.v[i] + levels[i] * weights[i]);
    }
  }
  return sums;
}

}  // namespace fat
