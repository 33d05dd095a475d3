// Whole units from scratch: from integers by products, from planes by popcount.
#include "dense.hpp"

#include <algorithm>

#include "simd.hpp"

namespace fat {

Dense::Dense(Image& image) : Part(image) {
  size_t window = 0;
  for (const Unit& unit : model_.units) { window = std::max(window, size_t(unit.taps()) * unit.in.pixel_words()); }
  window_.resize(window);
}

void Dense::from_integers(int u, Target to) {
  if (model_.units[u].wide) integer_pixels<int32_t>(u, to);
  else integer_pixels<int16_t>(u, to);
}

template <class Acc>
void Dense::integer_pixels(int u, Target to) {
  const Unit& unit = model_.units[u];
  const int padded = unit.padded(), channels = unit.inputs, width = unit.in.frame_width();
  const int stride = unit.column_stride();
  for (int y = 0; y < unit.height; ++y) {
    for (int x = 0; x < unit.width; ++x) {
      uint64_t* planes = unit.last ? nullptr : to.first + y * to.pitch + size_t(x) * unit.words_out();
      for (int b = 0; b < unit.blocks(); ++b) {
        auto sums = Wide64<Acc>::zero();
        for (int ky = 0; ky < unit.kernel_y; ++ky) {
          const size_t place =
              size_t(y * unit.stride_y + ky + unit.origin_y) * width + x * unit.stride_x + unit.origin_x;
          const int32_t* row = states_[unit.source].integers.data() + place * channels;
          const int8_t* column = unit.columns.data() + size_t(ky) * unit.kernel_x * channels * stride + b * kBlock;
          for (int k = 0; k < unit.kernel_x * channels; ++k, column += stride) {
            sums.add_product(column, Acc(row[k]));
          }
        }
        sums.store(image_.accumulators<Acc>(u, y * unit.width + x) + b * kBlock);
        if (unit.last) {
          Acc out[kBlock];
          sums.store(out);
          std::copy_n(out, kBlock, image_.sums.data() + b * kBlock);
          continue;
        }
        for (int t = 0; t < unit.planes_out(); ++t) {
          const Acc* threshold = thresholds<Acc>(unit) + size_t(t) * padded + b * kBlock;
          planes[t * unit.blocks() + b] = sums.at_least(threshold);
        }
      }
    }
  }
}

// Recomputes an area of a unit from the planes in front of it, into its own planes, or, if it is the last, into
// image_.sums; `keep` stores the accumulators.
void Dense::from_planes(int u, const uint64_t* in, const Rect& area, Target to, bool keep) {
  const Unit& unit = model_.units[u];
  if (!keep) return this->area(unit, unit.planes, unit.thresholds, in, area, to);
  Image::Sums& kept = image_.units[u];
  const int padded = unit.padded();
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x) {
      pixel(unit, unit.planes, in, y, x);
      const size_t at = size_t(y * unit.width + x) * padded;
      if (unit.wide) std::copy_n(image_.sums.data(), padded, kept.acc32.data() + at);
      else std::copy_n(image_.sums.data(), padded, kept.acc16.data() + at);
      if (!unit.last) write_planes(unit, unit.thresholds, to.first + y * to.pitch + size_t(x) * unit.words_out());
    }
  }
}

void Dense::area(const Unit& unit, const std::vector<WeightPlane>& planes, const Aligned<int32_t>& thresholds,
                 const uint64_t* in, const Rect& area, Target to) {
  const bool of_bits = unit.in.planes == 1 && planes.size() == 1 && !unit.last && unit.planes_out() == 1;
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x) {
      uint64_t* out = unit.last ? nullptr : to.first + y * to.pitch + size_t(x) * unit.words_out();
      if (of_bits) {
        if (x + 1 < area.x1) bits<2>(unit, planes[0], thresholds, in, y, x++, out);
        else bits<1>(unit, planes[0], thresholds, in, y, x, out);
        continue;
      }
      pixel(unit, planes, in, y, x);
      if (!unit.last) write_planes(unit, thresholds, out);
    }
  }
}

// Pixels side by side of a unit from bits to bits.
template <int Pixels>
void Dense::bits(const Unit& unit, const WeightPlane& plane, const Aligned<int32_t>& thresholds, const uint64_t* in,
                 int y, int x, uint64_t* out) const {
  const Stream& stream = unit.in;
  const int words = stream.words(), blocks = unit.blocks(), row = unit.kernel_x * words;
  const size_t top = size_t(y * unit.stride_y + unit.origin_y), left = size_t(x * unit.stride_x + unit.origin_x);
  const size_t pitch = size_t(stream.frame_width()) * words, next = size_t(unit.stride_x) * words;
  const uint64_t *from = in + top * pitch + left * words, *weights = plane.bits.data();
  for (int b = 0; b < blocks; ++b, weights += size_t(unit.kernel_y) * row * kBlock) {
    uint64_t met[Pixels];
    windows_at_least<Pixels>(from, next, pitch, unit.kernel_y, row, weights, unit.weight_base, plane.scale,
                             thresholds.data() + b * kBlock, met);
    for (int p = 0; p < Pixels; ++p) out[p * blocks + b] = met[p];
  }
}

void Dense::pixel(const Unit& unit, const std::vector<WeightPlane>& planes, const uint64_t* in, int y, int x) {
  const Stream& stream = unit.in;
  const int words = stream.words(), count = unit.taps() * words;
  int base = 0;
  for (int t = 0; t < stream.planes; ++t) {
    uint64_t* window = window_.data() + size_t(t) * count;
    for (int ky = 0; ky < unit.kernel_y; ++ky) {
      for (int kx = 0; kx < unit.kernel_x; ++kx) {
        const size_t row = size_t(y * unit.stride_y + ky + unit.origin_y);
        const size_t pixel = row * stream.frame_width() + x * unit.stride_x + kx + unit.origin_x;
        const uint64_t* from = in + pixel * stream.pixel_words() + size_t(t) * words;
        if (stream.planes == 1) {  // a row of taps side by side
          window = std::copy_n(from, unit.kernel_x * words, window);
          break;
        }
        for (int i = 0; i < words; ++i) *window++ = from[i];
      }
    }
  }
  if (unit.weight_base != 0) {
    for (int i = 0; i < stream.planes * count; ++i) base += popcount(window_[i]);
    base *= unit.weight_base;
  }
  std::fill_n(image_.sums.data(), unit.padded(), base);
  for (int b = 0; b < unit.blocks(); ++b) {
    for (const WeightPlane& plane : planes) {
      const uint64_t* weights = plane.bits.data() + size_t(b) * count * kBlock;
      for (int t = 0; t < stream.planes; ++t) {
        popcounts(window_.data() + size_t(t) * count, count, weights, plane.scale, image_.sums.data() + b * kBlock);
      }
    }
  }
}

void Dense::write_planes(const Unit& unit, const Aligned<int32_t>& thresholds, uint64_t* planes) const {
  for (int b = 0; b < unit.blocks(); ++b) {
    const auto sums = Wide64<int32_t>::load(image_.sums.data() + b * kBlock);
    for (int t = 0; t < unit.planes_out(); ++t) {
      planes[t * unit.blocks() + b] = sums.at_least(thresholds.data() + size_t(t) * unit.padded() + b * kBlock);
    }
  }
}

}  // namespace fat
