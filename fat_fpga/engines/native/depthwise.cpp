#include "depthwise.hpp"

#include <algorithm>

#include "simd.hpp"

namespace fat {

namespace {

// Sums of 64 channels of one output.
inline Wide64<int16_t> products(const Unit& unit, const uint8_t* levels, int y, int x, int word) {
  const size_t place = size_t(unit.padded());
  const size_t row = unit.in.frame_width() * place * unit.dilation_y, column = place * unit.dilation_x;
  const uint8_t* window =
      levels + word * kBlock +
      (size_t(y * unit.stride_y + unit.origin_y) * unit.in.frame_width() + size_t(x * unit.stride_x + unit.origin_x)) *
          place;
  return lane_products(window, row, column, unit.kernel_y, unit.kernel_x, unit.group_weights.data() + word * kBlock,
                       place);
}

// Decides them.
inline void write(Image& image, const Unit& unit, const Wide64<int16_t>& sums, int y, int x, int word, Target to) {
  if (unit.last) {
    int16_t scores[kBlock];
    sums.store(scores);
    std::copy_n(scores, kBlock, image.sums.data() + word * kBlock);
    return;
  }
  uint64_t* planes = to.first + y * to.pitch + size_t(x) * unit.words_out() + word;
  const int16_t* threshold = unit.thresholds16.data() + word * kBlock;
  for (int t = 0; t < unit.planes_out(); ++t) planes[t * unit.blocks()] = sums.at_least(threshold + t * unit.padded());
}

}  // namespace

Depthwise::Depthwise(Image& image) : Part(image) {
  size_t levels = 0, words = 0, most = 0;
  for (const Unit& unit : model_.units) {
    if (!fit(unit)) continue;
    levels = std::max(levels, unit.in.frame_places() * unit.padded());
    words = std::max(words, unit.in.frame_places() * unit.blocks());
    most = std::max(most, size_t(unit.blocks()));
  }
  levels_.resize(levels), changed_.resize(words), any_.resize(most);
}

bool Depthwise::fit(const Unit& unit) const {
  return unit.groups > 1 && unit.group_inputs() == 1 && unit.group_outputs() == 1 && !unit.in.wide() && !unit.wide;
}

void Depthwise::golden(int u, Target to) {
  const Unit& unit = model_.units[u];
  std::fill(any_.begin(), any_.end(), ~uint64_t(0));
  load(u, states_[unit.source].golden.data(), unit.windows().covered(unit.whole()));
  for (int p = 0; p < unit.pixels(); ++p) {
    const int y = p / unit.width, x = p % unit.width;
    for (int b = 0; b < unit.blocks(); ++b) {
      const Wide64<int16_t> sums = products(unit, levels_.data(), y, x, b);
      sums.store(image_.accumulators<int16_t>(u, p) + b * kBlock);
      write(image_, unit, sums, y, x, b, to);
    }
  }
}

void Depthwise::update(int u, const Rect& area, Target to) {
  const Unit& unit = model_.units[u];
  load(u, states_[unit.source].faulty.data(), unit.windows().covered(area));
  if (unit.last) std::copy_n(image_.accumulators<int16_t>(u, 0), unit.padded(), image_.sums.data());
  else image_.copy_front(u, area, to);
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x) {
      for (int b = 0; b < unit.blocks(); ++b) {
        if (any_[b] && reached(unit, y, x, b))
          write(image_, unit, products(unit, levels_.data(), y, x, b), y, x, b, to);
      }
    }
  }
}

// Where the stream in front has changed.
bool Depthwise::find(int u, const Rect& area) {
  const Unit& unit = model_.units[u];
  const Rect seen = unit.windows().covered(area);
  const Stream& in = unit.in;
  const int words = in.words();
  std::fill(any_.begin(), any_.end(), uint64_t(0));
  for (int y = seen.y0; y < seen.y1; ++y) {
    const size_t place = size_t(y) * in.frame_width() + seen.x0;
    const uint64_t* golden = states_[unit.source].golden.data() + place * in.pixel_words();
    const uint64_t* faulty = states_[unit.source].faulty.data() + place * in.pixel_words();
    uint64_t* changed = changed_.data() + place * words;
    for (int x = seen.x0; x < seen.x1; ++x, changed += words) {
      std::fill_n(changed, words, uint64_t(0));
      for (int t = 0; t < in.planes; ++t, golden += words, faulty += words) {
        for (int w = 0; w < words; ++w) changed[w] |= golden[w] ^ faulty[w];
      }
      for (int w = 0; w < words; ++w) any_[w] |= changed[w];
    }
  }
  return std::any_of(any_.begin(), any_.begin() + words, [](uint64_t any) { return any != 0; });
}

void Depthwise::load(int u, const uint64_t* planes, const Rect& seen) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const int words = in.words();
  for (int y = seen.y0; y < seen.y1; ++y) {
    const size_t place = size_t(y) * in.frame_width() + seen.x0;
    const uint64_t* pixel = planes + place * in.pixel_words();
    uint8_t* to = levels_.data() + place * unit.padded();
    for (int x = seen.x0; x < seen.x1; ++x, pixel += in.pixel_words(), to += unit.padded()) {
      for (int w = 0; w < words; ++w) {
        if (any_[w]) spread_levels(pixel + w, in.planes, words, to + w * kBlock);
      }
    }
  }
}

// Whether the window of an output has a change.
bool Depthwise::reached(const Unit& unit, int y, int x, int word) const {
  const int words = unit.blocks(), row = unit.in.frame_width() * unit.dilation_y * words;
  const uint64_t* changed =
      changed_.data() + word +
      (size_t(y * unit.stride_y + unit.origin_y) * unit.in.frame_width() + size_t(x * unit.stride_x + unit.origin_x)) *
          words;
  uint64_t any = 0;
  for (int ky = 0; ky < unit.kernel_y; ++ky, changed += row) {
    for (int kx = 0; kx < unit.kernel_x; ++kx) any |= changed[kx * unit.dilation_x * words];
  }
  return any != 0;
}

}  // namespace fat
