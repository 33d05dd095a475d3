// What AVX2 and AVX-512 do alike, in vectors of 128 and 256 bits. They say themselves how parity, majority and evenness
// of three vectors are computed (parity_of, majority_of, even_of).
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace fat {

// `Words` words of bits, and logic on them. Here one or two of them, in 128 bits.
template <int Words>
struct Bits {
  static_assert(Words == 1 || Words == 2, "more have a form of their own");
  __m128i v;

  static Bits zero() { return {_mm_setzero_si128()}; }
  static Bits all(uint64_t word) { return {_mm_set1_epi64x(int64_t(word))}; }
  static Bits in_front(uint64_t word) { return {_mm_set_epi64x(0, int64_t(word))}; }  // the first half
  Bits<1> front() const { return {v}; }
  Bits<1> back() const { return {_mm_srli_si128(v, 8)}; }
  static Bits load(const uint64_t* p) {
    const auto* at = reinterpret_cast<const __m128i*>(p);
    return {Words == 1 ? _mm_loadl_epi64(at) : _mm_loadu_si128(at)};
  }
  void store(uint64_t* p) const {
    auto* at = reinterpret_cast<__m128i*>(p);
    if (Words == 1) _mm_storel_epi64(at, v);
    else _mm_storeu_si128(at, v);
  }
  static Bits parity(Bits a, Bits b, Bits c) { return {parity_of(a.v, b.v, c.v)}; }
  static Bits majority(Bits a, Bits b, Bits c) { return {majority_of(a.v, b.v, c.v)}; }
  static Bits even(Bits a, Bits b, Bits c) { return {even_of(a.v, b.v, c.v)}; }
  static Bits both(Bits a, Bits b) { return {_mm_and_si128(a.v, b.v)}; }
  static Bits differ(Bits a, Bits b) { return {_mm_xor_si128(a.v, b.v)}; }
};

template <>
struct Bits<4> {
  __m256i v;

  static Bits zero() { return {_mm256_setzero_si256()}; }
  static Bits all(uint64_t word) { return {_mm256_set1_epi64x(int64_t(word))}; }
  static Bits in_front(uint64_t word) { return {_mm256_zextsi128_si256(_mm_set1_epi64x(int64_t(word)))}; }
  static Bits load(const uint64_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
  static Bits halves(uint64_t low, uint64_t high) {
    return {_mm256_inserti128_si256(_mm256_castsi128_si256(_mm_set1_epi64x(int64_t(low))),
                                    _mm_set1_epi64x(int64_t(high)), 1)};
  }
  static Bits load_halves(const uint64_t* low, const uint64_t* high) {
    return {_mm256_inserti128_si256(_mm256_castsi128_si256(Bits<2>::load(low).v), Bits<2>::load(high).v, 1)};
  }
  Bits<2> front() const { return {_mm256_castsi256_si128(v)}; }
  Bits<2> back() const { return {_mm256_extracti128_si256(v, 1)}; }
  void store(uint64_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
  static Bits parity(Bits a, Bits b, Bits c) { return {parity_of(a.v, b.v, c.v)}; }
  static Bits majority(Bits a, Bits b, Bits c) { return {majority_of(a.v, b.v, c.v)}; }
  static Bits even(Bits a, Bits b, Bits c) { return {even_of(a.v, b.v, c.v)}; }
  static Bits both(Bits a, Bits b) { return {_mm256_and_si256(a.v, b.v)}; }
  static Bits differ(Bits a, Bits b) { return {_mm256_xor_si256(a.v, b.v)}; }
};

// Appends `count` offsets of 16 bits, each with `add` on it modulo 2^16; `usual` is how many vectors of 16 are written
// in any case, so that the processor seldom guesses the count wrong.
inline void append(const uint16_t* from, int count, int32_t add, int usual, uint16_t* to) {
  const __m256i by = _mm256_set1_epi16(int16_t(add));
  const auto vector = [&](int i) {
    const __m256i part = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), _mm256_add_epi16(part, by));
  };
  int i = 0;
  for (; i < 16 * usual; i += 16) vector(i);
  for (; i < count; i += 16) vector(i);
}

// The first n of a list of eight, filled up with `none`.
inline void first_of(const uint16_t* list, int n, uint16_t none, uint16_t* to) {
  const __m128i place = _mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7);
  const __m128i there = _mm_cmpgt_epi16(_mm_set1_epi16(int16_t(n)), place);
  const __m128i all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(list));
  _mm_store_si128(reinterpret_cast<__m128i*>(to), _mm_blendv_epi8(_mm_set1_epi16(int16_t(none)), all, there));
  asm("" : : "r"(to) : "memory");  // to be loaded from there: loads cost less than to take a vector apart
}

// The sums of numbers in windows of rows x columns places, for windows at `count` places of a row, and 0 for `more`
// behind them; the most of them. Numbers are `pitch` apart in a column; may read and write 16 places further.
inline uint16_t window_sums(const uint16_t* places, size_t pitch, int rows, int columns, int count, int more,
                            uint16_t* to) {
  const __m256i number = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m256i most = _mm256_setzero_si256();
  for (int from = 0; from < count + more; from += 16) {
    __m256i sum = _mm256_setzero_si256();
    for (int y = 0; y < rows; ++y) {
      for (int x = 0; x < columns; ++x) {
        const auto* at = reinterpret_cast<const __m256i*>(places + y * pitch + x + from);
        sum = _mm256_add_epi16(sum, _mm256_loadu_si256(at));
      }
    }
    sum = _mm256_and_si256(sum, _mm256_cmpgt_epi16(_mm256_set1_epi16(int16_t(count - from)), number));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + from), sum);
    most = _mm256_max_epu16(most, sum);
  }
  const __m128i half = _mm_max_epu16(_mm256_castsi256_si128(most), _mm256_extracti128_si256(most, 1));
  return uint16_t(~_mm_extract_epi16(_mm_minpos_epu16(_mm_xor_si128(half, _mm_set1_epi8(-1))), 0));
}

}  // namespace fat
