#include "byte_products.hpp"

#include <algorithm>
#include <type_traits>

#include "simd.hpp"

namespace fat {

namespace {
constexpr int kTile = 4;  // pixels whose products share what is read of the weights
}

ByteProducts::ByteProducts(Image& image) : Part(image) {
  size_t levels = 0, padded = 0;
  for (const Unit& unit : model_.units) {
    if (!unit.reads_planes()) continue;
    levels = std::max(levels, unit.in.frame_places() * unit.byte_inputs());
    padded = std::max(padded, size_t(unit.padded()));
  }
  levels_.resize(levels + kBlock);  // spread_levels writes whole blocks
  sums_.resize(kTile * padded);
  sums16_.resize(padded);
}

bool ByteProducts::cheaper(const Unit& unit) const {
  if (model_.update == Update::bytes || model_.update == Update::popcount) return model_.update == Update::bytes;
  return kByteCost * unit.product_steps() < kDenseCost * unit.dense_steps();
}

void ByteProducts::golden(int u, Target to) {
  const Unit& unit = model_.units[u];
  load(u, states_[unit.source].golden.data(), unit.windows().covered(unit.whole()));
  std::vector<int32_t> all(unit.pixels());
  for (int p = 0; p < unit.pixels(); ++p) all[p] = p;
  if (unit.wide) some<int32_t>(u, all.data(), unit.pixels(), to, true);
  else some<int16_t>(u, all.data(), unit.pixels(), to, true);
}

void ByteProducts::load(int u, const Rect& area) {
  const Unit& unit = model_.units[u];
  load(u, states_[unit.source].faulty.data(), unit.windows().covered(area));
}

void ByteProducts::load(int u, const uint64_t* planes, const Rect& seen) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const int words = in.words(), bytes = unit.byte_inputs();
  for (int y = seen.y0; y < seen.y1; ++y) {
    const size_t place = size_t(y) * in.frame_width() + seen.x0;
    const uint64_t* pixel = planes + place * in.pixel_words();
    uint8_t* to = levels_.data() + place * bytes;
    for (int x = seen.x0; x < seen.x1; ++x, pixel += in.pixel_words(), to += bytes) {
      for (int w = 0; w < words; ++w) spread_levels(pixel + w, in.planes, words, to + w * kBlock);
    }
  }
}

void ByteProducts::pixels(int u, const std::vector<int32_t>& pixels, Target to) {
  if (model_.units[u].wide) some<int32_t>(u, pixels.data(), int(pixels.size()), to, false);
  else some<int16_t>(u, pixels.data(), int(pixels.size()), to, false);
}

template <class Acc>
void ByteProducts::some(int u, const int32_t* pixels, int count, Target to, bool keep) {
  const Unit& unit = model_.units[u];
  const int padded = unit.padded();
  for (int from = 0; from < count; from += kTile) {
    const int n = std::min(kTile, count - from);
    if (n == 1) tile<1>(unit, pixels + from, n);
    else tile<kTile>(unit, pixels + from, n);
    for (int i = 0; i < n; ++i) {
      const int32_t* sums = sums_.data() + size_t(i) * padded;
      if (keep) std::copy_n(sums, padded, image_.accumulators<Acc>(u, pixels[from + i]));
      if constexpr (sizeof(Acc) == sizeof(int32_t)) {
        write(u, pixels[from + i], sums, to);
      } else {
        std::copy_n(sums, padded, sums16_.data());
        write(u, pixels[from + i], sums16_.data(), to);
      }
    }
  }
}

// Accumulators of up to `Pixels` outputs, into sums_.
template <int Pixels>
void ByteProducts::tile(const Unit& unit, const int32_t* pixels, int count) {
  const size_t pitch = size_t(unit.in.frame_width()) * unit.byte_inputs();
  const uint8_t* windows[Pixels];
  for (int i = 0; i < Pixels; ++i) {
    const int p = pixels[std::min(i, count - 1)];
    const int y = p / unit.width * unit.stride_y + unit.origin_y, x = p % unit.width * unit.stride_x + unit.origin_x;
    windows[i] = levels_.data() + y * pitch + size_t(x) * unit.byte_inputs();
  }
  const int steps = unit.byte_steps(), vectors = (unit.outputs + kByteOutputs - 1) / kByteOutputs;
  const size_t vector = size_t(unit.kernel_y) * steps * kBlock;
  const auto some = [&](auto together, int v) {
    byte_products<Pixels, decltype(together)::value>(windows, pitch, unit.kernel_y, steps,
                                                     unit.byte_weights.data() + v * vector, vector, unit.byte_period,
                                                     sums_.data() + v * kByteOutputs, unit.padded());
    return v + decltype(together)::value;
  };
  int v = 0;
  while (vectors - v >= 4) v = some(std::integral_constant<int, 4>(), v);
  while (vectors - v >= 2) v = some(std::integral_constant<int, 2>(), v);
  while (vectors - v >= 1) v = some(std::integral_constant<int, 1>(), v);
}

template <class Acc>
void ByteProducts::write(int u, int pixel, const Acc* sums, Target to) {
  const Unit& unit = model_.units[u];
  if (unit.last) {
    std::copy_n(sums, unit.padded(), image_.sums.data());
    return;
  }
  const bool narrow = unit.outputs <= 32;
  uint64_t* planes = to.first + pixel / unit.width * to.pitch + size_t(pixel % unit.width) * unit.words_out();
  for (int b = 0; b < unit.blocks(); ++b) {
    const auto block = Wide64<Acc>::load(sums + b * kBlock);
    for (int t = 0; t < unit.planes_out(); ++t) {
      const Acc* threshold = thresholds<Acc>(unit) + size_t(t) * unit.padded() + b * kBlock;
      planes[t * unit.blocks() + b] = narrow ? block.at_least_low(threshold) : block.at_least(threshold);
    }
  }
}

}  // namespace fat
