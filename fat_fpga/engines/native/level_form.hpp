// Units whose inputs and outputs are levels in bytes, as ByteCourse takes them: weights side by side as products of
// bytes want them, and thresholds within a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligned.hpp"

namespace fat {

struct Unit;

// Bytes of one place of a stream of so many channels: 16, 32, or a multiple of 64.
int level_bytes(int channels);

// How 64 sums become levels. Sums less a middle are kept within a byte; as many of them are compared with thresholds as
// fit around that middle, the rest around the next one.
struct Steps {
  Aligned<int16_t> middles;    // [64 outputs][middle][64]; none where sums need 32 bits
  Aligned<int32_t> middles32;  // instead
  Aligned<int8_t> thresholds;  // [64 outputs][plane][64]: what they are above is met
  Aligned<int16_t> integers;   // [64 outputs][plane][64]: the same without a middle, of 15 planes and sums of 16 bits
  std::vector<int> ends;       // of each middle, the plane behind the last one that is compared there

  int planes() const { return ends.empty() ? 0 : ends.back(); }
  const int16_t* middles_of(int group) const { return middles.data() + size_t(group) * ends.size() * 64; }
  const int32_t* middles32_of(int group) const { return middles32.data() + size_t(group) * ends.size() * 64; }
  const int16_t* integers_of(int group) const { return integers.data() + size_t(group) * planes() * 64; }
  const int8_t* thresholds_of(int group) const { return thresholds.data() + size_t(group) * planes() * 64; }
};

struct LevelForm {
  bool fits = false;                           // whether ByteCourse takes the unit
  bool lanes = false;                          // as many groups as channels: products lane by lane
  int in = 0, out = 0;                         // bytes of a place
  int fours = 0;                               // of a row of the kernel, of four inputs each
  Aligned<int8_t> weights;                     // [16 outputs][kernel row][four][output][input], or of lanes [tap][out]
  Steps steps;                                 // but of the last unit
  int row_bytes() const { return 4 * fours; }  // of a row of the kernel
  int group() const {
    return out < 64 ? out : 64;
  }  // outputs that become levels together, with those of the next places
  int groups() const { return out / group(); }
};

// `weights` as in UnitSpec.
LevelForm level_form(const Unit& unit, const int8_t* weights);

}  // namespace fat
