// Whole units from scratch: the first one from pixels, any other by popcount of bit-planes.
#include <algorithm>

#include "simd.hpp"
#include "simulator.hpp"

namespace fat {

// The integers in front of the first unit, into pixels_.
void Simulator::quantise(const uint8_t* image) {
  const Stream& in = model_.units[0].in;
  const int width = in.frame_width();
  for (int c = 0; c < in.channels; ++c) {
    const int32_t* table = model_.input_table.data() + size_t(c) * 256;
    for (int y = 0; y < in.height; ++y) {
      for (int x = 0; x < in.width; ++x) {
        const uint8_t pixel = image[(size_t(c) * in.height + y) * in.width + x];
        pixels_[(size_t(y + in.top) * width + x + in.left) * in.channels + c] = table[pixel];
      }
    }
  }
}

// An area of the first unit, from pixels_, into its planes, or, if it is the last one too, into sums_; `keep` stores
// the accumulators.
void Simulator::first_unit(const Rect& area, Target to, bool keep) {
  if (model_.units[0].wide) first_pixels<int32_t>(area, to, keep); else first_pixels<int16_t>(area, to, keep);
}

template <class Acc>
void Simulator::first_pixels(const Rect& area, Target to, bool keep) {
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
          const int32_t* row = pixels_.data() + place * channels;
          const int8_t* column = unit.columns.data() + size_t(ky) * unit.kernel_x * channels * stride + b * kBlock;
          for (int k = 0; k < unit.kernel_x * channels; ++k, column += stride) {
            sums.add_product(column, Acc(row[k]));
          }
        }
        if (keep) sums.store(accumulators<Acc>(0, y * unit.width + x) + b * kBlock);
        if (unit.last) {
          Acc out[kBlock];
          sums.store(out);
          std::copy_n(out, kBlock, sums_.data() + b * kBlock);
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

// Recomputes an area of a unit from the planes in front of it, into its own planes, or, if it is the last, into sums_;
// `keep` stores the accumulators.
void Simulator::dense_unit(int u, const uint64_t* in, const Rect& area, Target to, bool keep) {
  const Unit& unit = model_.units[u];
  State& state = states_[u];
  const int padded = unit.padded();
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x) {
      dense_pixel(unit, in, y, x);
      if (keep) {
        const size_t at = size_t(y * unit.width + x) * padded;
        if (unit.wide) std::copy_n(sums_.data(), padded, state.acc32.data() + at);
        else std::copy_n(sums_.data(), padded, state.acc16.data() + at);
      }
      if (!unit.last) write_planes(unit, to.first + y * to.pitch + size_t(x) * unit.out.pixel_words());
    }
  }
}

// Accumulators of one output pixel, into sums_.
void Simulator::dense_pixel(const Unit& unit, const uint64_t* in, int y, int x) {
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
  std::fill_n(sums_.data(), unit.padded(), base);
  for (int b = 0; b < unit.blocks(); ++b) {
    for (const WeightPlane& plane : unit.planes) {
      const uint64_t* weights = plane.bits.data() + size_t(b) * count * kBlock;
      for (int t = 0; t < stream.planes; ++t) {
        popcounts(window_.data() + size_t(t) * count, count, weights, plane.scale, sums_.data() + b * kBlock);
      }
    }
  }
}

// The planes of one output pixel, from its accumulators in sums_.
void Simulator::write_planes(const Unit& unit, uint64_t* planes) const {
  for (int b = 0; b < unit.blocks(); ++b) {
    const auto sums = Wide64<int32_t>::load(sums_.data() + b * kBlock);
    for (int t = 0; t < unit.out.planes; ++t) {
      planes[t * unit.blocks() + b] = sums.at_least(unit.thresholds.data() + size_t(t) * unit.padded() + b * kBlock);
    }
  }
}

}  // namespace fat
