// NEON, for any ARM processor of 64 bits: 64 bytes are four registers. Its 32 registers of 128 bits hold as many bits
// as the 16 of AVX2, so that as many blocks and sums fit in them.
//
// Levels are 0..15 (kMostLevelPlanes), so that bytes of levels are signed ones as well.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#define FAT_BIT_COLUMNS 1  // see bit_columns.cpp
#define FAT_SLIDING 1      // see sliding.cpp

namespace fat {

constexpr int kBitBlocks = 4;  // blocks of 64 channels whose bits are counted together

constexpr int kMaxGroup = 4;       // blocks whose sums fit in registers
constexpr int kCountedScores = 0;  // weight planes times planes; see Dense::counts_scores

// Costs by instructions, counted in an emulator over loops of each: to add 64 weights takes 10, a popcount step 140, 16
// outputs of four inputs 17, or 6.5 with products of bytes in one instruction. No processor has been timed.
constexpr double kDenseCost = 14;
#if defined(__ARM_FEATURE_DOTPROD)
constexpr double kByteCost = 0.65;
#else
constexpr double kByteCost = 1.7;
#endif
#define FAT_SCALAR_COST 0.5  // of a step of one number: five instructions

inline int popcount(uint64_t x) { return __builtin_popcountll(x); }

// Bit i is set where byte i of four vectors is: bytes are 0 or 255.
inline uint64_t mask_of(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d) {
  const uint8x16_t bits = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  const uint8x16_t low = vpaddq_u8(vandq_u8(a, bits), vandq_u8(b, bits));
  const uint8x16_t high = vpaddq_u8(vandq_u8(c, bits), vandq_u8(d, bits));
  const uint8x16_t all = vpaddq_u8(low, high);
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}

// The same of 32, and of 64 numbers of two bytes.
inline uint32_t mask_of(uint8x16_t a, uint8x16_t b) {
  const uint8x16_t bits = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  const uint8x16_t both = vpaddq_u8(vandq_u8(a, bits), vandq_u8(b, bits));
  const uint8x16_t all = vpaddq_u8(both, both);
  return vgetq_lane_u32(vreinterpretq_u32_u8(vpaddq_u8(all, all)), 0);
}

// Vectors of numbers of half as many bytes, of 0 or all ones.
inline uint8x16_t narrowed(uint16x8_t a, uint16x8_t b) {
  return vuzp1q_u8(vreinterpretq_u8_u16(a), vreinterpretq_u8_u16(b));
}
inline uint16x8_t narrowed(uint32x4_t a, uint32x4_t b) {
  return vuzp1q_u16(vreinterpretq_u16_u32(a), vreinterpretq_u16_u32(b));
}

// Bytes of 255 where bits 16 * part to 16 * part + 15 of a word are set.
inline uint8x16_t spread(uint64_t word, int part) {
  static constexpr uint8_t kBytes[16] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1};
  const uint8x16_t bytes = vaddq_u8(vld1q_u8(kBytes), vdupq_n_u8(uint8_t(2 * part)));
  const uint8x16_t bits = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  return vtstq_u8(vqtbl1q_u8(vreinterpretq_u8_u64(vdupq_n_u64(word)), bytes), bits);
}

struct Bytes64 {
  int8x16_t v[4];

  static Bytes64 zero() { return {vdupq_n_s8(0), vdupq_n_s8(0), vdupq_n_s8(0), vdupq_n_s8(0)}; }
  void add(const int8_t* p) {
    for (int i = 0; i < 4; ++i) v[i] = vaddq_s8(v[i], vld1q_s8(p + 16 * i));
  }
  void subtract(const int8_t* p) {
    for (int i = 0; i < 4; ++i) v[i] = vsubq_s8(v[i], vld1q_s8(p + 16 * i));
  }
  // Adds x where a bit is set.
  void add_where(uint64_t mask, int8_t x) {
    for (int i = 0; i < 4; ++i) {
      v[i] = vaddq_s8(v[i], vandq_s8(vreinterpretq_s8_u8(spread(mask, i)), vdupq_n_s8(x)));
    }
  }
  void store(int8_t* p) const {
    for (int i = 0; i < 4; ++i) vst1q_s8(p + 16 * i, v[i]);
  }
  uint64_t above(const int8_t* p) const {
    const auto part = [&](int i) { return vcgtq_s8(v[i], vld1q_s8(p + 16 * i)); };
    return mask_of(part(0), part(1), part(2), part(3));
  }
};

template <class Acc>
struct Wide64;

template <>
struct Wide64<int16_t> {
  int16x8_t v[8];

