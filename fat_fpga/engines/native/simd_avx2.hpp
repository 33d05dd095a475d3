// AVX2: 64 bytes are two registers.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#define FAT_BIT_COLUMNS 1  // see bit_columns.cpp
#define FAT_SLIDING 1      // see sliding.cpp

namespace fat {

constexpr int kBitBlocks = 4;  // blocks of 64 channels whose bits a register holds

constexpr int kMaxGroup = 4;       // blocks whose sums fit in registers
constexpr int kCountedScores = 2;  // weight planes times planes; see Dense::counts_scores
constexpr double kDenseCost = 30;
constexpr double kByteCost = 1.2;  // of 16 outputs of four inputs by products of bytes, in the same unit

struct Bytes64 {
  __m256i a, b;

  static Bytes64 zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static __m256i at(const int8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  void add(const int8_t* p) { a = _mm256_add_epi8(a, at(p)), b = _mm256_add_epi8(b, at(p + 32)); }
  void subtract(const int8_t* p) { a = _mm256_sub_epi8(a, at(p)), b = _mm256_sub_epi8(b, at(p + 32)); }
  // Adds x where a bit is set.
  void add_where(uint64_t mask, int8_t x) {
    const __m256i bits = _mm256_set1_epi64x(int64_t(0x8040201008040201));
    const __m256i bytes = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,  //
                                           2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
    const auto where = [&](uint64_t half) {
      const __m256i spread = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32(int32_t(half)), bytes), bits);
      return _mm256_and_si256(_mm256_cmpeq_epi8(spread, bits), _mm256_set1_epi8(x));
    };
    a = _mm256_add_epi8(a, where(mask)), b = _mm256_add_epi8(b, where(mask >> 32));
  }
  void store(int8_t* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a), _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 32), b);
  }
  uint64_t above(const int8_t* p) const {
    const uint64_t low = uint32_t(_mm256_movemask_epi8(_mm256_cmpgt_epi8(a, at(p))));
    const uint64_t high = uint32_t(_mm256_movemask_epi8(_mm256_cmpgt_epi8(b, at(p + 32))));
    return low | high << 32;
  }
  __m128i quarter(int i) const {
    const __m256i half = i < 2 ? a : b;
    return i & 1 ? _mm256_extracti128_si256(half, 1) : _mm256_castsi256_si128(half);
  }
};

template <class Acc>
struct Wide64;

template <>
struct Wide64<int16_t> {
  __m256i v[4];

  static Wide64 zero() {
    Wide64 r;
    for (auto& part : r.v) part = _mm256_setzero_si256();
    return r;
  }
  static Wide64 load(const int16_t* p) {
    Wide64 r;
    for (int i = 0; i < 4; ++i) r.v[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 16 * i));
    return r;
  }
  void add(const Bytes64& d) {
    for (int i = 0; i < 4; ++i) v[i] = _mm256_add_epi16(v[i], _mm256_cvtepi8_epi16(d.quarter(i)));
  }
  void add_product(const int8_t* p, int16_t factor) {
    const __m256i f = _mm256_set1_epi16(factor);
    for (int i = 0; i < 4; ++i) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
      v[i] = _mm256_add_epi16(v[i], _mm256_mullo_epi16(f, _mm256_cvtepi8_epi16(bytes)));
    }
  }
  void add_all(int16_t x) {
    for (auto& part : v) part = _mm256_add_epi16(part, _mm256_set1_epi16(x));
  }
  void add_where(uint64_t mask, int16_t x) {
    const __m256i bits =
        _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, -32768);
    for (int i = 0; i < 4; ++i) {
      const __m256i spread = _mm256_and_si256(_mm256_set1_epi16(int16_t(mask >> (16 * i))), bits);
      v[i] = _mm256_add_epi16(v[i], _mm256_and_si256(_mm256_cmpeq_epi16(spread, bits), _mm256_set1_epi16(x)));
    }
  }
  void store(int16_t* p) const {
    for (int i = 0; i < 4; ++i) _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 16 * i), v[i]);
  }
  // Less these, as bytes of -127..127.
  Bytes64 above_middle(const int16_t* p) const {
    const auto half = [&](int i) {
      const auto* at = reinterpret_cast<const __m256i*>(p + 16 * i);
      const __m256i one = _mm256_subs_epi16(v[i], _mm256_loadu_si256(at));
      const __m256i two = _mm256_subs_epi16(v[i + 1], _mm256_loadu_si256(at + 1));
      return _mm256_max_epi8(_mm256_permute4x64_epi64(_mm256_packs_epi16(one, two), 0xd8), _mm256_set1_epi8(-127));
    };
    return {half(0), half(2)};
  }
  uint64_t at_least(const int16_t* threshold) const { return ~below<2>(threshold); }
  uint64_t at_least_low(const int16_t* threshold) const { return uint32_t(~below<1>(threshold)); }  // of the first 32
  template <int Halves>
  uint64_t below(const int16_t* threshold) const {
    uint64_t below = 0;
    for (int i = 0; i < Halves; ++i) {
      const auto* t = reinterpret_cast<const __m256i*>(threshold + 32 * i);
      const __m256i low = _mm256_cmpgt_epi16(_mm256_loadu_si256(t), v[2 * i]);
      const __m256i high = _mm256_cmpgt_epi16(_mm256_loadu_si256(t + 1), v[2 * i + 1]);
      const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8);
      below |= uint64_t(uint32_t(_mm256_movemask_epi8(packed))) << (32 * i);
    }
    return below;
  }
};

