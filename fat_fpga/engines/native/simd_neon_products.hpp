// NEON: products of bits and of bytes.
#pragma once

#include <arm_neon.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace fat {

// sums[o] += scale * sum over n words of popcount(bits[i] & weights[i][o]), for 64 outputs o.
inline void popcounts(const uint64_t* bits, int n, const uint64_t* weights, int scale, int32_t* sums) {
  constexpr int kVectors = 8, kOutputs = 2 * kVectors;  // counted together
  for (int o = 0; o < 64; o += kOutputs) {
    uint32x4_t totals[kVectors];
    for (auto& total : totals) total = vdupq_n_u32(0);
    for (int start = 0; start < n; start += 31) {  // 31 * 8 bits fit in a byte
      const int end = std::min(n, start + 31);
      uint8x16_t bytes[kVectors];
      for (auto& part : bytes) part = vdupq_n_u8(0);
      for (int i = start; i < end; ++i) {
        const uint64x2_t word = vdupq_n_u64(bits[i]);
        for (int g = 0; g < kVectors; ++g) {
          const uint64x2_t common = vandq_u64(word, vld1q_u64(weights + i * 64 + o + 2 * g));
          bytes[g] = vaddq_u8(bytes[g], vcntq_u8(vreinterpretq_u8_u64(common)));
        }
      }
      for (int g = 0; g < kVectors; ++g) totals[g] = vpadalq_u16(totals[g], vpaddlq_u8(bytes[g]));
    }
    for (int g = 0; g < kVectors; g += 2) {
      int32_t* to = sums + o + 2 * g;
      const int32x4_t counts = vreinterpretq_s32_u32(vpaddq_u32(totals[g], totals[g + 1]));
      vst1q_s32(to, vmlaq_n_s32(vld1q_s32(to), counts, scale));
    }
  }
}

// The number of planes that have each of 64 channels' bits, as bytes; planes are `stride` words apart.
inline void spread_levels(const uint64_t* planes, int count, int stride, uint8_t* to) {
  uint8x16_t levels[4];
  for (auto& part : levels) part = vdupq_n_u8(0);
  for (int t = 0; t < count; ++t) {
    for (int i = 0; i < 4; ++i) levels[i] = vsubq_u8(levels[i], spread(planes[size_t(t) * stride], i));
  }
  for (int i = 0; i < 4; ++i) vst1q_u8(to + 16 * i, levels[i]);
}

// Four bytes of levels, four times.
inline int8x16_t four_levels(const uint8_t* from) {
  int32_t four;
  std::memcpy(&four, from, 4);
  return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

// Sums of products of `Pixels` windows of unsigned bytes, `rows` rows of `steps` times four bytes, with `Vectors` times
// 16 outputs' weights [vector][row][step][output][4]. `period` steps fit in 16 bits. Four outputs at a time.
#if defined(__ARM_FEATURE_DOTPROD)

template <int Pixels, int Vectors>
inline void byte_products(const uint8_t* const* windows, size_t pitch, int rows, int steps, const int8_t* weights,
                          size_t vector, int, int32_t* sums, size_t to_next) {
  for (int v = 0; v < Vectors; ++v) {
    const int8_t* sixteen = weights + v * vector;
    int32x4_t sum[Pixels][4];
    for (auto& pixel : sum) {
      for (auto& part : pixel) part = vdupq_n_s32(0);
    }
    for (int row = 0; row < rows; ++row) {
      for (int step = 0; step < steps; ++step, sixteen += 64) {
        int8x16_t weight[4];
        for (int k = 0; k < 4; ++k) weight[k] = vld1q_s8(sixteen + 16 * k);
        for (int i = 0; i < Pixels; ++i) {
          const int8x16_t levels = four_levels(windows[i] + row * pitch + 4 * step);
          for (int k = 0; k < 4; ++k) sum[i][k] = vdotq_s32(sum[i][k], weight[k], levels);
        }
      }
    }
    for (int i = 0; i < Pixels; ++i) {
      for (int k = 0; k < 4; ++k) vst1q_s32(sums + i * to_next + v * 16 + 4 * k, sum[i][k]);
    }
  }
}

#else

template <int Pixels, int Vectors>
inline void byte_products(const uint8_t* const* windows, size_t pitch, int rows, int steps, const int8_t* weights,
                          size_t vector, int period, int32_t* sums, size_t to_next) {
  for (int v = 0; v < 4 * Vectors; ++v) {
    const int8_t* four = weights + v / 4 * vector + v % 4 * 16;
    int32x4_t sum[Pixels][2];  // of two outputs each, in halves
    int16x8_t narrow[Pixels][2];
    for (int i = 0; i < Pixels; ++i) {
      for (int k = 0; k < 2; ++k) sum[i][k] = vdupq_n_s32(0), narrow[i][k] = vdupq_n_s16(0);
    }
    const auto widen = [&] {
      for (int i = 0; i < Pixels; ++i) {
        for (int k = 0; k < 2; ++k) sum[i][k] = vpadalq_s16(sum[i][k], narrow[i][k]), narrow[i][k] = vdupq_n_s16(0);
      }
    };
    for (int row = 0, left = period; row < rows; ++row) {
      for (int step = 0; step < steps; ++step, four += 64) {
        const int8x16_t weight = vld1q_s8(four);
        for (int i = 0; i < Pixels; ++i) {
          const int8x16_t levels = four_levels(windows[i] + row * pitch + 4 * step);
          narrow[i][0] = vmlal_s8(narrow[i][0], vget_low_s8(weight), vget_low_s8(levels));
          narrow[i][1] = vmlal_high_s8(narrow[i][1], weight, levels);
        }
        if (--left == 0) widen(), left = period;
      }
    }
    widen();
    for (int i = 0; i < Pixels; ++i) vst1q_s32(sums + i * to_next + v * 4, vpaddq_s32(sum[i][0], sum[i][1]));
  }
}

#endif

// Sums, lane by lane, of 64 channels' unsigned bytes times weights, over the taps of a window: `row` and `column` bytes
// lie between taps, `to_next` between the weights of one and of the next.
inline Wide64<int16_t> lane_products(const uint8_t* window, size_t row, size_t column, int rows, int columns,
                                     const int8_t* weights, size_t to_next) {
  auto sums = Wide64<int16_t>::zero();
  for (int ky = 0; ky < rows; ++ky) {
    for (int kx = 0; kx < columns; ++kx, weights += to_next) {
      const uint8_t* at = window + ky * row + kx * column;
      for (int i = 0; i < 4; ++i) {
        const int8x16_t levels = vreinterpretq_s8_u8(vld1q_u8(at + 16 * i)), weight = vld1q_s8(weights + 16 * i);
        sums.v[2 * i] = vmlal_s8(sums.v[2 * i], vget_low_s8(levels), vget_low_s8(weight));
        sums.v[2 * i + 1] = vmlal_high_s8(sums.v[2 * i + 1], levels, weight);
      }
    }
  }
  return sums;
}

}  // namespace fat