  static Wide64 zero() {
    Wide64 r;
    for (auto& part : r.v) part = vdupq_n_s16(0);
    return r;
  }
  static Wide64 load(const int16_t* p) {
    Wide64 r;
    for (int i = 0; i < 8; ++i) r.v[i] = vld1q_s16(p + 8 * i);
    return r;
  }
  void add(const Bytes64& d) {
    for (int i = 0; i < 4; ++i) {
      v[2 * i] = vaddw_s8(v[2 * i], vget_low_s8(d.v[i]));
      v[2 * i + 1] = vaddw_high_s8(v[2 * i + 1], d.v[i]);
    }
  }
  void add_product(const int8_t* p, int16_t factor) {
    for (int i = 0; i < 8; ++i) v[i] = vmlaq_n_s16(v[i], vmovl_s8(vld1_s8(p + 8 * i)), factor);
  }
  void add_all(int16_t x) {
    for (auto& part : v) part = vaddq_s16(part, vdupq_n_s16(x));
  }
  void add_where(uint64_t mask, int16_t x) {
    static constexpr uint16_t kBits[8] = {1, 2, 4, 8, 16, 32, 64, 128};
    const uint16x8_t bits = vld1q_u16(kBits);
    for (int i = 0; i < 8; ++i) {
      const uint16x8_t where = vtstq_u16(vdupq_n_u16(uint16_t(mask >> (8 * i))), bits);
      v[i] = vaddq_s16(v[i], vandq_s16(vreinterpretq_s16_u16(where), vdupq_n_s16(x)));
    }
  }
  void store(int16_t* p) const {
    for (int i = 0; i < 8; ++i) vst1q_s16(p + 8 * i, v[i]);
  }
  // Less these, as bytes of -127..127.
  Bytes64 above_middle(const int16_t* p) const {
    const auto less = [&](int i) { return vqmovn_s16(vqsubq_s16(v[i], vld1q_s16(p + 8 * i))); };
    const auto part = [&](int i) { return vmaxq_s8(vcombine_s8(less(i), less(i + 1)), vdupq_n_s8(-127)); };
    return {part(0), part(2), part(4), part(6)};
  }
  uint64_t at_least(const int16_t* threshold) const {
    return mask_of(met(threshold, 0), met(threshold, 2), met(threshold, 4), met(threshold, 6));
  }
  // Of the first 32.
  uint64_t at_least_low(const int16_t* threshold) const { return mask_of(met(threshold, 0), met(threshold, 2)); }
  uint8x16_t met(const int16_t* threshold, int i) const {
    const auto half = [&](int k) { return vcgeq_s16(v[k], vld1q_s16(threshold + 8 * k)); };
    return narrowed(half(i), half(i + 1));
  }
};

template <>
struct Wide64<int32_t> {
  int32x4_t v[16];

  static Wide64 zero() {
    Wide64 r;
    for (auto& part : r.v) part = vdupq_n_s32(0);
    return r;
  }
  static Wide64 load(const int32_t* p) {
    Wide64 r;
    for (int i = 0; i < 16; ++i) r.v[i] = vld1q_s32(p + 4 * i);
    return r;
  }
  void add(const Bytes64& d) {
    for (int i = 0; i < 4; ++i) {
      const int16x8_t low = vmovl_s8(vget_low_s8(d.v[i])), high = vmovl_high_s8(d.v[i]);
      v[4 * i] = vaddw_s16(v[4 * i], vget_low_s16(low));
      v[4 * i + 1] = vaddw_high_s16(v[4 * i + 1], low);
      v[4 * i + 2] = vaddw_s16(v[4 * i + 2], vget_low_s16(high));
      v[4 * i + 3] = vaddw_high_s16(v[4 * i + 3], high);
    }
  }
  void add_product(const int8_t* p, int32_t factor) {
    for (int i = 0; i < 8; ++i) {
      const int16x8_t bytes = vmovl_s8(vld1_s8(p + 8 * i));
      v[2 * i] = vmlaq_n_s32(v[2 * i], vmovl_s16(vget_low_s16(bytes)), factor);
      v[2 * i + 1] = vmlaq_n_s32(v[2 * i + 1], vmovl_high_s16(bytes), factor);
    }
  }
  void store(int32_t* p) const {
    for (int i = 0; i < 16; ++i) vst1q_s32(p + 4 * i, v[i]);
  }
  uint64_t at_least(const int32_t* threshold) const {
    return mask_of(met(threshold, 0), met(threshold, 4), met(threshold, 8), met(threshold, 12));
  }
  // Of the first 32.
  uint64_t at_least_low(const int32_t* threshold) const { return mask_of(met(threshold, 0), met(threshold, 4)); }
  uint8x16_t met(const int32_t* threshold, int i) const {
    const auto quarter = [&](int k) { return vcgeq_s32(v[k], vld1q_s32(threshold + 4 * k)); };
    return narrowed(narrowed(quarter(i), quarter(i + 1)), narrowed(quarter(i + 2), quarter(i + 3)));
  }
};

}  // namespace fat

#include "simd_neon_bits.hpp"
#include "simd_neon_products.hpp"
#include "simd_scalar.hpp"