template <>
struct Wide64<int32_t> {
  __m256i v[8];

  static Wide64 zero() {
    Wide64 r;
    for (auto& part : r.v) part = _mm256_setzero_si256();
    return r;
  }
  static Wide64 load(const int32_t* p) {
    Wide64 r;
    for (int i = 0; i < 8; ++i) r.v[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 8 * i));
    return r;
  }
  void add(const Bytes64& d) {
    for (int i = 0; i < 4; ++i) {
      const __m128i bytes = d.quarter(i);
      v[2 * i] = _mm256_add_epi32(v[2 * i], _mm256_cvtepi8_epi32(bytes));
      v[2 * i + 1] = _mm256_add_epi32(v[2 * i + 1], _mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8)));
    }
  }
  void add_product(const int8_t* p, int32_t factor) {
    const __m256i f = _mm256_set1_epi32(factor);
    for (int i = 0; i < 8; ++i) {
      const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + 8 * i));
      v[i] = _mm256_add_epi32(v[i], _mm256_mullo_epi32(f, _mm256_cvtepi8_epi32(bytes)));
    }
  }
  void store(int32_t* p) const {
    for (int i = 0; i < 8; ++i) _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8 * i), v[i]);
  }
  uint64_t at_least(const int32_t* threshold) const { return ~below<8>(threshold); }
  uint64_t at_least_low(const int32_t* threshold) const { return uint32_t(~below<4>(threshold)); }  // of the first 32
  template <int Eighths>
  uint64_t below(const int32_t* threshold) const {
    uint64_t below = 0;
    for (int i = 0; i < Eighths; ++i) {
      const __m256i t = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(threshold + 8 * i));
      const __m256i gt = _mm256_cmpgt_epi32(t, v[i]);
      below |= uint64_t(uint32_t(_mm256_movemask_ps(_mm256_castsi256_ps(gt)))) << (8 * i);
    }
    return below;
  }
};

// Of three vectors, bit by bit.
inline __m128i parity_of(__m128i a, __m128i b, __m128i c) { return _mm_xor_si128(_mm_xor_si128(a, b), c); }
inline __m256i parity_of(__m256i a, __m256i b, __m256i c) { return _mm256_xor_si256(_mm256_xor_si256(a, b), c); }
inline __m128i majority_of(__m128i a, __m128i b, __m128i c) {
  return _mm_or_si128(_mm_and_si128(a, b), _mm_and_si128(_mm_xor_si128(a, b), c));
}
inline __m256i majority_of(__m256i a, __m256i b, __m256i c) {
  return _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(_mm256_xor_si256(a, b), c));
}
inline __m128i even_of(__m128i a, __m128i b, __m128i c) { return _mm_xor_si128(parity_of(a, b, c), _mm_set1_epi8(-1)); }
inline __m256i even_of(__m256i a, __m256i b, __m256i c) {
  return _mm256_xor_si256(parity_of(a, b, c), _mm256_set1_epi8(-1));
}

}  // namespace fat

