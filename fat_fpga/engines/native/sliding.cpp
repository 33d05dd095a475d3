// Pixels of a row of a unit of two blocks, four side by side in a vector that slides along the row: the outputs of the
// windows that a column of the frame is in, and behind them the one that is complete. A change adds one vector for each
// row of outputs; changes are listed column by column of the frame, so that those in front of a row of outputs stand
// side by side in the list, and nothing is copied.
//
// How sums of weights of -1 and +1 are counted, see bit_columns.cpp. A weight of -1, 0 or +1 is the sum, less 1, of two
// bits: not below 0, and above 0. So with P of these bits set in N columns an output is set where E + P - N >= 0.
#include "sliding.hpp"

#include <algorithm>

#include "bit_adders.hpp"
#include "simd.hpp"

namespace fat {

namespace {

constexpr int kBlocks = 2, kSide = 4;         // pixels in a vector, of two blocks
constexpr int kKernel = kSide - 1;            // columns of a window: the place in front is for what is complete
constexpr int kVector = kBlocks * kSide;      // words
constexpr int kFurther = 128;                 // entries that are read and written behind the end of a list
constexpr int kFew = 8, kMany = 10;           // bit-planes of sums
constexpr double kColumn = 2.5, kPixel = 40;  // costs of a vector that is added, and of a pixel

// Changes in a window that sums of so many bit-planes are enough for: margins are cut off where none can cross them,
// and the sum of both is within two's complement.
constexpr int most_of(int planes, bool zeros) { return ((1 << (planes - 1)) - 4) >> (zeros ? 1 : 0); }

constexpr int kMostStart = most_of(kMany, false) / 2;
static_assert(most_of(kMany, true) <= kMostStart, "a sum starts at half as much as there are columns of bits");

// The bits of -i, each as a word of 64.
struct Starts {
  uint64_t bits[kMostStart + 1][kMany];
  Starts() {
    for (int i = 0; i <= kMostStart; ++i) {
      for (int k = 0; k < kMany; ++k) bits[i][k] = -uint64_t(-i >> k & 1);
    }
  }
};
const Starts kStarts;

bool has_zeros(const Unit& unit) { return unit.bit_columns.empty(); }

#if FAT_SLIDING

// Adds what is listed, of any number; `none` is the offset of a column of zeros.
template <bool Zeros, class V, int Planes>
inline void add_listed(V (&counts)[Planes], const uint64_t* columns, const uint16_t* list, int n, uint16_t none) {
  constexpr int kEight = Zeros ? 4 : 8;  // entries of eight vectors
  const auto add = [&](const uint16_t* from) {
    const auto column = [&](int i) {
      return Zeros ? V::load(columns + from[i / 2] + i % 2 * kVector) : V::load(columns + from[i]);
    };
    ripple(counts, 3, add_eight(counts, column, 0));
  };
  for (; n > kEight; n -= kEight, list += kEight) add(list);
  alignas(16) uint16_t rest[8];
  first_of(list, n, none, rest);
  if (Zeros || n > 4) return add(rest);
  const auto column = [&](int i) { return V::load(columns + rest[i]); };
  const V two0 = full_adder(counts[0], column(0), column(1)), two1 = full_adder(counts[0], column(2), column(3));
  ripple(counts, 2, full_adder(counts[1], two0, two1));
}

#endif

}  // namespace

int Sliding::vector(const Unit& unit) { return has_zeros(unit) ? 2 * kVector : kVector; }

double Sliding::cost(int u, int changes, const Rect& outputs) const {
  const Unit& unit = model_.units[u];
  const double vectors = double(changes) * unit.kernel_y * (has_zeros(unit) ? 2 : 1);
  return vectors * kColumn + double(outputs.y1 - outputs.y0) * (outputs.x1 - outputs.x0) * kPixel;
}

#if FAT_SLIDING

Sliding::Sliding(Image& image)
    : Part(image), columns_(model_.units.size()), few_(model_.units.size()), many_(model_.units.size()) {
  size_t entries = 0, places = 0, pixels = 0;
  for (const Unit& unit : model_.units) pitch_ = std::max(pitch_, unit.in.frame_width() + kSide);
  for (size_t u = 0; u < model_.units.size(); ++u) {
    const Unit& unit = model_.units[u];
    if (!unit.reads_planes() || unit.last || unit.wide || unit.largest_weight != 1) continue;
    if (unit.blocks() != kBlocks || unit.kernel_x > kKernel || unit.width < kSide) continue;
    if (unit.stride_x != 1 || unit.stride_y != 1) continue;
    if (size_t(unit.in.frame_height()) * row(unit) > UINT16_MAX) continue;
    if (size_t(unit.in.height) * unit.in.width * unit.in.planes * unit.in.channels > UINT16_MAX) continue;
    set_columns(int(u));
    entries = std::max(entries, size_t(unit.in.height) * unit.in.width * unit.in.planes * unit.in.channels);
    places = std::max(places, size_t(unit.in.frame_height() + 1) * pitch_);
    pixels = std::max(pixels, size_t(unit.height) * pitch_);
  }
  entries_.resize(entries + kFurther), start_.resize(places), numbers_.resize(pixels);
}

void Sliding::forget() {
  for (Sliced& kept : few_) kept.valid = false;
  for (Sliced& kept : many_) kept.valid = false;
}

// A place of the frame is in the windows of as many pixels as a window has columns: the last of them stands at the end
// of the vector. Behind the columns there is one of zeros.
void Sliding::set_columns(int u) {
  const Unit& unit = model_.units[u];
  const int inputs = unit.inputs * 2, vector = this->vector(unit);  // as is, negated
  int8_t zero[kBlock] = {}, below[kBlock];
  std::fill_n(below, kBlock, int8_t(-1));
  columns_[u].assign((size_t(unit.kernel_y) * inputs + 1) * vector, 0);
  for (int ky = 0; ky < unit.kernel_y; ++ky) {
    for (int kx = 0; kx < unit.kernel_x; ++kx) {
      const int8_t* from = unit.columns.data() + size_t(ky * unit.kernel_x + kx) * inputs * unit.padded();
      uint64_t* to = columns_[u].data() + size_t(ky) * inputs * vector + (kSide - 1 - kx) * kBlocks;
      for (int i = 0; i < inputs; ++i, from += unit.padded(), to += vector) {
        for (int b = 0; b < kBlocks; ++b) {
          auto weights = Bytes64::zero();
          weights.add(from + b * kBlock);
          to[b] = weights.above(zero);
          if (has_zeros(unit)) to[kVector + b] = weights.above(below);
        }
      }
    }
  }
}

int Sliding::list(int u, const Rect& seen, const Rect& area) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const int words = in.words(), vector = this->vector(unit), row = this->row(unit);
  const size_t pitch = size_t(in.frame_width()) * in.pixel_words();
  const uint64_t *golden = states_[unit.source].golden.data(), *faulty = states_[unit.source].faulty.data();
  uint16_t *const first = entries_.data(), *entry = first;
  const auto mark = [&](int x, int from, int to) {
    for (int y = from; y < to; ++y) start_[size_t(y) * pitch_ + x] = uint16_t(entry - first);
  };
  for (int x = seen.x0; x < seen.x1; ++x) {
    const bool any = area.x0 <= x && x < area.x1;
    const int from = any ? area.y0 : seen.y1, to = any ? area.y1 : seen.y1;
    mark(x, seen.y0, from);
    size_t at = from * pitch + size_t(x) * in.pixel_words();
    uint16_t* start = start_.data() + size_t(from) * pitch_ + x;
    for (int y = from; y < to; ++y, at += pitch, start += pitch_) {
      *start = uint16_t(entry - first);
      for (int t = 0, i = 0; t < in.planes; ++t) {
        for (int w = 0; w < words; ++w, ++i)
          entry = list_changes(golden[at + i] ^ faulty[at + i], golden[at + i], y * row + w * kBlock * 2 * vector,
                               vector, entry);
      }
    }
    mark(x, to, seen.y1 + 1);
  }
  return int(entry - first);
}

