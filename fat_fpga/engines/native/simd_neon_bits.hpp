// NEON: logic on vectors of bits, and lists of 16 bits for bit_columns.cpp and sliding.cpp.
#pragma once

#include <arm_neon.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace fat {

// `Words` words of bits, and logic on them: two halves, down to a register.
template <int Words>
struct Bits {
  using Half = Bits<Words / 2>;
  Half low, high;

  static Bits zero() { return {Half::zero(), Half::zero()}; }
  static Bits all(uint64_t word) { return {Half::all(word), Half::all(word)}; }
  static Bits in_front(uint64_t word) { return {Half::all(word), Half::zero()}; }  // the first half
  static Bits halves(uint64_t first, uint64_t second) { return {Half::all(first), Half::all(second)}; }
  static Bits load(const uint64_t* p) { return {Half::load(p), Half::load(p + Words / 2)}; }
  static Bits load_halves(const uint64_t* first, const uint64_t* second) {
    return {Half::load(first), Half::load(second)};
  }
  // The last half, and another behind it.
  static Bits slid(Bits a, Half next) { return {a.high, next}; }
  Half front() const { return low; }
  Half back() const { return high; }
  void store(uint64_t* p) const { low.store(p), high.store(p + Words / 2); }
  static Bits parity(Bits a, Bits b, Bits c) {
    return {Half::parity(a.low, b.low, c.low), Half::parity(a.high, b.high, c.high)};
  }
  static Bits majority(Bits a, Bits b, Bits c) {
    return {Half::majority(a.low, b.low, c.low), Half::majority(a.high, b.high, c.high)};
  }
  static Bits even(Bits a, Bits b, Bits c) {
    return {Half::even(a.low, b.low, c.low), Half::even(a.high, b.high, c.high)};
  }
  static Bits both(Bits a, Bits b) { return {Half::both(a.low, b.low), Half::both(a.high, b.high)}; }
  static Bits differ(Bits a, Bits b) { return {Half::differ(a.low, b.low), Half::differ(a.high, b.high)}; }
};

template <>
struct Bits<1> {
  uint64x1_t v;

  static Bits zero() { return {vdup_n_u64(0)}; }
  static Bits all(uint64_t word) { return {vdup_n_u64(word)}; }
  static Bits load(const uint64_t* p) { return {vld1_u64(p)}; }
  void store(uint64_t* p) const { vst1_u64(p, v); }
  static Bits parity(Bits a, Bits b, Bits c) { return {veor_u64(veor_u64(a.v, b.v), c.v)}; }
  static Bits majority(Bits a, Bits b, Bits c) { return {vbsl_u64(veor_u64(a.v, b.v), c.v, a.v)}; }
  static Bits even(Bits a, Bits b, Bits c) { return differ(parity(a, b, c), all(~uint64_t(0))); }
  static Bits both(Bits a, Bits b) { return {vand_u64(a.v, b.v)}; }
  static Bits differ(Bits a, Bits b) { return {veor_u64(a.v, b.v)}; }
};

template <>
struct Bits<2> {
  uint64x2_t v;

  static Bits zero() { return {vdupq_n_u64(0)}; }
  static Bits all(uint64_t word) { return {vdupq_n_u64(word)}; }
  static Bits in_front(uint64_t word) { return {vcombine_u64(vdup_n_u64(word), vdup_n_u64(0))}; }
  static Bits load(const uint64_t* p) { return {vld1q_u64(p)}; }
  Bits<1> front() const { return {vget_low_u64(v)}; }
  Bits<1> back() const { return {vget_high_u64(v)}; }
  void store(uint64_t* p) const { vst1q_u64(p, v); }
  // With a sum and its carry, three instructions in all: both take a ^ b.
  static Bits parity(Bits a, Bits b, Bits c) { return {veorq_u64(veorq_u64(a.v, b.v), c.v)}; }
  static Bits majority(Bits a, Bits b, Bits c) { return {vbslq_u64(veorq_u64(a.v, b.v), c.v, a.v)}; }
  static Bits even(Bits a, Bits b, Bits c) { return differ(parity(a, b, c), all(~uint64_t(0))); }
  static Bits both(Bits a, Bits b) { return {vandq_u64(a.v, b.v)}; }
  static Bits differ(Bits a, Bits b) { return {veorq_u64(a.v, b.v)}; }
};