#include "simd_avx.hpp"

namespace fat {

template <>
struct Bits<8> {
  Bits<4> low, high;

  static Bits zero() { return {Bits<4>::zero(), Bits<4>::zero()}; }
  static Bits load(const uint64_t* p) { return {Bits<4>::load(p), Bits<4>::load(p + 4)}; }
  Bits<4> front() const { return low; }
  Bits<4> back() const { return high; }
  // The last four words, and four more behind them.
  static Bits slid(Bits a, Bits<4> next) { return {a.high, next}; }
  static Bits parity(Bits a, Bits b, Bits c) {
    return {Bits<4>::parity(a.low, b.low, c.low), Bits<4>::parity(a.high, b.high, c.high)};
  }
  static Bits majority(Bits a, Bits b, Bits c) {
    return {Bits<4>::majority(a.low, b.low, c.low), Bits<4>::majority(a.high, b.high, c.high)};
  }
  static Bits both(Bits a, Bits b) { return {Bits<4>::both(a.low, b.low), Bits<4>::both(a.high, b.high)}; }
  static Bits differ(Bits a, Bits b) { return {Bits<4>::differ(a.low, b.low), Bits<4>::differ(a.high, b.high)}; }
};

// Bit-planes of clamp(values - thresholds, -limit, limit), 64 of each, two's complement: plane k at out[k * stride].
inline void slice_margins(const int16_t* values, const int16_t* thresholds, int16_t limit, int planes, uint64_t* out,
                          size_t stride) {
  const __m256i top = _mm256_set1_epi16(limit), bottom = _mm256_set1_epi16(int16_t(-limit));
  __m256i margins[4];
  for (int i = 0; i < 4; ++i) {
    const __m256i value = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values + 16 * i));
    const __m256i threshold = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(thresholds + 16 * i));
    margins[i] = _mm256_max_epi16(_mm256_min_epi16(_mm256_subs_epi16(value, threshold), top), bottom);
  }
  for (int k = 0; k < planes; ++k) {
    const __m128i left = _mm_cvtsi32_si128(15 - k);  // the bit becomes the sign, which packing keeps
    uint64_t word = 0;
    for (int half = 0; half < 2; ++half) {
      const __m256i low = _mm256_sll_epi16(margins[2 * half], left);
      const __m256i high = _mm256_sll_epi16(margins[2 * half + 1], left);
      const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8);
      word |= uint64_t(uint32_t(_mm256_movemask_epi8(packed))) << (32 * half);
    }
    out[k * stride] = word;
  }
}

inline int popcount(uint64_t x) { return int(_mm_popcnt_u64(x)); }

// Position of the lowest set bit; 0 for a word without one.
inline int lowest_bit(uint64_t x) { return int(_tzcnt_u64(x)) & 63; }

// to[i] = from[i] + add for i < count; may read and write up to 16 places further.
inline void append(const int32_t* from, int count, int32_t add, int, int32_t* to) {
  const __m256i by = _mm256_set1_epi32(add);
  for (int i = 0; i < count; i += 8) {
    const __m256i part = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), _mm256_add_epi32(part, by));
  }
}

// Fills list[count..size) with `ones` in the first half and `none` in the rest; may write 16 places further.
inline void fill(uint16_t* list, int count, int size, uint16_t ones, uint16_t none) {
  const __m256i place = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (int left = (size - count) / 2; count < size; count += 16, left -= 16) {
    const __m256i first = _mm256_cmpgt_epi16(_mm256_set1_epi16(int16_t(std::clamp(left, 0, 16))), place);
    const __m256i part = _mm256_blendv_epi8(_mm256_set1_epi16(int16_t(none)), _mm256_set1_epi16(int16_t(ones)), first);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(list + count), part);
  }
}

// Which of n words, at most 16, differ.
inline uint32_t differing(const uint64_t* a, const uint64_t* b, int n) {
  uint32_t found = 0;
  int i = 0;
  for (; i + 4 <= n; i += 4) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i));
    const __m256i same = _mm256_cmpeq_epi64(x, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i)));
    found |= uint32_t(~_mm256_movemask_pd(_mm256_castsi256_pd(same)) & 15) << i;
  }
  for (; i < n; ++i) found |= uint32_t(a[i] != b[i]) << i;
  return found;
}

