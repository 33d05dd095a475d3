#include "byte_head.hpp"

#include <algorithm>

#include "simd.hpp"

namespace fat {

void ByteHead::set(const Model& model, const Node& node) {
  const Stream &in = model.streams[node.inputs[0]], &sums = model.streams[node.out];
  const Unit& unit = model.last();
  const int taps = node.windows.kernel_y * node.windows.kernel_x;
  const bool one = sums.frame_places() == 1 && unit.source == node.out && unit.taps() == 1 && unit.groups == 1;
  const bool whole = in.height == node.windows.kernel_y && in.width == node.windows.kernel_x;
  if (in.wide() || !sums.wide() || !unit.last || !one || !whole || taps * in.planes > INT16_MAX) return;
  place_ = level_bytes(in.channels), width_ = blocks_of(in.channels) * kBlock;
  rows_ = in.height, columns_ = in.width, together_ = INT8_MAX / in.planes, step_ = in.levels.step;
  weights_.assign(size_t(unit.outputs) * width_, 0);
  for (int m = 0; m < unit.outputs; ++m) {
    int32_t all = 0;
    for (int c = 0; c < unit.inputs; ++c) {
      const int8_t weight = unit.columns[size_t(c) * unit.column_stride() + m];
      weights_[size_t(m) * width_ + c] = weight, all += weight;
    }
    bases_.push_back(int64_t(all) * taps * in.levels.base);
  }
  sums_.resize(width_);
}

void ByteHead::run(const uint8_t* levels, size_t pitch, int32_t* accumulators) {
  for (int c = 0; c < width_; c += kBlock) {
    auto sums = Wide64<int16_t>::zero();
    auto some = Bytes64::zero();
    int count = 0;
    for (int y = 0; y < rows_; ++y) {
      const auto* from = reinterpret_cast<const int8_t*>(levels) + y * pitch + c;
      for (int x = 0; x < columns_; ++x, from += place_) {
        some.add(from);
        if (++count < together_) continue;
        sums.add(some);
        some = Bytes64::zero(), count = 0;
      }
    }
    sums.add(some);
    sums.store(sums_.data() + c);
  }
  const int outputs = int(bases_.size());
  const int16_t* weight = weights_.data();
  for (int m = 0; m < outputs; ++m, weight += width_) {
    int32_t dot = 0;
    for (int c = 0; c < width_; ++c) dot += int32_t(sums_[c]) * weight[c];
    accumulators[m] = int32_t(bases_[m] + int64_t(step_) * dot);
  }
}

}  // namespace fat
