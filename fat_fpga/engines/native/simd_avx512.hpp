// AVX-512 with BW and VPOPCNTDQ: 64 bytes are one register.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#define FAT_BIT_COLUMNS 1  // see bit_columns.cpp
#define FAT_COMPRESSED_LISTS 1
#define FAT_SLIDING 1  // see sliding.cpp

namespace fat {

constexpr int kBitBlocks = 8;      // blocks of 64 channels whose bits a register holds
constexpr int kMaxGroup = 8;       // blocks whose sums fit in registers
constexpr int kCountedScores = 8;  // weight planes times planes; see Dense::counts_scores
constexpr double kDenseCost = 12;
constexpr double kByteCost = 0.6;  // of 16 outputs of four inputs by products of bytes, in the same unit

// A mask of fewer than 64 bits as a word. GCC 12 takes a mask for zero-extended wherever it is, also where it has
// spilled its 32 bits to the stack, and reads what is above them: only in a general register it is widened for certain.
template <class Mask>
inline uint64_t word_of(Mask mask) {
  static_assert(sizeof(Mask) < sizeof(uint64_t), "all 64 bits are there already");
  asm("" : "+r"(mask));
  return mask;
}

struct Bytes64 {
  __m512i v;

  static Bytes64 zero() { return {_mm512_setzero_si512()}; }
  void add(const int8_t* p) { v = _mm512_add_epi8(v, _mm512_loadu_si512(p)); }
  void subtract(const int8_t* p) { v = _mm512_sub_epi8(v, _mm512_loadu_si512(p)); }
  void add_where(uint64_t mask, int8_t x) { v = _mm512_mask_add_epi8(v, mask, v, _mm512_set1_epi8(x)); }
  void store(int8_t* p) const { _mm512_storeu_si512(p, v); }
  uint64_t above(const int8_t* p) const { return _mm512_cmpgt_epi8_mask(v, _mm512_loadu_si512(p)); }
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
    const uint64_t l = word_of(_mm512_cmpge_epi16_mask(low, _mm512_loadu_si512(threshold)));
    const uint64_t h = word_of(_mm512_cmpge_epi16_mask(high, _mm512_loadu_si512(threshold + 32)));
    return l | h << 32;
  }
  // Less these, as bytes of -127..127.
  Bytes64 above_middle(const int16_t* p) const {
    const __m256i l = _mm512_cvtsepi16_epi8(_mm512_subs_epi16(low, _mm512_loadu_si512(p)));
    const __m256i h = _mm512_cvtsepi16_epi8(_mm512_subs_epi16(high, _mm512_loadu_si512(p + 32)));
    const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(l), h, 1);
    return {_mm512_max_epi8(both, _mm512_set1_epi8(-127))};
  }
  uint64_t at_least_low(const int16_t* threshold) const {  // of the first 32
    return word_of(_mm512_cmpge_epi16_mask(low, _mm512_loadu_si512(threshold)));
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
      mask |= word_of(_mm512_cmpge_epi32_mask(v[i], _mm512_loadu_si512(threshold + 16 * i))) << (16 * i);
    }
    return mask;
  }
  uint64_t at_least_low(const int32_t* threshold) const {  // of the first 32
    uint64_t mask = 0;
    for (int i = 0; i < 2; ++i) {
      mask |= word_of(_mm512_cmpge_epi32_mask(v[i], _mm512_loadu_si512(threshold + 16 * i))) << (16 * i);
    }
    return mask;
  }
};

// Of three vectors, bit by bit.
inline __m128i parity_of(__m128i a, __m128i b, __m128i c) { return _mm_ternarylogic_epi64(a, b, c, 0x96); }
inline __m256i parity_of(__m256i a, __m256i b, __m256i c) { return _mm256_ternarylogic_epi64(a, b, c, 0x96); }
inline __m128i majority_of(__m128i a, __m128i b, __m128i c) { return _mm_ternarylogic_epi64(a, b, c, 0xe8); }
inline __m256i majority_of(__m256i a, __m256i b, __m256i c) { return _mm256_ternarylogic_epi64(a, b, c, 0xe8); }
inline __m128i even_of(__m128i a, __m128i b, __m128i c) { return _mm_ternarylogic_epi64(a, b, c, 0x69); }
inline __m256i even_of(__m256i a, __m256i b, __m256i c) { return _mm256_ternarylogic_epi64(a, b, c, 0x69); }

}  // namespace fat