// Adds `by` times a number of four bits, given bit by bit, to each of 64 integers; subtracts it where not `raised`.
// Touches none whose number is 0.
inline void add_counts(int32_t* to, const uint64_t* counts, uint64_t raised, int32_t by) {
  const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const auto spread = [bits](uint64_t mask) {
    return _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(int(mask & 255)), bits), bits);
  };
  const uint64_t any = counts[0] | counts[1] | counts[2] | counts[3];
  for (int i = 0; i < 64; i += 8) {
    if ((any >> i & 255) == 0) continue;
    __m256i number = _mm256_setzero_si256();
    for (int k = 0; k < 4; ++k) {
      number = _mm256_or_si256(number, _mm256_and_si256(spread(counts[k] >> i), _mm256_set1_epi32(1 << k)));
    }
    number = _mm256_mullo_epi32(number, _mm256_set1_epi32(by));
    const __m256i up = spread(raised >> i), touched = spread(any >> i);
    const __m256i change = _mm256_blendv_epi8(_mm256_sub_epi32(_mm256_setzero_si256(), number), number, up);
    const __m256i sums = _mm256_add_epi32(_mm256_maskload_epi32(to + i, touched), change);
    _mm256_maskstore_epi32(to + i, touched, sums);
  }
}

// Which of n integers, at most 64, meet their thresholds.
inline uint64_t at_least(const int32_t* integers, const int32_t* thresholds, int n) {
  uint64_t met = 0;
  int i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256i t = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(thresholds + i));
    const __m256i above = _mm256_cmpgt_epi32(t, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(integers + i)));
    met |= uint64_t(uint32_t(~_mm256_movemask_ps(_mm256_castsi256_ps(above)) & 255)) << i;
  }
  for (; i < n; ++i) met |= uint64_t(integers[i] >= thresholds[i]) << i;
  return met;
}

// sums[o] += scale * sum over n words of popcount(bits[i] & weights[i][o]), for 64 outputs o.
inline void popcounts(const uint64_t* bits, int n, const uint64_t* weights, int scale, int32_t* sums) {
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                         0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  for (int o = 0; o < 64; o += 8) {
    __m256i total0 = _mm256_setzero_si256(), total1 = total0;
    for (int start = 0; start < n; start += 31) {  // 31 * 8 bits fit in a byte
      const int end = start + 31 < n ? start + 31 : n;
      __m256i bytes0 = _mm256_setzero_si256(), bytes1 = bytes0;
      for (int i = start; i < end; ++i) {
        const __m256i word = _mm256_set1_epi64x(int64_t(bits[i]));
        const auto* w = reinterpret_cast<const __m256i*>(weights + i * 64 + o);
        const __m256i x0 = _mm256_and_si256(word, _mm256_loadu_si256(w));
        const __m256i x1 = _mm256_and_si256(word, _mm256_loadu_si256(w + 1));
        const __m256i low0 = _mm256_shuffle_epi8(table, _mm256_and_si256(x0, nibble));
        const __m256i low1 = _mm256_shuffle_epi8(table, _mm256_and_si256(x1, nibble));
        const __m256i high0 = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x0, 4), nibble));
        const __m256i high1 = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x1, 4), nibble));
        bytes0 = _mm256_add_epi8(bytes0, _mm256_add_epi8(low0, high0));
        bytes1 = _mm256_add_epi8(bytes1, _mm256_add_epi8(low1, high1));
      }
      total0 = _mm256_add_epi64(total0, _mm256_sad_epu8(bytes0, _mm256_setzero_si256()));
      total1 = _mm256_add_epi64(total1, _mm256_sad_epu8(bytes1, _mm256_setzero_si256()));
    }
    alignas(32) int64_t counts[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(counts), total0);
    _mm256_store_si256(reinterpret_cast<__m256i*>(counts + 4), total1);
    for (int i = 0; i < 8; ++i) sums[o + i] += scale * int32_t(counts[i]);
  }
}

