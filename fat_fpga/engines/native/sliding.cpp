// Pixels of a row of a unit of two blocks, four side by side in a vector that slides along the row, two at a time: the
// outputs of the windows that two neighbouring columns of the frame are in, of which the first two are complete behind
// them. A change adds one vector for each row of outputs; changes are listed two columns of the frame at a time, so
// that those in front of a row of outputs stand side by side in the list, and nothing is copied.
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
constexpr int kStep = 2;                      // columns of the frame at a time
constexpr int kKernel = kSide - kStep + 1;    // columns of a window, at most
constexpr int kVector = kBlocks * kSide;      // words
constexpr int kHalf = kBlocks * kStep;        // words of the pixels that are complete
constexpr int kFurther = 128;                 // entries that are read and written behind the end of a list
constexpr int kFurtherNumbers = 32;           // that are read and written behind those of a row
constexpr int kFew = 8, kMany = 10;           // bit-planes of sums
constexpr double kColumn = 2.5, kPixel = 30;  // costs of a vector that is added, and of a pixel

// Changes in a window that sums of so many bit-planes are enough for: margins are cut off where none can cross them,
// and the sum of both is within two's complement.
constexpr int most_of(int planes, bool zeros) { return ((1 << (planes - 1)) - 4) >> (zeros ? 1 : 0); }

constexpr int kMostStart = most_of(kMany, false) / 2;
static_assert(most_of(kMany, true) <= kMostStart, "a sum starts at half as much as there are columns of bits");

// The bits of -i, each as a word of 64 for each block.
struct Starts {
  uint64_t bits[kMostStart + 1][kMany][kBlocks];
  Starts() {
    for (int i = 0; i <= kMostStart; ++i) {
      for (int k = 0; k < kMany; ++k) std::fill_n(bits[i][k], kBlocks, -uint64_t(-i >> k & 1));
    }
  }
};
const Starts kStarts;

#if FAT_SLIDING

using Pair = Bits<kHalf>;

// The bits of two pixels that are set where the pixel has an odd number of changes.
Pair odd(int first, int second) {
  alignas(32) static constexpr uint64_t kAll = ~uint64_t(0), kWords[4][kHalf] = {{0, 0, 0, 0},
                                                                                 {kAll, kAll, 0, 0},
                                                                                 {0, 0, kAll, kAll},
                                                                                 {kAll, kAll, kAll, kAll}};
  return Pair::load(kWords[(first & 1) | (second & 1) << 1]);
}

// Adds what is listed, of any number; `none` is the offset of a column of zeros.
template <bool Zeros, class V, int Planes>
inline void add_listed(V (&counts)[Planes], const uint64_t* columns, const uint16_t* list, int n, uint16_t none) {
  constexpr int kEight = Zeros ? 4 : 8;  // entries of eight vectors
  const auto eight = [&](const uint16_t* from) {
    const auto column = [&](int i) {
      return Zeros ? V::load(columns + from[i / 2] + i % 2 * kVector) : V::load(columns + from[i]);
    };
    return add_eight(counts, column, 0);
  };
  alignas(16) uint16_t rest[8];
  while (n > kEight) {
    const V carry = eight(list);
    n -= kEight, list += kEight;
    V other;
    if (n < kEight) first_of(list, n, none, rest), other = eight(rest);
    else other = eight(list);
    n -= kEight, list += kEight;
    ripple(counts, 4, full_adder(counts[3], carry, other));
  }
  if (n <= 0) return;
  first_of(list, n, none, rest);
  if (Zeros || n > 4) return ripple(counts, 3, eight(rest));
  const auto column = [&](int i) { return V::load(columns + rest[i]); };
  const V two0 = full_adder(counts[0], column(0), column(1)), two1 = full_adder(counts[0], column(2), column(3));
  ripple(counts, 2, full_adder(counts[1], two0, two1));
}

#endif

}  // namespace

int Sliding::vector(const Unit& unit) { return unit.zeros ? 2 * kVector : kVector; }

double Sliding::cost(int u, int changes, const Rect& outputs) const {
  const Unit& unit = model_.units[u];
  const double vectors = double(changes) * unit.kernel_y * (unit.zeros ? 2 : 1);
  return vectors * kColumn + double(outputs.y1 - outputs.y0) * (outputs.x1 - outputs.x0) * kPixel;
}

#if FAT_SLIDING