// Counts the changes in the window of each pixel of an area, with places behind each row where there are none; the most
// that a pixel has.
int Sliding::count(const Unit& unit, const Rect& area) {
  const int width = area.x1 - area.x0;
  int most = 0;
  uint16_t* number = numbers_.data();
  for (int y = area.y0; y < area.y1; ++y, number += pitch_) {
    const uint16_t* start = start_.data() + size_t(y + unit.origin_y) * pitch_ + area.x0 + unit.origin_x;
    const uint16_t* end = start + unit.kernel_y * pitch_;
    std::fill_n(number, width + kSide, 0);
    for (int kx = 0; kx < unit.kernel_x; ++kx) {
      for (int x = 0; x < width; ++x) number[x] = uint16_t(number[x] + end[x + kx] - start[x + kx]);
    }
    int here = 0;
    for (int x = 0; x < width; ++x) here = std::max(here, int(number[x]));
    most = std::max(most, here);
  }
  return most;
}

bool Sliding::unit(int u, const Rect& area, Target to) {
  const Unit& unit = model_.units[u];
  const bool zeros = has_zeros(unit);
  const int most = count(unit, area);
  if (most > most_of(kMany, zeros)) return false;
  if (most > most_of(kFew, zeros)) zeros ? rows<kMany, true>(u, area, to) : rows<kMany, false>(u, area, to);
  else zeros ? rows<kFew, true>(u, area, to) : rows<kFew, false>(u, area, to);
  return true;
}

