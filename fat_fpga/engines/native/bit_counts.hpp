// How many planes have a bit set, for 64 channels at once.
#pragma once

#include <cstdint>

namespace fat {

// 64 numbers in words of equal binary digits: to add a plane takes two operations on average, not one for each channel.
class BitCounts {
 public:
  void add(uint64_t plane) {
    for (int digit = 0; plane != 0; ++digit) {
      const uint64_t carry = digits_[digit] & plane;
      digits_[digit] ^= plane;
      plane = carry;
      if (digit == used_) ++used_;
    }
  }

  // to[i] += step * count of channel i.
  void add_to(int32_t* to, int channels, int32_t step) const {
    for (int digit = 0; digit < used_; ++digit) {
      const uint64_t word = digits_[digit];
      const int32_t by = step * (int32_t(1) << digit);
      for (int i = 0; i < channels; ++i) to[i] += by * int32_t(word >> i & 1);
    }
  }

 private:
  uint64_t digits_[32] = {};
  int used_ = 0;
};

}  // namespace fat
