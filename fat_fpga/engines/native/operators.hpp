// The operators of a program that have no weights, and what each of them computes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "stream.hpp"

namespace fat {

enum class Kind : uint8_t { unit, pool, sum, add, concat, thresholding };

// One step of a program: it reads streams and makes one. Stream 0 is the image; node n makes stream n + 1.
struct Node {
  Kind kind = Kind::unit;
  std::vector<int> inputs;
  int out = 0;
  int unit = -1;                    // of the kind unit: its number among them
  Windows windows{};                // of pools and sums, over streams without padding
  std::vector<int32_t> factors;     // of additions and concatenations
  std::vector<int> first_channels;  // of concatenations: of each input, and one more
  int steps = 0;                    // of thresholdings: thresholds of a channel
  std::vector<int32_t> thresholds;  // [channel][steps]
  std::vector<int32_t> by_step;     // the same [step][channel], ascending by step
  Levels levels;                    // of thresholdings

  int32_t activate(const int32_t* thresholds, int64_t integer) const {
    int met = 0;
    for (int t = 0; t < steps; ++t) met += integer >= thresholds[t];  // in whatever order they stand
    return levels.base + levels.step * met;
  }

  // The integer of one output from `get(input, y, x, channel)`.
  template <class Get>
  int32_t at(int y, int x, int c, Get get) const {
    switch (kind) {
      case Kind::add:
        return factors[0] * get(0, y, x, c) + factors[1] * get(1, y, x, c);
      case Kind::concat: {
        int k = 0;
        while (c >= first_channels[k + 1]) ++k;
        return factors[k] * get(k, y, x, c - first_channels[k]);
      }
      case Kind::thresholding:
        return activate(thresholds.data() + size_t(c) * steps, get(0, y, x, c));
      default: {
        int32_t sum = 0, most = INT32_MIN;
        for (int ky = 0; ky < windows.kernel_y; ++ky) {
          for (int kx = 0; kx < windows.kernel_x; ++kx) {
            const int32_t integer = get(0, y * windows.stride_y + ky, x * windows.stride_x + kx, c);
            sum += integer, most = std::max(most, integer);
          }
        }
        return kind == Kind::sum ? sum : most;
      }
    }
  }
};

}  // namespace fat
