// The end of a program from levels in bytes: sums over all places of each channel, and the class scores from them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "model.hpp"

namespace fat {

class ByteHead {
 public:
  // `node`: the sum. Where it and what is behind it are no such end, `fits` says so.
  void set(const Model& model, const Node& node);

  bool fits() const { return !weights_.empty(); }

  // Accumulators of the last unit from the first place of a frame of levels, `pitch` bytes from row to row.
  void run(const uint8_t* levels, size_t pitch, int32_t* accumulators);

 private:
  int place_ = 0;               // bytes of one
  int width_ = 0;               // channels, filled up to a multiple of 64
  int rows_ = 0, columns_ = 0;  // of places
  int together_ = 0;            // levels whose sum fits in a byte
  int32_t step_ = 1;            // of a level
  std::vector<int64_t> bases_;  // [output]: of level 0 everywhere
  Aligned<int16_t> weights_;    // [output][width_]
  Aligned<int16_t> sums_;       // [width_]
};

}  // namespace fat