Sliding::Sliding(Image& image)
    : Part(image), columns_(model_.units.size()), few_(model_.units.size()), many_(model_.units.size()) {
  size_t entries = 0, places = 0, pixels = 0, rows = 0, bases = 0;
  for (const Unit& unit : model_.units) pitch_ = std::max(pitch_, unit.in.frame_width() + kFurtherNumbers);
  for (size_t u = 0; u < model_.units.size(); ++u) {
    const Unit& unit = model_.units[u];
    if (!unit.reads_planes() || unit.last || unit.wide || unit.largest_weight != 1) continue;
    if (unit.blocks() != kBlocks || unit.kernel_x > kKernel || unit.width < kSide) continue;
    if (unit.stride_x != 1 || unit.stride_y != 1) continue;
    if (size_t(unit.in.frame_height()) * row(unit) + vector(unit) > UINT16_MAX) continue;
    if (size_t(unit.in.height) * unit.in.width * unit.in.planes * unit.in.channels > UINT16_MAX) continue;
    set_columns(int(u));
    entries = std::max(entries, size_t(unit.in.height) * unit.in.width * unit.in.planes * unit.in.channels);
    places = std::max(places, size_t(unit.in.frame_height() + 1) * pitch_);
    pixels = std::max(pixels, size_t(unit.height) * pitch_), rows = std::max(rows, size_t(unit.height));
    bases = std::max(bases, size_t(kStep) * unit.in.pixel_words());
  }
  entries_.resize(entries + kFurther), start_.resize(places), places_.resize(places);
  numbers_.resize(pixels), most_.resize(rows), bases_.resize(bases);
}

void Sliding::forget() {
  for (Sliced& kept : few_) kept.valid = false;
  for (Sliced& kept : many_) kept.valid = false;
}

// A place of the frame is in the windows of as many pixels as a window has columns. In a vector of the second of two
// columns the last of these pixels stands at the end, and nothing in front; that of the first begins a pixel further
// on, with what is behind it. Behind the columns there is one of zeros, and one more pixel.
void Sliding::set_columns(int u) {
  const Unit& unit = model_.units[u];
  const int inputs = unit.inputs * 2, vector = this->vector(unit);  // as is, negated
  int8_t zero[kBlock] = {}, below[kBlock];
  std::fill_n(below, kBlock, int8_t(-1));
  columns_[u].assign((size_t(unit.kernel_y) * inputs + 1) * vector + kBlocks, 0);
  for (int ky = 0; ky < unit.kernel_y; ++ky) {
    for (int kx = 0; kx < unit.kernel_x; ++kx) {
      const int8_t* from = unit.columns.data() + size_t(ky * unit.kernel_x + kx) * inputs * unit.padded();
      uint64_t* to = columns_[u].data() + size_t(ky) * inputs * vector + (kSide - 1 - kx) * kBlocks;
      for (int i = 0; i < inputs; ++i, from += unit.padded(), to += vector) {
        for (int b = 0; b < kBlocks; ++b) {
          auto weights = Bytes64::zero();
          weights.add(from + b * kBlock);
          to[b] = weights.above(zero);
          if (unit.zeros) to[kVector + b] = weights.above(below);
        }
      }
    }
  }
}

int Sliding::list(int u, const Rect& seen, const Rect& area) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const int words = in.pixel_words(), vector = this->vector(unit), row = this->row(unit), left = unit.origin_x;
  const size_t pitch = size_t(in.frame_width()) * words;
  for (int i = 0; i < kStep * words; ++i)  // those of the first column begin a pixel further on
    bases_[i] = i % in.words() * kBlock * 2 * vector + (i < words ? kBlocks : 0);
  uint16_t *const first = entries_.data(), *entry = first;
  for (int y = seen.y0; y < seen.y1; ++y) std::fill_n(&places_[size_t(y) * pitch_ + seen.x0], seen.x1 - seen.x0, 0);
  const int pairs = (seen.x1 - 1 - left) / kStep + 1;
  for (int pair = (seen.x0 - left) / kStep; pair < pairs; ++pair) {
    const int x = left + pair * kStep, x0 = std::max(area.x0, x), x1 = std::min(area.x1, x + kStep);
    const int from = x0 < x1 ? area.y0 : seen.y1, to = x0 < x1 ? area.y1 : seen.y1;
    uint16_t* start = start_.data() + pair;
    for (int y = seen.y0; y < from; ++y) start[size_t(y) * pitch_] = uint16_t(entry - first);
    const uint64_t* golden = states_[unit.source].golden.data() + from * pitch + size_t(x0) * words;
    const uint64_t* faulty = states_[unit.source].faulty.data() + from * pitch + size_t(x0) * words;
    for (int y = from; y < to; ++y, golden += pitch, faulty += pitch) {
      start[size_t(y) * pitch_] = uint16_t(entry - first);
      const int32_t* base = bases_.data() + (x0 - x) * words;
      for (int at = x0, i = 0; at < x1; ++at) {
        const uint16_t* const before = entry;
        for (int end = i + words; i < end; ++i)
          entry = list_changes(golden[i] ^ faulty[i], golden[i], y * row + base[i], vector, entry);
        places_[size_t(y) * pitch_ + at] = uint16_t(entry - before);
      }
    }
    for (int y = to; y <= seen.y1; ++y) start[size_t(y) * pitch_] = uint16_t(entry - first);
  }
  return int(entry - first);
}