#include "simd_avx.hpp"

namespace fat {

template <>
struct Bits<8> {
  __m512i v;

  static Bits zero() { return {_mm512_setzero_si512()}; }
  static Bits all(uint64_t word) { return {_mm512_set1_epi64(int64_t(word))}; }
  static Bits in_front(uint64_t word) { return {_mm512_maskz_set1_epi64(15, int64_t(word))}; }
  static Bits load(const uint64_t* p) { return {_mm512_loadu_si512(p)}; }
  Bits<4> front() const { return {_mm512_castsi512_si256(v)}; }  // the first four words
  Bits<4> back() const { return {_mm512_extracti64x4_epi64(v, 1)}; }
  // The last four words, and four more behind them.
  static Bits slid(Bits a, Bits<4> next) { return {_mm512_alignr_epi64(_mm512_castsi256_si512(next.v), a.v, 4)}; }
  void store(uint64_t* p) const { _mm512_storeu_si512(p, v); }
  static Bits parity(Bits a, Bits b, Bits c) { return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0x96)}; }
  static Bits majority(Bits a, Bits b, Bits c) { return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0xe8)}; }
  static Bits even(Bits a, Bits b, Bits c) { return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0x69)}; }
  static Bits both(Bits a, Bits b) { return {_mm512_and_si512(a.v, b.v)}; }
  static Bits differ(Bits a, Bits b) { return {_mm512_xor_si512(a.v, b.v)}; }
};

// Bit-planes of clamp(values - thresholds, -limit, limit), 64 of each, two's complement: plane k at out[k * stride].
inline void slice_margins(const int16_t* values, const int16_t* thresholds, int16_t limit, int planes, uint64_t* out,
                          size_t stride) {
  const __m512i top = _mm512_set1_epi16(limit), bottom = _mm512_set1_epi16(int16_t(-limit));
  const auto margin = [&](int at) {
    const __m512i wide = _mm512_subs_epi16(_mm512_loadu_si512(values + at), _mm512_loadu_si512(thresholds + at));
    return _mm512_max_epi16(_mm512_min_epi16(wide, top), bottom);
  };
  const __m512i low = margin(0), high = margin(32);
  for (int k = 0; k < planes; ++k) {
    const __m512i bit = _mm512_set1_epi16(int16_t(1 << k));
    out[k * stride] = word_of(_mm512_test_epi16_mask(low, bit)) | word_of(_mm512_test_epi16_mask(high, bit)) << 32;
  }
}

inline int popcount(uint64_t x) { return int(_mm_popcnt_u64(x)); }

// Bits that `rows` rows of n words, so many words apart, have in common with as many others.
#define FAT_POPCOUNT_COMMON 1
inline int popcount_common(const uint64_t* a, size_t a_pitch, const uint64_t* b, size_t b_pitch, int n, int rows) {
  __m512i counts = _mm512_setzero_si512();
  const auto lanes = __mmask8((1u << ((n - 1) % 8 + 1)) - 1);  // of the last vector of a row
  for (int r = 0; r < rows; ++r, a += a_pitch, b += b_pitch) {
    int i = 0;
    for (; i + 8 < n; i += 8) {
      const __m512i both = _mm512_and_si512(_mm512_loadu_si512(a + i), _mm512_loadu_si512(b + i));
      counts = _mm512_add_epi64(counts, _mm512_popcnt_epi64(both));
    }
    const __m512i both =
        _mm512_and_si512(_mm512_maskz_loadu_epi64(lanes, a + i), _mm512_maskz_loadu_epi64(lanes, b + i));
    counts = _mm512_add_epi64(counts, _mm512_popcnt_epi64(both));
  }
  return int(_mm512_reduce_add_epi64(counts));
}

