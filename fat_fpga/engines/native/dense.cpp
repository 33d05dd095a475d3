// Whole units from scratch: from integers by products, from planes by popcount.
#include "dense.hpp"

#include <algorithm>

#include "simd.hpp"

namespace fat {

constexpr int kFew = 16;  // outputs

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
  constexpr int kTogether = kMaxGroup >= 8 ? 4 : 2;  // so that weights are widened once for all of them
  const Unit& unit = model_.units[u];
  for (int y = 0; y < unit.height; ++y) {
    uint64_t* row = unit.last ? nullptr : to.first + y * to.pitch;
    int x = 0;
    for (; x + kTogether <= unit.width; x += kTogether) integer_pixels<Acc, kTogether>(u, y, x, row);
    for (; x < unit.width; ++x) integer_pixels<Acc, 1>(u, y, x, row);
  }
}

// Pixels side by side, from number x of a row on.
template <class Acc, int Pixels>
void Dense::integer_pixels(int u, int y, int x, uint64_t* planes) {
  const Unit& unit = model_.units[u];
  const int padded = unit.padded(), channels = unit.inputs, width = unit.in.frame_width();
  const size_t stride = size_t(unit.column_stride()), next = size_t(unit.stride_x) * channels;
  for (int b = 0; b < unit.blocks(); ++b) {
    Wide64<Acc> sums[Pixels];
    for (auto& sum : sums) sum = Wide64<Acc>::zero();
    for (int ky = 0; ky < unit.kernel_y; ++ky) {
      const size_t place = size_t(y * unit.stride_y + ky + unit.origin_y) * width + x * unit.stride_x + unit.origin_x;
      const int32_t* row = states_[unit.source].integers.data() + place * channels;
      const int8_t* column = unit.columns.data() + size_t(ky) * unit.kernel_x * channels * stride + b * kBlock;
      for (int k = 0; k < unit.kernel_x * channels; ++k, column += stride) {
        for (int p = 0; p < Pixels; ++p) sums[p].add_product(column, Acc(row[p * next + k]));
      }
    }
    for (int p = 0; p < Pixels; ++p) {
      sums[p].store(image_.accumulators<Acc>(u, y * unit.width + x + p) + b * kBlock);
      if (unit.last) {
        Acc out[kBlock];
        sums[p].store(out);
        std::copy_n(out, kBlock, image_.sums.data() + b * kBlock);
        continue;
      }
      for (int t = 0; t < unit.planes_out(); ++t) {
        const Acc* threshold = thresholds<Acc>(unit) + size_t(t) * padded + b * kBlock;
        planes[size_t(x + p) * unit.words_out() + t * unit.blocks() + b] = sums[p].at_least(threshold);
      }
    }
  }
}

// Recomputes an area of a unit from the planes in front of it, into its own planes, or, if it is the last, into
// image_.sums; `keep` stores the accumulators.
void Dense::from_planes(int u, const uint64_t* in, const Rect& area, Target to, bool keep) {
  const Unit& unit = model_.units[u];
  if (keep && unit.wide)
    this->area(unit, unit.planes, unit.thresholds, in, area, to, image_.accumulators<int32_t>(u, 0));
  else if (keep) this->area(unit, unit.planes, unit.thresholds, in, area, to, image_.accumulators<int16_t>(u, 0));
  else this->area(unit, unit.planes, unit.thresholds, in, area, to);
}

void Dense::area(const Unit& unit, const std::vector<WeightPlane>& planes, const Aligned<int32_t>& thresholds,
                 const uint64_t* in, const Rect& area, Target to) {
  this->area<int32_t>(unit, planes, thresholds, in, area, to, nullptr);
}

// Also keeps accumulators [pixel][padded outputs] unless that is null.
template <class Acc>
void Dense::area(const Unit& unit, const std::vector<WeightPlane>& planes, const Aligned<int32_t>& thresholds,
                 const uint64_t* in, const Rect& area, Target to, Acc* keep) {
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x) {
      uint64_t* out = unit.last ? nullptr : to.first + y * to.pitch + size_t(x) * unit.words_out();
      Acc* kept = keep == nullptr ? nullptr : keep + size_t(y * unit.width + x) * unit.padded();
#if FAT_WINDOW_SUMS
      if (unit.in.planes == 1 && planes.size() == 1 && !unit.last) {
        if (x + 1 < area.x1) bits<2>(unit, planes[0], thresholds, in, y, x++, out, kept);
        else bits<1>(unit, planes[0], thresholds, in, y, x, out, kept);
        continue;
      }
#endif
      pixel(unit, planes, in, y, x);
      if (kept != nullptr) std::copy_n(image_.sums.data(), unit.padded(), kept);
      if (!unit.last) write_planes(unit, thresholds, out);
    }
  }
}

#if FAT_WINDOW_SUMS

// Pixels side by side of a unit from bits.
template <int Pixels, class Acc>
void Dense::bits(const Unit& unit, const WeightPlane& plane, const Aligned<int32_t>& thresholds, const uint64_t* in,
                 int y, int x, uint64_t* out, Acc* kept) const {
  const Stream& stream = unit.in;
  const int words = stream.words(), blocks = unit.blocks(), row = unit.kernel_x * words;
  const size_t top = size_t(y * unit.stride_y + unit.origin_y), left = size_t(x * unit.stride_x + unit.origin_x);
  const size_t pitch = size_t(stream.frame_width()) * words, next = size_t(unit.stride_x) * words;
  const uint64_t *from = in + top * pitch + left * words, *weights = plane.bits.data();
  for (int b = 0; b < blocks; ++b, weights += size_t(unit.kernel_y) * row * kBlock) {
    Wide64<int32_t> sums[Pixels];
    window_sums<Pixels>(from, next, pitch, unit.kernel_y, row, weights, unit.weight_base, plane.scale, sums);
    for (int p = 0; p < Pixels; ++p) {
      for (int t = 0; t < unit.planes_out(); ++t)
        out[p * unit.words_out() + t * blocks + b] =
            sums[p].at_least(thresholds.data() + size_t(t) * unit.padded() + b * kBlock);
      if (kept == nullptr) continue;
      int32_t all[kBlock];
      sums[p].store(all);
      std::copy_n(all, kBlock, kept + size_t(p) * unit.padded() + b * kBlock);
    }
  }
}

#endif

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

bool Dense::counts_scores(const Unit& unit) const {
  if (!unit.last || !unit.single() || unit.outputs > kFew) return false;
  if (unit.in.planes > 1 && unit.taps() > 1) return false;  // words of a plane are apart
  return int(unit.planes.size()) * unit.in.planes <= kCountedScores;
}

void Dense::scores(const Unit& unit, const uint64_t* in) {
  const int count = unit.taps() * unit.in.words(), planes = unit.in.planes;
  int base = 0;
  for (int i = 0; unit.weight_base != 0 && i < planes * count; ++i) base += popcount(in[i]);
  std::fill_n(image_.sums.data(), unit.padded(), unit.weight_base * base);
#if FAT_POPCOUNTS_FEW
  for (const WeightPlane& plane : unit.planes) {
    for (int t = 0; t < planes; ++t)
      popcounts<kFew>(in + size_t(t) * count, count, plane.bits.data(), plane.scale, image_.sums.data());
  }
#else
  const uint64_t* row = unit.rows.data();
  for (int m = 0; m < unit.outputs; ++m) {
    for (const WeightPlane& plane : unit.planes) {
      for (int t = 0; t < planes; ++t)
        image_.sums[m] += plane.scale * popcount_common(in + size_t(t) * count, 0, row, 0, count, 1);
      row += count;
    }
  }
#endif
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
