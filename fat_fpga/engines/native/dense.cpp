// Whole units from scratch: the first one from pixels, any other by popcount of bit-planes.
#include "dense.hpp"

#include <algorithm>

#include "simd.hpp"

namespace fat {

Dense::Dense(Image& image) : Part(image) {
  size_t window = 0;
  for (size_t u = 1; u < model_.units.size(); ++u) {
    const Unit& unit = model_.units[u];
    window = std::max(window, size_t(unit.taps()) * unit.in.pixel_words());
  }
  window_.resize(window);
}

// An area of the first unit, from image_.pixels, into its planes, or, if it is the last one too, into image_.sums;
// `keep` stores the accumulators.
void Dense::first_unit(const Rect& area, Target to, bool keep) {
  if (model_.units[0].wide) first_pixels<int32_t>(area, to, keep);
  else first_pixels<int16_t>(area, to, keep);
}

template <class Acc>
void Dense::first_pixels(const Rect& area, Target to, bool keep) {
  const Unit& unit = model_.units[0];
  const int padded = unit.padded(), channels = unit.inputs, width = unit.in.frame_width();
  const int stride = unit.column_stride();
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x) {
      uint64_t* planes = unit.last ? nullptr : to.first + y * to.pitch + size_t(x) * unit.out.pixel_words();
      for (int b = 0; b < unit.blocks(); ++b) {
        auto sums = Wide64<Acc>::zero();
        for (int ky = 0; ky < unit.kernel_y; ++ky) {
          const size_t place = size_t(y * unit.stride_y + ky) * width + x * unit.stride_x;
          const int32_t* row = image_.pixels.data() + place * channels;
          const int8_t* column = unit.columns.data() + size_t(ky) * unit.kernel_x * channels * stride + b * kBlock;
          for (int k = 0; k < unit.kernel_x * channels; ++k, column += stride) {
            sums.add_product(column, Acc(row[k]));
          }
        }
        if (keep) sums.store(image_.accumulators<Acc>(0, y * unit.width + x) + b * kBlock);
        if (unit.last) {
          Acc out[kBlock];
          sums.store(out);
          std::copy_n(out, kBlock, image_.sums.data() + b * kBlock);
          continue;
        }
        for (int t = 0; t < unit.out.planes; ++t) {
          const Acc* threshold = thresholds<Acc>(unit) + size_t(t) * padded + b * kBlock;
          planes[t * unit.blocks() + b] = sums.at_least(threshold);
        }
      }
    }
  }
}

// Recomputes an area of a unit from the planes in front of it, into its own planes, or, if it is the last, into
// image_.sums; `keep` stores the accumulators.
void Dense::unit(int u, const uint64_t* in, const Rect& area, Target to, bool keep) {
  const Unit& unit = model_.units[u];
  Image::State& state = states_[u];
  const int padded = unit.padded();
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x) {
      pixel(unit, in, y, x);
      if (keep) {
        const size_t at = size_t(y * unit.width + x) * padded;
        if (unit.wide) std::copy_n(image_.sums.data(), padded, state.acc32.data() + at);
        else std::copy_n(image_.sums.data(), padded, state.acc16.data() + at);
      }
      if (!unit.last) write_planes(unit, to.first + y * to.pitch + size_t(x) * unit.out.pixel_words());
    }
  }
}

// Accumulators of one output pixel, into image_.sums.
void Dense::pixel(const Unit& unit, const uint64_t* in, int y, int x) {
  const Stream& stream = unit.in;
  const int words = stream.words(), count = unit.taps() * words;
  int base = 0;
  for (int t = 0; t < stream.planes; ++t) {
    uint64_t* window = window_.data() + size_t(t) * count;
    for (int ky = 0; ky < unit.kernel_y; ++ky) {
      for (int kx = 0; kx < unit.kernel_x; ++kx) {
        const size_t pixel = size_t(y * unit.stride_y + ky) * stream.frame_width() + x * unit.stride_x + kx;
        const uint64_t* from = in + pixel * stream.pixel_words() + size_t(t) * words;
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
    for (const WeightPlane& plane : unit.planes) {
      const uint64_t* weights = plane.bits.data() + size_t(b) * count * kBlock;
      for (int t = 0; t < stream.planes; ++t) {
        popcounts(window_.data() + size_t(t) * count, count, weights, plane.scale, image_.sums.data() + b * kBlock);
      }
    }
  }
}

// The planes of one output pixel, from its accumulators in image_.sums.
void Dense::write_planes(const Unit& unit, uint64_t* planes) const {
  for (int b = 0; b < unit.blocks(); ++b) {
    const auto sums = Wide64<int32_t>::load(image_.sums.data() + b * kBlock);
    for (int t = 0; t < unit.out.planes; ++t) {
      planes[t * unit.blocks() + b] = sums.at_least(unit.thresholds.data() + size_t(t) * unit.padded() + b * kBlock);
    }
  }
}

}  // namespace fat