// The number of planes that have each of 64 channels' bits, as bytes; planes are `stride` words apart.
inline void spread_levels(const uint64_t* planes, int count, int stride, uint8_t* to) {
  const __m256i bits = _mm256_set1_epi64x(int64_t(0x8040201008040201));
  const __m256i bytes = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,  //
                                         2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
  __m256i levels[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  for (int t = 0; t < count; ++t) {
    for (int half = 0; half < 2; ++half) {
      const __m256i word = _mm256_set1_epi32(int32_t(planes[size_t(t) * stride] >> (32 * half)));
      const __m256i spread = _mm256_and_si256(_mm256_shuffle_epi8(word, bytes), bits);
      levels[half] = _mm256_sub_epi8(levels[half], _mm256_cmpeq_epi8(spread, bits));
    }
  }
  for (int half = 0; half < 2; ++half) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 32 * half), levels[half]);
  }
}

// Sums of products of `Pixels` windows of unsigned bytes, `rows` rows of `steps` times four bytes, with `Vectors` times
// 16 outputs' weights [vector][row][step][output][4]. `period` steps fit in 16 bits. Eight outputs at a time.
template <int Pixels, int Vectors>
inline void byte_products(const uint8_t* const* windows, size_t pitch, int rows, int steps, const int8_t* weights,
                          size_t vector, int period, int32_t* sums, size_t to_next) {
  const __m256i one = _mm256_set1_epi16(1);
  for (int v = 0; v < 2 * Vectors; ++v) {
    const int8_t* eight = weights + v / 2 * vector + v % 2 * 32;
    __m256i sum[Pixels], narrow[Pixels];
    for (int i = 0; i < Pixels; ++i) sum[i] = narrow[i] = _mm256_setzero_si256();
    const auto widen = [&] {
      for (int i = 0; i < Pixels; ++i) {
        sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(narrow[i], one));
        narrow[i] = _mm256_setzero_si256();
      }
    };
    for (int row = 0, left = period; row < rows; ++row) {
      for (int step = 0; step < steps; ++step, eight += 64) {
        const __m256i weight = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(eight));
        for (int i = 0; i < Pixels; ++i) {
          int32_t four;
          std::memcpy(&four, windows[i] + row * pitch + 4 * step, 4);
          narrow[i] = _mm256_add_epi16(narrow[i], _mm256_maddubs_epi16(_mm256_set1_epi32(four), weight));
        }
        if (--left == 0) widen(), left = period;
      }
    }
    widen();
    for (int i = 0; i < Pixels; ++i) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + i * to_next + v * 8), sum[i]);
    }
  }
}

// Sums, lane by lane, of 64 channels' unsigned bytes times weights, over the taps of a window: `row` and `column` bytes
// lie between taps, `to_next` between the weights of one and of the next. Two taps are multiplied at a time.
inline Wide64<int16_t> lane_products(const uint8_t* window, size_t row, size_t column, int rows, int columns,
                                     const int8_t* weights, size_t to_next) {
  const auto load = [](const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); };
  Wide64<int16_t> sums;
  for (int part = 0; part < 2; ++part, window += 32) {
    __m256i low = _mm256_setzero_si256(), high = low, other = low, weight = low;
    const auto add = [&](__m256i one, __m256i its) {
      const __m256i lows = _mm256_maddubs_epi16(_mm256_unpacklo_epi8(one, other), _mm256_unpacklo_epi8(its, weight));
      const __m256i highs = _mm256_maddubs_epi16(_mm256_unpackhi_epi8(one, other), _mm256_unpackhi_epi8(its, weight));
      low = _mm256_add_epi16(low, lows), high = _mm256_add_epi16(high, highs);
    };
    const int8_t* at = weights + 32 * part;
    bool half = false;
    for (int ky = 0; ky < rows; ++ky) {
      for (int kx = 0; kx < columns; ++kx, at += to_next, half = !half) {
        const __m256i levels = load(window + ky * row + kx * column), its = load(at);
        if (half) add(levels, its);
        else other = levels, weight = its;
      }
    }
    if (half) add(_mm256_setzero_si256(), _mm256_setzero_si256());
    sums.v[2 * part] = _mm256_permute2x128_si256(low, high, 0x20);
    sums.v[2 * part + 1] = _mm256_permute2x128_si256(low, high, 0x31);
  }
  return sums;
}

}  // namespace fat