// Which of `count` words (at most eight), `stride` words apart, have the bit.
inline uint32_t set_in(const uint64_t* words, size_t stride, int count, uint64_t bit) {
  const __mmask8 some = __mmask8((1u << count) - 1);
  const __m512i wanted = _mm512_set1_epi64(int64_t(bit));
  if (stride == 1)
    return uint32_t(word_of(_mm512_mask_test_epi64_mask(some, _mm512_maskz_loadu_epi64(some, words), wanted)));
  const __m512i at = _mm512_mullo_epi64(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi64(int64_t(stride)));
  const __m512i gathered = _mm512_mask_i64gather_epi64(_mm512_setzero_si512(), some, at, words, 8);
  return uint32_t(word_of(_mm512_mask_test_epi64_mask(some, gathered, wanted)));
}

// Position of the lowest set bit; 0 for a word without one.
inline int lowest_bit(uint64_t x) { return int(_tzcnt_u64(x)) & 63; }

// 2 * i for each set bit i of `changed`, and 1 more where it is set in `lowered`, as bytes side by side.
inline __m512i changed_places(uint64_t changed, uint64_t lowered) {
  alignas(64) static constexpr uint8_t kTwice[64] = {
      0,  2,  4,  6,  8,  10, 12,  14,  16,  18,  20,  22,  24,  26,  28,  30,  32,  34,  36,  38, 40, 42,
      44, 46, 48, 50, 52, 54, 56,  58,  60,  62,  64,  66,  68,  70,  72,  74,  76,  78,  80,  82, 84, 86,
      88, 90, 92, 94, 96, 98, 100, 102, 104, 106, 108, 110, 112, 114, 116, 118, 120, 122, 124, 126};
  const __m512i twice = _mm512_load_si512(kTwice);
  return _mm512_maskz_compress_epi8(changed, _mm512_mask_add_epi8(twice, lowered, twice, _mm512_set1_epi8(1)));
}

// Appends base + 64 * places[i] for each set bit i of `changed`, and 64 more where it is set in `lowered`; the end of
// the list. May write some places further.
inline int32_t* list_places(uint64_t changed, uint64_t lowered, const uint8_t* places, int32_t base, int32_t* entry) {
  const __m512i at = _mm512_loadu_si512(places), start = _mm512_set1_epi32(base);
  const __m512i set = _mm512_maskz_compress_epi8(changed, _mm512_mask_add_epi8(at, lowered, at, _mm512_set1_epi8(1)));
  const int count = popcount(changed);
  const auto write = [&](int32_t* to, __m128i part) {
    _mm512_storeu_si512(to, _mm512_add_epi32(_mm512_slli_epi32(_mm512_cvtepu8_epi32(part), 6), start));
  };
  write(entry, _mm512_castsi512_si128(set));
  if (count > 16) {
    write(entry + 16, _mm512_extracti32x4_epi32(set, 1));
    write(entry + 32, _mm512_extracti32x4_epi32(set, 2));
    write(entry + 48, _mm512_extracti32x4_epi32(set, 3));
  }
  return entry + count;
}

// Appends base + 2 * half * i for each set bit i of `changed`, and `half` more where it is set in `lowered`; the end of
// the list. May write some places further.
inline int32_t* list_changes(uint64_t changed, uint64_t lowered, int32_t base, int32_t half, int32_t* entry) {
  const __m512i by = _mm512_set1_epi32(half), start = _mm512_set1_epi32(base);
  const __m512i set = changed_places(changed, lowered);
  const int count = popcount(changed);
  const auto write = [&](int32_t* to, __m128i part) {
    _mm512_storeu_si512(to, _mm512_add_epi32(_mm512_mullo_epi32(_mm512_cvtepu8_epi32(part), by), start));
  };
  write(entry, _mm512_castsi512_si128(set));  // whatever the count, so that the processor has nothing to guess
  if (count > 16) {
    write(entry + 16, _mm512_extracti32x4_epi32(set, 1));
    write(entry + 32, _mm512_extracti32x4_epi32(set, 2));
    write(entry + 48, _mm512_extracti32x4_epi32(set, 3));
  }
  return entry + count;
}

