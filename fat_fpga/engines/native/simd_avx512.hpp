// AVX-512 with BW and VPOPCNTDQ: 64 bytes are one register.
#pragma once

#include <immintrin.h>

#include <cstdint>

#define FAT_BIT_COLUMNS 1  // see bit_columns.cpp

namespace fat {

constexpr int kMaxGroup = 8;  // blocks whose sums fit in registers
constexpr double kDenseCost = 12;

struct Bytes64 {
  __m512i v;

  static Bytes64 zero() { return {_mm512_setzero_si512()}; }
  void add(const int8_t* p) { v = _mm512_add_epi8(v, _mm512_loadu_si512(p)); }
  void subtract(const int8_t* p) { v = _mm512_sub_epi8(v, _mm512_loadu_si512(p)); }
  void store(int8_t* p) const { _mm512_storeu_si512(p, v); }
};

template <class Acc>
struct Wide64;

template <>
struct Wide64<int16_t> {
  __m512i low, high;

  static Wide64 zero() { return {_mm512_setzero_si512(), _mm512_setzero_si512()}; }
  static Wide64 load(const int16_t* p) { return {_mm512_loadu_si512(p), _mm512_loadu_si512(p + 32)}; }
  void add(const Bytes64& d) {
    low = _mm512_add_epi16(low, _mm512_cvtepi8_epi16(_mm512_castsi512_si256(d.v)));
    high = _mm512_add_epi16(high, _mm512_cvtepi8_epi16(_mm512_extracti64x4_epi64(d.v, 1)));
  }
  void add_product(const int8_t* p, int16_t factor) {
    const __m512i f = _mm512_set1_epi16(factor);
    const auto* half = reinterpret_cast<const __m256i*>(p);
    low = _mm512_add_epi16(low, _mm512_mullo_epi16(f, _mm512_cvtepi8_epi16(_mm256_loadu_si256(half))));
    high = _mm512_add_epi16(high, _mm512_mullo_epi16(f, _mm512_cvtepi8_epi16(_mm256_loadu_si256(half + 1))));
  }
  void add_all(int16_t x) {
    const __m512i v = _mm512_set1_epi16(x);
    low = _mm512_add_epi16(low, v), high = _mm512_add_epi16(high, v);
  }
  void add_where(uint64_t mask, int16_t x) {
    const __m512i v = _mm512_set1_epi16(x);
    low = _mm512_mask_add_epi16(low, __mmask32(mask), low, v);
    high = _mm512_mask_add_epi16(high, __mmask32(mask >> 32), high, v);
  }
  void store(int16_t* p) const { _mm512_storeu_si512(p, low), _mm512_storeu_si512(p + 32, high); }
  uint64_t at_least(const int16_t* threshold) const {
    const uint64_t l = _mm512_cmpge_epi16_mask(low, _mm512_loadu_si512(threshold));
    const uint64_t h = _mm512_cmpge_epi16_mask(high, _mm512_loadu_si512(threshold + 32));
    return l | h << 32;
  }
};

template <>
struct Wide64<int32_t> {
  __m512i v[4];