// Bit-planes of clamp(values - thresholds, -limit, limit), 64 of each, two's complement: plane k at out[k * stride].
inline void slice_margins(const int16_t* values, const int16_t* thresholds, int16_t limit, int planes, uint64_t* out,
                          size_t stride) {
  const int16x8_t top = vdupq_n_s16(limit), bottom = vdupq_n_s16(int16_t(-limit));
  uint8x16_t bytes[2][4];  // the lower ones and the higher ones
  for (int i = 0; i < 4; ++i) {
    const auto margins = [&](int at) {
      const int16x8_t margin = vqsubq_s16(vld1q_s16(values + at), vld1q_s16(thresholds + at));
      return vreinterpretq_u8_s16(vmaxq_s16(vminq_s16(margin, top), bottom));
    };
    const uint8x16_t first = margins(16 * i), second = margins(16 * i + 8);
    bytes[0][i] = vuzp1q_u8(first, second), bytes[1][i] = vuzp2q_u8(first, second);
  }
  for (int k = 0; k < planes; ++k) {
    const uint8x16_t bit = vdupq_n_u8(uint8_t(1 << (k % 8)));
    const uint8x16_t* of = bytes[k / 8];
    out[k * stride] = mask_of(vtstq_u8(of[0], bit), vtstq_u8(of[1], bit), vtstq_u8(of[2], bit), vtstq_u8(of[3], bit));
  }
}

// Places in a vector of 16 bits.
inline uint16x8_t places8() {
  static constexpr uint16_t kPlaces[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  return vld1q_u16(kPlaces);
}

// Appends `count` offsets of 16 bits, each with `add` on it modulo 2^16; may read and write up to 16 places further.
inline void append(const uint16_t* from, int count, int32_t add, int, uint16_t* to) {
  const uint16x8_t by = vdupq_n_u16(uint16_t(add));
  for (int i = 0; i < count; i += 16) {
    const uint16x8_t first = vld1q_u16(from + i), second = vld1q_u16(from + i + 8);
    vst1q_u16(to + i, vaddq_u16(first, by)), vst1q_u16(to + i + 8, vaddq_u16(second, by));
  }
}

// The first n of a list of eight, filled up with `none`.
inline void first_of(const uint16_t* list, int n, uint16_t none, uint16_t* to) {
  const uint16x8_t there = vcgtq_u16(vdupq_n_u16(uint16_t(n)), places8());
  vst1q_u16(to, vbslq_u16(there, vld1q_u16(list), vdupq_n_u16(none)));
}

// Fills list[count..size) with `ones` in the first half and `none` in the rest; may write 16 places further.
inline void fill(uint16_t* list, int count, int size, uint16_t ones, uint16_t none) {
  for (int left = (size - count) / 2; count < size; count += 8, left -= 8) {
    const uint16x8_t first = vcgtq_u16(vdupq_n_u16(uint16_t(std::clamp(left, 0, 8))), places8());
    vst1q_u16(list + count, vbslq_u16(first, vdupq_n_u16(ones), vdupq_n_u16(none)));
  }
}

// The sums of numbers in windows of rows x columns places, for windows at `count` places of a row, and 0 for `more`
// behind them; the most of them. Numbers are `pitch` apart in a column; may read and write 16 places further.
inline uint16_t window_sums(const uint16_t* places, size_t pitch, int rows, int columns, int count, int more,
                            uint16_t* to) {
  uint16x8_t most = vdupq_n_u16(0);
  for (int from = 0; from < count + more; from += 8) {
    uint16x8_t sum = vdupq_n_u16(0);
    for (int y = 0; y < rows; ++y) {
      for (int x = 0; x < columns; ++x) sum = vaddq_u16(sum, vld1q_u16(places + y * pitch + x + from));
    }
    sum = vandq_u16(sum, vcgtq_u16(vdupq_n_u16(uint16_t(std::clamp(count - from, 0, 8))), places8()));
    vst1q_u16(to + from, sum);
    most = vmaxq_u16(most, sum);
  }
  return vmaxvq_u16(most);
}

}  // namespace fat