// The same with offsets of 16 bits, modulo 2^16.
inline uint16_t* list_changes(uint64_t changed, uint64_t lowered, int32_t base, int32_t half, uint16_t* entry) {
  const __m256i by = _mm256_set1_epi16(int16_t(half)), start = _mm256_set1_epi16(int16_t(base));
  const __m512i set = changed_places(changed, lowered);
  const int count = popcount(changed);
  const auto write = [&](uint16_t* to, __m128i part) {
    const __m256i offsets = _mm256_add_epi16(_mm256_mullo_epi16(_mm256_cvtepu8_epi16(part), by), start);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), offsets);
  };
  write(entry, _mm512_castsi512_si128(set));
  if (count > 16) {
    write(entry + 16, _mm512_extracti32x4_epi32(set, 1));
    write(entry + 32, _mm512_extracti32x4_epi32(set, 2));
    write(entry + 48, _mm512_extracti32x4_epi32(set, 3));
  }
  return entry + count;
}

// to[i] = from[i] + add for i < count. `usual` is how many vectors of 16 are written in any case, so that the processor
// seldom guesses the count wrong; may read and write as much further.
inline void append(const int32_t* from, int count, int32_t add, int usual, int32_t* to) {
  const __m512i by = _mm512_set1_epi32(add);
  const auto vector = [&](int i) { _mm512_storeu_si512(to + i, _mm512_add_epi32(_mm512_loadu_si512(from + i), by)); };
  int i = 0;
  for (; i < 16 * usual; i += 16) vector(i);
  for (; i < count; i += 16) vector(i);
}