  static Wide64 zero() {
    const __m512i none = _mm512_setzero_si512();
    return {{none, none, none, none}};
  }
  static Wide64 load(const int32_t* p) {
    Wide64 r;
    for (int i = 0; i < 4; ++i) r.v[i] = _mm512_loadu_si512(p + 16 * i);
    return r;
  }
  void add(const Bytes64& d) {
    v[0] = _mm512_add_epi32(v[0], _mm512_cvtepi8_epi32(_mm512_castsi512_si128(d.v)));
    v[1] = _mm512_add_epi32(v[1], _mm512_cvtepi8_epi32(_mm512_extracti64x2_epi64(d.v, 1)));
    v[2] = _mm512_add_epi32(v[2], _mm512_cvtepi8_epi32(_mm512_extracti64x2_epi64(d.v, 2)));
    v[3] = _mm512_add_epi32(v[3], _mm512_cvtepi8_epi32(_mm512_extracti64x2_epi64(d.v, 3)));
  }
  void add_product(const int8_t* p, int32_t factor) {
    const __m512i f = _mm512_set1_epi32(factor);
    for (int i = 0; i < 4; ++i) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
      v[i] = _mm512_add_epi32(v[i], _mm512_mullo_epi32(f, _mm512_cvtepi8_epi32(bytes)));
    }
  }
  void store(int32_t* p) const {
    for (int i = 0; i < 4; ++i) _mm512_storeu_si512(p + 16 * i, v[i]);
  }
  uint64_t at_least(const int32_t* threshold) const {
    uint64_t mask = 0;
    for (int i = 0; i < 4; ++i) {
      mask |= uint64_t(_mm512_cmpge_epi32_mask(v[i], _mm512_loadu_si512(threshold + 16 * i))) << (16 * i);
    }
    return mask;
  }
};

// `Words` words of bits, and logic on them.
template <int Words>
struct Bits;

template <>
struct Bits<1> {
  __m128i v;

  static Bits zero() { return {_mm_setzero_si128()}; }
  static Bits load(const uint64_t* p) { return {_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))}; }
  void store(uint64_t* p) const { _mm_storel_epi64(reinterpret_cast<__m128i*>(p), v); }
  static Bits parity(Bits a, Bits b, Bits c) { return {_mm_ternarylogic_epi64(a.v, b.v, c.v, 0x96)}; }
  static Bits majority(Bits a, Bits b, Bits c) { return {_mm_ternarylogic_epi64(a.v, b.v, c.v, 0xe8)}; }
  static Bits both(Bits a, Bits b) { return {_mm_ternarylogic_epi64(a.v, b.v, b.v, 0xc0)}; }
  static Bits differ(Bits a, Bits b) { return {_mm_ternarylogic_epi64(a.v, b.v, b.v, 0x3c)}; }
};

template <>
struct Bits<2> {
  __m128i v;

  static Bits zero() { return {_mm_setzero_si128()}; }
  static Bits load(const uint64_t* p) { return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))}; }
  void store(uint64_t* p) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }
  static Bits parity(Bits a, Bits b, Bits c) { return {_mm_ternarylogic_epi64(a.v, b.v, c.v, 0x96)}; }
  static Bits majority(Bits a, Bits b, Bits c) { return {_mm_ternarylogic_epi64(a.v, b.v, c.v, 0xe8)}; }
  static Bits both(Bits a, Bits b) { return {_mm_ternarylogic_epi64(a.v, b.v, b.v, 0xc0)}; }
  static Bits differ(Bits a, Bits b) { return {_mm_ternarylogic_epi64(a.v, b.v, b.v, 0x3c)}; }
};

template <>
struct Bits<4> {
  __m256i v;

  static Bits zero() { return {_mm256_setzero_si256()}; }
  static Bits load(const uint64_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
  void store(uint64_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
  static Bits parity(Bits a, Bits b, Bits c) { return {_mm256_ternarylogic_epi64(a.v, b.v, c.v, 0x96)}; }
  static Bits majority(Bits a, Bits b, Bits c) { return {_mm256_ternarylogic_epi64(a.v, b.v, c.v, 0xe8)}; }
  static Bits both(Bits a, Bits b) { return {_mm256_ternarylogic_epi64(a.v, b.v, b.v, 0xc0)}; }
  static Bits differ(Bits a, Bits b) { return {_mm256_ternarylogic_epi64(a.v, b.v, b.v, 0x3c)}; }
};

template <>
struct Bits<8> {
  __m512i v;

  static Bits zero() { return {_mm512_setzero_si512()}; }
  static Bits load(const uint64_t* p) { return {_mm512_loadu_si512(p)}; }
  void store(uint64_t* p) const { _mm512_storeu_si512(p, v); }
  static Bits parity(Bits a, Bits b, Bits c) { return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0x96)}; }
  static Bits majority(Bits a, Bits b, Bits c) { return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0xe8)}; }
  static Bits both(Bits a, Bits b) { return {_mm512_ternarylogic_epi64(a.v, b.v, b.v, 0xc0)}; }
  static Bits differ(Bits a, Bits b) { return {_mm512_ternarylogic_epi64(a.v, b.v, b.v, 0x3c)}; }
};

