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
  static Bits load(const uint64_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
  static Bits halves(uint64_t low, uint64_t high) {
    return {_mm256_inserti128_si256(_mm256_castsi128_si256(_mm_set1_epi64x(int64_t(low))),
                                    _mm_set1_epi64x(int64_t(high)), 1)};
  }
  static Bits load_halves(const uint64_t* low, const uint64_t* high) {
    return {_mm256_inserti128_si256(_mm256_castsi128_si256(Bits<2>::load(low).v), Bits<2>::load(high).v, 1)};
  }
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

}  // namespace fat