template <int Planes>
const uint64_t* Sliding::slices(int u) {
  Sliced& kept = Planes == kFew ? few_[u] : many_[u];
  if (kept.valid) return kept.planes.data();
  const Unit& unit = model_.units[u];
  const int planes = unit.planes_out(), slices = Planes + 1, zeros = has_zeros(unit);
  kept.planes.resize(size_t(unit.pixels()) * planes * slices * kBlocks);
  kept.valid = true;
  uint64_t* out = kept.planes.data();
  for (int p = 0; p < unit.pixels(); ++p) {
    for (int t = 0; t < planes; ++t, out += slices * kBlocks) {
      for (int b = 0; b < kBlocks; ++b) {
        const int16_t* threshold = unit.thresholds16.data() + size_t(t) * unit.padded() + b * kBlock;
        slice_margins(image_.accumulators<int16_t>(u, p) + b * kBlock, threshold, 1 << (Planes - 1 - zeros),
                      slices - zeros, out + zeros * kBlocks + b, kBlocks);
      }
    }
  }
  return kept.planes.data();
}

template <int Planes, bool Zeros>
void Sliding::rows(int u, const Rect& area, Target to) {
  using V = Bits<kVector>;
  using One = Bits<kBlocks>;
  const Unit& unit = model_.units[u];
  const uint64_t* sliced = slices<Planes>(u);
  const Target golden = image_.golden_front(u);
  const int planes = unit.planes_out(), width = area.x1 - area.x0;
  const int row = this->row(unit);
  const uint16_t* number = numbers_.data();
  for (int y = area.y0; y < area.y1; ++y, number += pitch_) {
    uint64_t* out = to.first + y * to.pitch + size_t(area.x0) * unit.words_out();
    if (std::all_of(number, number + width, [](uint16_t changes) { return changes == 0; })) {
      const uint64_t* from = golden.first + y * golden.pitch + size_t(area.x0) * unit.words_out();
      std::copy_n(from, size_t(width) * unit.words_out(), out);
      continue;
    }
    const int top = y + unit.origin_y;
    const uint16_t* start = start_.data() + size_t(top) * pitch_ + area.x0 + unit.origin_x;
    const uint16_t* end = start + unit.kernel_y * pitch_;
    const uint64_t* columns = columns_[u].data() - top * ptrdiff_t(row);
    const auto none = uint16_t((unit.kernel_y + top) * row);
    const uint64_t* slice = sliced + size_t(y * unit.width + area.x0) * planes * (Planes + 1) * kBlocks;
    V counts[Planes];
    for (auto& plane : counts) plane = V::zero();
    for (int x = 0; x < width + kSide - 1; ++x) {
      const uint64_t* first = kStarts.bits[Zeros ? number[x] : (number[x] + 1) / 2];
      for (int k = 0; k < Planes; ++k) counts[k] = V::slid(counts[k], first[k]);
      if (x >= kSide - 1) {  // this one is complete
        const auto odd = One::all(-uint64_t(number[x - kSide + 1] & 1));
        for (int t = 0; t < planes; ++t, slice += (Planes + 1) * kBlocks, out += kBlocks) {
          One carry = Zeros ? One::zero() : One::both(One::load(slice), odd);
          for (int k = 0; k < Planes - 1; ++k)
            carry = One::majority(counts[k].front(), One::load(slice + (k + 1) * kBlocks), carry);
          One::even(counts[Planes - 1].front(), One::load(slice + Planes * kBlocks), carry).store(out);
        }
      }
      if (x < width + unit.kernel_x - 1)
        add_listed<Zeros>(counts, columns, entries_.data() + start[x], end[x] - start[x], none);
    }
  }
}

#else

Sliding::Sliding(Image& image) : Part(image), columns_(model_.units.size()) {}
void Sliding::forget() {}
int Sliding::list(int, const Rect&, const Rect&) { return 0; }
bool Sliding::unit(int, const Rect&, Target) { return false; }

#endif

}  // namespace fat