inline int popcount(uint64_t x) { return int(_mm_popcnt_u64(x)); }

// Position of the lowest set bit; 0 for a word without one.
inline int lowest_bit(uint64_t x) { return int(_tzcnt_u64(x)) & 63; }

// Appends base + stride * i for each set bit i of `changed`, and `half` more where it is set in `lowered`; the end of the
// list. May write some places further. Those that were raised stand in front of those that were lowered.
inline int32_t* list_changes(uint64_t changed, uint64_t lowered, int32_t base, int32_t stride, int32_t half,
                             int32_t* entry) {
  alignas(64) static constexpr uint8_t kPlaces[64] = {
      0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
      32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
  const __m512i places = _mm512_load_si512(kPlaces);
  const __m512i by = _mm512_set1_epi32(stride);
  const auto list = [&](uint64_t mask, int32_t from) {
    const int count = popcount(mask);
    const __m512i set = _mm512_maskz_compress_epi8(mask, places), start = _mm512_set1_epi32(from);
    const auto write = [&](int32_t* to, __m128i part) {
      _mm512_storeu_si512(to, _mm512_add_epi32(_mm512_mullo_epi32(_mm512_cvtepu8_epi32(part), by), start));
    };
    write(entry, _mm512_castsi512_si128(set));  // whatever the count, so that the processor has nothing to guess
    if (count > 16) {
      write(entry + 16, _mm512_extracti32x4_epi32(set, 1));
      write(entry + 32, _mm512_extracti32x4_epi32(set, 2));
      write(entry + 48, _mm512_extracti32x4_epi32(set, 3));
    }
    entry += count;
  };
  list(changed & ~lowered, base);
  list(changed & lowered, base + half);
  return entry;
}

// to[i] = (from[i] + add) >> shift for i < count; may read and write up to 16 places further.
inline void append(const int32_t* from, int count, int32_t add, int shift, int32_t* to) {
  const __m512i by = _mm512_set1_epi32(add);
  const __m128i right = _mm_cvtsi32_si128(shift);
  for (int i = 0; i < count; i += 16) {
    _mm512_storeu_si512(to + i, _mm512_sra_epi32(_mm512_add_epi32(_mm512_loadu_si512(from + i), by), right));
  }
}

// sums[o] += scale * sum over n words of popcount(bits[i] & weights[i][o]), for 64 outputs o.
inline void popcounts(const uint64_t* bits, int n, const uint64_t* weights, int scale, int32_t* sums) {
  __m512i counts[8];
  for (int g = 0; g < 8; ++g) counts[g] = _mm512_setzero_si512();
  for (int i = 0; i < n; ++i) {
    const __m512i word = _mm512_set1_epi64(int64_t(bits[i]));
    for (int g = 0; g < 8; ++g) {
      const __m512i both = _mm512_and_si512(word, _mm512_loadu_si512(weights + i * 64 + g * 8));
      counts[g] = _mm512_add_epi64(counts[g], _mm512_popcnt_epi64(both));
    }
  }
  const __m256i factor = _mm256_set1_epi32(scale);
  for (int g = 0; g < 8; ++g) {
    auto* out = reinterpret_cast<__m256i*>(sums + g * 8);
    const __m256i product = _mm256_mullo_epi32(_mm512_cvtepi64_epi32(counts[g]), factor);
    _mm256_storeu_si256(out, _mm256_add_epi32(_mm256_loadu_si256(out), product));
  }
}

}  // namespace fat