// Counts the changes in the window of each pixel of an area; outside of it there are none. The most that a pixel has.
int Sliding::count(const Unit& unit, const Rect& area) {
  int most = 0;
  for (int y = area.y0; y < area.y1; ++y) {
    const uint16_t* place = places_.data() + size_t(y + unit.origin_y) * pitch_ + area.x0 + unit.origin_x;
    uint16_t* number = numbers_.data() + size_t(y) * pitch_ + area.x0;
    most_[y] = window_sums(place, pitch_, unit.kernel_y, unit.kernel_x, area.x1 - area.x0, kStep, number);
    if (area.x0 % kStep != 0) number[-1] = 0;
    most = std::max(most, int(most_[y]));
  }
  return most;
}

bool Sliding::unit(int u, const Rect& area, Target to) {
  const Unit& unit = model_.units[u];
  const bool zeros = unit.zeros;
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
  const int planes = unit.planes_out(), slices = Planes + 1, zeros = unit.zeros;
  const int pairs = (unit.width + kStep - 1) / kStep;
  kept.planes.resize(size_t(unit.height) * pairs * planes * slices * kHalf);
  kept.valid = true;
  for (int p = 0; p < unit.pixels(); ++p) {
    const int y = p / unit.width, x = p % unit.width;
    uint64_t* out = kept.planes.data() + size_t(y * pairs + x / kStep) * planes * slices * kHalf;
    for (int t = 0; t < planes; ++t, out += slices * kHalf) {
      for (int b = 0; b < kBlocks; ++b) {
        const int16_t* threshold = unit.thresholds16.data() + size_t(t) * unit.padded() + b * kBlock;
        slice_margins(image_.accumulators<int16_t>(u, p) + b * kBlock, threshold, 1 << (Planes - 1 - zeros),
                      slices - zeros, out + zeros * kHalf + x % kStep * kBlocks + b, kHalf);
      }
    }
  }
  return kept.planes.data();
}

template <int Planes, bool Zeros>
void Sliding::rows(int u, const Rect& area, Target to) {
  using V = Bits<kVector>;
  constexpr int kSlices = Planes + 1;
  const Unit& unit = model_.units[u];
  const uint64_t* sliced = slices<Planes>(u);
  const Target golden = image_.golden_front(u);
  const int planes = unit.planes_out(), words = unit.words_out(), width = area.x1 - area.x0;
  const int row = this->row(unit), pairs = (unit.width + kStep - 1) / kStep;
  const int first = area.x0 / kStep, end = (area.x1 + kStep - 1) / kStep;  // pairs of pixels
  const int listed = (area.x1 + unit.kernel_x - 2) / kStep;                // the last pair of columns
  for (int y = area.y0; y < area.y1; ++y) {
    uint64_t* out = to.first + y * to.pitch;
    if (most_[y] == 0) {
      const size_t at = size_t(area.x0) * words;
      std::copy_n(golden.first + y * golden.pitch + at, size_t(width) * words, out + at);
      continue;
    }
    const int top = y + unit.origin_y;
    const uint16_t *start = start_.data() + size_t(top) * pitch_, *stop = start + unit.kernel_y * pitch_;
    const uint16_t* number = numbers_.data() + size_t(y) * pitch_;
    const uint64_t* columns = columns_[u].data() - top * ptrdiff_t(row);
    const auto none = uint16_t((unit.kernel_y + top) * row);
    V counts[Planes];
    for (auto& plane : counts) plane = V::zero();
    for (int pair = first; pair <= end; ++pair) {
      const int x = pair * kStep;  // of the pixels that are new
      const auto begins = [&](int n) { return kStarts.bits[Zeros ? n : (n + 1) / 2]; };
      const auto *one = begins(number[x]), *two = begins(number[x + 1]);
      for (int k = 0; k < Planes; ++k) counts[k] = V::slid(counts[k], Pair::load_halves(one[k], two[k]));
      if (pair <= listed)
        add_listed<Zeros>(counts, columns, entries_.data() + start[pair], stop[pair] - start[pair], none);
      if (pair == first) continue;
      const int done = x - kStep;  // those that are complete
      const bool left = done >= area.x0, right = done + 1 < area.x1;
      const uint64_t* slice = sliced + size_t(y * pairs + pair - 1) * planes * kSlices * kHalf;
      const Pair odds = odd(number[done], number[done + 1]);
      for (int t = 0; t < planes; ++t, slice += kSlices * kHalf) {
        Pair carry = Zeros ? Pair::zero() : Pair::both(Pair::load(slice), odds);
        for (int k = 0; k < Planes - 1; ++k)
          carry = Pair::majority(counts[k].front(), Pair::load(slice + (k + 1) * kHalf), carry);
        const Pair met = Pair::even(counts[Planes - 1].front(), Pair::load(slice + Planes * kHalf), carry);
        uint64_t* at = out + size_t(done) * words + t * kBlocks;
        if (left) met.front().store(at);
        if (right) met.back().store(at + words);
      }
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