// Fills list[count..size) with `ones` in the first half and `none` in the rest; may write 16 places further.
inline void fill(uint16_t* list, int count, int size, uint16_t ones, uint16_t none) {
  for (int left = (size - count) / 2; count < size; count += 16, left -= 16) {
    const uint32_t mask = left >= 16 ? 0xffff : (1u << std::max(left, 0)) - 1;
    const __m256i part =
        _mm256_mask_blend_epi16(__mmask16(mask), _mm256_set1_epi16(int16_t(none)), _mm256_set1_epi16(int16_t(ones)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(list + count), part);
  }
}

// Which of n words, at most 16, differ.
inline uint32_t differing(const uint64_t* a, const uint64_t* b, int n) {
  uint32_t found = 0;
  for (int i = 0; i < n; i += 8) {
    const auto lanes = __mmask8(n - i >= 8 ? 255 : (1 << (n - i)) - 1);
    const __m512i x = _mm512_maskz_loadu_epi64(lanes, a + i), y = _mm512_maskz_loadu_epi64(lanes, b + i);
    found |= uint32_t(word_of(_mm512_mask_cmpneq_epi64_mask(lanes, x, y))) << i;
  }
  return found;
}

// Adds `by` times a number of four bits, given bit by bit, to each of 64 integers; subtracts it where not `raised`.
// Touches none whose number is 0.
inline void add_counts(int32_t* to, const uint64_t* counts, uint64_t raised, int32_t by) {
  const uint64_t any = counts[0] | counts[1] | counts[2] | counts[3];
  for (int i = 0; i < 64; i += 16) {
    const auto touched = __mmask16(any >> i);
    if (touched == 0) continue;
    __m512i number = _mm512_setzero_si512();
    for (int k = 0; k < 4; ++k) {
      number = _mm512_mask_or_epi32(number, __mmask16(counts[k] >> i), number, _mm512_set1_epi32(1 << k));
    }
    number = _mm512_mullo_epi32(number, _mm512_set1_epi32(by));
    number = _mm512_mask_sub_epi32(number, __mmask16(~raised >> i), _mm512_setzero_si512(), number);
    _mm512_mask_storeu_epi32(to + i, touched, _mm512_add_epi32(_mm512_maskz_loadu_epi32(touched, to + i), number));
  }
}

// Which of n integers, at most 64, meet their thresholds.
inline uint64_t at_least(const int32_t* integers, const int32_t* thresholds, int n) {
  uint64_t met = 0;
  for (int i = 0; i < n; i += 16) {
    const auto lanes = __mmask16(n - i >= 16 ? 65535 : (1 << (n - i)) - 1);
    const __m512i values = _mm512_maskz_loadu_epi32(lanes, integers + i);
    met |= word_of(_mm512_mask_cmpge_epi32_mask(lanes, values, _mm512_maskz_loadu_epi32(lanes, thresholds + i))) << i;
  }
  return met;
}

// sums[o] += scale * sum over n words of popcount(bits[i] & weights[i][o]), for 64 outputs o, or the first `Outputs`.
#define FAT_POPCOUNTS_FEW 1
template <int Outputs = 64>
inline void popcounts(const uint64_t* bits, int n, const uint64_t* weights, int scale, int32_t* sums) {
  constexpr int kVectors = Outputs / 8;
  __m512i counts[kVectors];
  for (int g = 0; g < kVectors; ++g) counts[g] = _mm512_setzero_si512();
  for (int i = 0; i < n; ++i) {
    const __m512i word = _mm512_set1_epi64(int64_t(bits[i]));
    for (int g = 0; g < kVectors; ++g) {
      const __m512i both = _mm512_and_si512(word, _mm512_loadu_si512(weights + i * 64 + g * 8));
      counts[g] = _mm512_add_epi64(counts[g], _mm512_popcnt_epi64(both));
    }
  }
  const __m256i factor = _mm256_set1_epi32(scale);
  for (int g = 0; g < kVectors; ++g) {
    auto* out = reinterpret_cast<__m256i*>(sums + g * 8);
    const __m256i product = _mm256_mullo_epi32(_mm512_cvtepi64_epi32(counts[g]), factor);
    _mm256_storeu_si256(out, _mm256_add_epi32(_mm256_loadu_si256(out), product));
  }
}

// base * popcount(window) + scale * popcount(window & weights[o]) of 64 outputs o: of `Pixels` windows, `next` words
// apart, each of `rows` rows of n words that are `pitch` words apart.
#define FAT_WINDOW_SUMS 1
template <int Pixels>
inline void window_sums(const uint64_t* bits, size_t next, size_t pitch, int rows, int n, const uint64_t* weights,
                        int base, int scale, Wide64<int32_t>* sums) {
  __m512i counts[Pixels][8];
  int set[Pixels] = {};
#pragma GCC unroll 2
  for (int p = 0; p < Pixels; ++p) {
#pragma GCC unroll 8
    for (int g = 0; g < 8; ++g) counts[p][g] = _mm512_setzero_si512();
  }
  for (int r = 0; r < rows; ++r, bits += pitch) {
    for (int i = 0; i < n; ++i, weights += 64) {
      __m512i words[Pixels];
#pragma GCC unroll 2
      for (int p = 0; p < Pixels; ++p) {
        const uint64_t word = bits[p * next + i];
        words[p] = _mm512_set1_epi64(int64_t(word));
        set[p] += popcount(word);
      }
#pragma GCC unroll 8
      for (int g = 0; g < 8; ++g) {
        const __m512i column = _mm512_loadu_si512(weights + g * 8);
#pragma GCC unroll 2
        for (int p = 0; p < Pixels; ++p) {
          counts[p][g] = _mm512_add_epi64(counts[p][g], _mm512_popcnt_epi64(_mm512_and_si512(words[p], column)));
        }
      }
    }
  }
  const __m512i factor = _mm512_set1_epi32(scale);
  const __m512i low = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
#pragma GCC unroll 2
  for (int p = 0; p < Pixels; ++p) {
    const __m512i start = _mm512_set1_epi32(base * set[p]);
#pragma GCC unroll 4
    for (int g = 0; g < 4; ++g) {
      const __m512i both = _mm512_permutex2var_epi32(counts[p][2 * g], low, counts[p][2 * g + 1]);
      sums[p].v[g] = _mm512_add_epi32(_mm512_mullo_epi32(both, factor), start);
    }
  }
}

// The number of planes that have each of 64 channels' bits, as bytes; planes are `stride` words apart.
inline void spread_levels(const uint64_t* planes, int count, int stride, uint8_t* to) {
  const __m512i one = _mm512_set1_epi8(1);
  __m512i levels = _mm512_setzero_si512();
  for (int t = 0; t < count; ++t) levels = _mm512_mask_add_epi8(levels, planes[size_t(t) * stride], levels, one);
  _mm512_storeu_si512(to, levels);
}

// Sums of products of `Pixels` windows of unsigned bytes, `rows` rows of `steps` times four bytes, with `Vectors` times
// 16 outputs' weights [vector][row][step][output][4]. `period` steps fit in 16 bits, where sums have no more.
template <int Pixels, int Vectors>
inline void byte_products(const uint8_t* const* windows, size_t pitch, int rows, int steps, const int8_t* weights,
                          size_t vector, int, int32_t* sums, size_t to_next) {
  // So many sums of each, as the next product waits for the one before.
  constexpr int kOwn = Pixels * Vectors >= 4 ? 1 : 4 / (Pixels * Vectors);
  __m512i sum[kOwn][Pixels][Vectors];
  for (auto& own : sum) {
    for (auto& pixel : own) {
      for (auto& v : pixel) v = _mm512_setzero_si512();
    }
  }
  for (int row = 0; row < rows; ++row) {
    const uint8_t* from[Pixels];
    for (int i = 0; i < Pixels; ++i) from[i] = windows[i] + row * pitch;
    const auto add = [&](int step, __m512i(&to)[Pixels][Vectors]) {
      __m512i weight[Vectors];
      for (int v = 0; v < Vectors; ++v) weight[v] = _mm512_loadu_si512(weights + step * 64 + v * vector);
      for (int i = 0; i < Pixels; ++i) {
        int32_t four;
        std::memcpy(&four, from[i] + 4 * step, 4);
        const __m512i levels = _mm512_set1_epi32(four);
        for (int v = 0; v < Vectors; ++v) to[i][v] = _mm512_dpbusd_epi32(to[i][v], levels, weight[v]);
      }
    };
    int step = 0;
    for (; step + kOwn <= steps; step += kOwn) {
      for (int own = 0; own < kOwn; ++own) add(step + own, sum[own]);
    }
    for (; step < steps; ++step) add(step, sum[0]);
    weights += size_t(steps) * 64;
  }
  for (int i = 0; i < Pixels; ++i) {
    for (int v = 0; v < Vectors; ++v) {
      for (int own = 1; own < kOwn; ++own) sum[0][i][v] = _mm512_add_epi32(sum[0][i][v], sum[own][i][v]);
      _mm512_storeu_si512(sums + i * to_next + v * 16, sum[0][i][v]);
    }
  }
}

// Sums, lane by lane, of 64 channels' unsigned bytes times weights, over the taps of a window: `row` and `column` bytes
// lie between taps, `to_next` between the weights of one and of the next. Two taps are multiplied at a time.
inline Wide64<int16_t> lane_products(const uint8_t* window, size_t row, size_t column, int rows, int columns,
                                     const int8_t* weights, size_t to_next) {
  __m512i low = _mm512_setzero_si512(), high = low, other = low, weight = low;
  const auto add = [&](__m512i one, __m512i its) {
    low = _mm512_add_epi16(low,
                           _mm512_maddubs_epi16(_mm512_unpacklo_epi8(one, other), _mm512_unpacklo_epi8(its, weight)));
    high = _mm512_add_epi16(high,
                            _mm512_maddubs_epi16(_mm512_unpackhi_epi8(one, other), _mm512_unpackhi_epi8(its, weight)));
  };
  bool half = false;
  for (int ky = 0; ky < rows; ++ky) {
    for (int kx = 0; kx < columns; ++kx, weights += to_next, half = !half) {
      const __m512i levels = _mm512_loadu_si512(window + ky * row + kx * column), its = _mm512_loadu_si512(weights);
      if (half) add(levels, its);
      else other = levels, weight = its;
    }
  }
  if (half) add(_mm512_setzero_si512(), _mm512_setzero_si512());
  const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11),
                second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  return {_mm512_permutex2var_epi64(low, first, high), _mm512_permutex2var_epi64(low, second, high)};
}

}  // namespace fat
