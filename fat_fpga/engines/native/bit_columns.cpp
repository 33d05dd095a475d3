// Sparse updates of units with weights of -1, 0 and +1: columns are bits, added by carry-save adders.
//
// A changed activation adds its weight column or its opposite: +1 or -1 for each output. For n of them the sum is
// 2 P - n, with P the number of +1. P is counted for all outputs of a vector at once, one bit-plane of the counts
// in each register: three planes become two with two instructions. Columns take an eighth of the bytes, so those of
// a whole unit stay in the first-level cache. Whether an output is set is decided in bit-planes too.
//
// Lists are filled up to a multiple of eight by as many columns of only +1 as of only -1, which change no sum, and one
// of -1 more where n is odd. So for N listed columns the sum is 2 P - N + n % 2.
//
// With weights of 0, a weight is the sum, less 1, of two bits: above 0, and not below 0. Both are counted, side by side
// in a vector, so that with P of them in all the sum is P - N + n % 2.
#include <algorithm>
#include <utility>

#include "bit_adders.hpp"
#include "bit_groups.hpp"
#include "changed_columns.hpp"
#include "simd.hpp"

namespace fat {

#if FAT_BIT_COLUMNS

namespace {

constexpr int kMostPlanes = 16;  // counts below 2^16: accumulators of 16 bits have no more inputs

// Margins in bit-planes. With margin E = accumulator - threshold and N listed columns of which P are +1, the output is
// set where E + 2 P - N + n % 2 >= 0, that is where H + X >= 0 with H = (E + n % 2) >> 1 and X = P - N / 2. For at most
// kMostSliced columns X lies within +-248, so that H may be cut off at +-256, and kPlanes bits hold the sum.
constexpr int kPlanes = 10, kMostSliced = 496, kMargin = 512;
constexpr int kSlices = 1 + kPlanes;  // of E: bit 0, and those of E >> 1

// With zeros it is set where E + X >= 0 with X = P - N + n % 2, in the same bounds.

// The bits of -N and of 1 - N, each as a word of 64, by N / 8.
struct Starts {
  uint64_t bits[2][kMostSliced / 8 + 1][kSlices];
  Starts() {
    for (int odd = 0; odd < 2; ++odd) {
      for (int i = 0; i <= kMostSliced / 8; ++i) {
        for (int k = 0; k < kSlices; ++k) bits[odd][i][k] = -uint64_t((odd - 8 * i) >> k & 1);
      }
    }
  }
};
const Starts kStarts;

// Offsets of the columns that a list is filled up with: of -1 everywhere, and of +1.
std::pair<uint16_t, uint16_t> fillers(const Unit& unit) {
  const int none = unit.listed_void();
  return {uint16_t(none), uint16_t(none + unit.listed(unit.padded()))};
}

}  // namespace

// Margins of the fault-free accumulators in bit-planes [pixel][plane of the output][slice][block].
void ChangedColumns::slice(int u) {
  const Unit& unit = model_.units[u];
  Sliced& kept = sliced_[u];
  if (kept.valid) return;
  const int blocks = unit.blocks(), planes = unit.planes_out();
  kept.planes.resize(size_t(unit.pixels()) * planes * kSlices * blocks);
  kept.valid = true;
  for (int p = 0; p < unit.pixels(); ++p) {
    for (int t = 0; t < planes; ++t) {
      uint64_t* out = kept.planes.data() + (size_t(p) * planes + t) * kSlices * blocks;
      for (int b = 0; b < blocks; ++b) {
        const int16_t* threshold = unit.thresholds16.data() + size_t(t) * unit.padded() + b * kBlock;
        slice_margins(image_.accumulators<int16_t>(u, p) + b * kBlock, threshold, kMargin, kSlices, out + b, blocks);
      }
    }
  }
}

// A row of output pixels. Units of two blocks go two pixels at a time, so that vectors are full.
void ChangedColumns::bit_row(int u, int y, const Rect& area, Target golden, Target to) {
  const Unit& unit = model_.units[u];
  const int lanes = unit.blocks() == 2 && !unit.last && !unit.zeros ? 2 : 1, words = unit.last ? 0 : unit.words_out();
  const auto [none, ones] = fillers(unit);
  uint16_t* const lists[2] = {columns16_.data(), columns16_.data() + columns16_.size() / 2};
  // All are listed before the first is read, so that what is listed has left the processor's store queue by then.
  int end = 0;
  for (int x = area.x0; x < area.x1; x += lanes) {
    int size = 0;
    counts_[x + 1] = 0;  // where it is behind the area
    for (int lane = 0; lane < lanes && x + lane < area.x1; ++lane) {
      uint16_t* list = lists[lane] + end;
      counts_[x + lane] = int(list_columns(unit, y, x + lane, changes_.entries16.data(), list) - list);
      size = std::max(size, (counts_[x + lane] + 7) & ~7);
    }
    for (int lane = 0; lane < lanes; ++lane) fill(lists[lane] + end, counts_[x + lane], size, ones, none);
    sizes_[x] = size;
    end += size;
  }
  int start = 0;
  for (int x = area.x0; x < area.x1; start += sizes_[x], x += lanes) {
    const Listed listed{lists[0] + start, lists[1] + start, sizes_[x], counts_[x], counts_[x + 1]};
    const size_t at = size_t(x) * words;
    bit_listed(u, y * unit.width + x, std::min(lanes, area.x1 - x), listed, golden.first + y * golden.pitch + at,
               to.first + y * to.pitch + at);
  }
}

// A unit of a single pixel, from what is listed.
void ChangedColumns::bit_single(int u, const uint64_t* golden, uint64_t* out) {
  const auto [none, ones] = fillers(model_.units[u]);
  uint16_t* list = changes_.entries16.data();
  const int count = changes_.count, size = (count + 7) & ~7;
  fill(list, count, size, ones, none);
  bit_listed(u, 0, 1, {list, list, size, count, 0}, golden, out);
}

// One pixel or two, with or without changes in front of them.
void ChangedColumns::bit_listed(int u, int pixel, int lanes, const Listed& listed, const uint64_t* golden,
                                uint64_t* out) {
  const Unit& unit = model_.units[u];
  const int words = unit.words_out();
  if (listed.size == 0 && !unit.last) {
    std::copy_n(golden, lanes * words, out);
  } else if (unit.last || listed.size > kMostSliced) {
    unit.zeros ? bit_sums<true>(u, pixel, listed, out) : bit_sums<false>(u, pixel, listed, out);
    if (lanes == 2) bit_sums<false>(u, pixel + 1, {listed.second, nullptr, listed.size, listed.other, 0}, out + words);
  } else {
    slice(u);
    if (unit.zeros) bit_pixel<true>(u, pixel, listed, out);
    else if (unit.blocks() == 2) bit_pair(u, pixel, lanes == 2, listed, out);
    else bit_pixel<false>(u, pixel, listed, out);
  }
}

// Adds margins to counts of `start` + columns, and gives what is not negative to `put`, plane by plane of the output.
template <class V, class Column, class Slice, class Put>
inline void decide(int size, V odd, int planes, Column column, Slice slice, Put put) {
  V counts[kPlanes];
  for (int k = 0; k < kPlanes; ++k) counts[k] = V::all(kStarts.bits[0][size / 8][k + 1]);
  count_columns(column, size, counts);
  for (int t = 0; t < planes; ++t) {
    V carry = V::both(slice(t, 0), odd);
    for (int k = 0; k < kPlanes - 1; ++k) carry = V::majority(counts[k], slice(t, k + 1), carry);
    put(t, V::even(counts[kPlanes - 1], slice(t, kPlanes), carry));
  }
}

// The same with two kinds of bits, in the halves of a vector.
template <class V, class Half, class Column, class Slice, class Put>
inline void decide_with_zeros(int size, bool odd, int planes, Column column, Slice slice, Put put) {
  V counts[kSlices];
  for (int k = 0; k < kSlices; ++k) counts[k] = V::in_front(kStarts.bits[odd][size / 8][k]);
  count_columns(column, size, counts);
  Half sums[kSlices], carry = Half::zero();
  for (int k = 0; k < kSlices; ++k) {
    sums[k] = counts[k].front();
    carry = full_adder(sums[k], counts[k].back(), carry);
  }
  for (int t = 0; t < planes; ++t) {
    carry = Half::zero();
    for (int k = 0; k < kSlices - 1; ++k) carry = Half::majority(sums[k], slice(t, k), carry);
    put(t, Half::even(sums[kSlices - 1], slice(t, kSlices - 1), carry));
  }
}

// Two neighbouring pixels of a unit of two blocks; the second is written only if it is wanted.
void ChangedColumns::bit_pair(int u, int pixel, bool both, const Listed& listed, uint64_t* out) {
  using V = Bits<4>;
  const Unit& unit = model_.units[u];
  const int planes = unit.planes_out();
  const uint64_t* columns = unit.bit_columns.data();
  const size_t words = size_t(planes) * kSlices * 2;
  const uint64_t *first = sliced_[u].planes.data() + pixel * words, *second = both ? first + words : first;
  const V odd = V::halves(-uint64_t(listed.count & 1), -uint64_t(listed.other & 1));
  decide<V>(
      listed.size, odd, planes,
      [&](int i) { return V::load_halves(columns + listed.first[i], columns + listed.second[i]); },
      [&](int t, int k) { return V::load_halves(first + (t * kSlices + k) * 2, second + (t * kSlices + k) * 2); },
      [&](int t, V set) {
        alignas(32) uint64_t bits[4];
        set.store(bits);
        std::copy_n(bits, 2, out + t * 2);
        if (both) std::copy_n(bits + 2, 2, out + (planes + t) * 2);
      });
}

// Some blocks of a pixel, from where their columns, margins and planes begin; there are `blocks` of them in all. Counts
// stay in registers only where all of it is one function.
template <bool Zeros, int Words>
[[gnu::flatten, gnu::noinline]] void decide_blocks(const uint64_t* columns, const uint16_t* list, int size, bool odd,
                                                   int planes, const uint64_t* slices, int blocks, uint64_t* out) {
  using V = Bits<Zeros ? 2 * Words : Words>;
  using Block = Bits<Words>;
  const auto column = [=](int i) { return V::load(columns + list[i]); };
  const auto slice = [=](int t, int k) { return Block::load(slices + (t * kSlices + k) * blocks); };
  const auto put = [=](int t, Block set) { set.store(out + t * blocks); };
  if constexpr (Zeros) decide_with_zeros<V, Block>(size, odd, planes, column, slice, put);
  else decide<V>(size, Block::all(-uint64_t(odd)), planes, column, slice, put);
}

// One pixel, as many blocks at a time as a vector holds.
template <bool Zeros>
void ChangedColumns::bit_pixel(int u, int pixel, const Listed& listed, uint64_t* out) {
  const Unit& unit = model_.units[u];
  const int blocks = unit.blocks(), planes = unit.planes_out();
  const uint64_t* slices = sliced_[u].planes.data() + size_t(pixel) * planes * kSlices * blocks;
  each_group<Zeros>(blocks, [&](auto words, int block) {
    decide_blocks<Zeros, decltype(words)::value>(unit.bit_columns.data() + (Zeros ? 2 * block : block), listed.first,
                                                 listed.size, listed.count % 2 != 0, planes, slices + block, blocks,
                                                 out + block);
  });
}

// The same for scores, and for more columns than margins are sliced for.
template <bool Zeros>
void ChangedColumns::bit_sums(int u, int pixel, const Listed& listed, uint64_t* out) {
  const Unit& unit = model_.units[u];
  each_group<Zeros>(unit.blocks(), [&](auto words, int block) {
    constexpr int kWords = decltype(words)::value;
    using V = Bits<Zeros ? 2 * kWords : kWords>;
    const uint64_t* columns = unit.bit_columns.data() + (Zeros ? 2 * block : block);
    V counts[kMostPlanes];
    for (auto& plane : counts) plane = V::zero();
    count_columns([&](int i) { return V::load(columns + listed.first[i]); }, listed.size, counts);
    alignas(64) uint64_t bits[kMostPlanes][8];
    for (int k = 0; k < kMostPlanes; ++k) counts[k].store(bits[k]);
    for (int w = 0; w < kWords; ++w) {
      auto sums = Wide64<int16_t>::load(image_.accumulators<int16_t>(u, pixel) + (block + w) * kBlock);
      sums.add_all(int16_t((listed.count & 1) - listed.size));
      for (int k = 0; k < kMostPlanes - 1 && listed.size >> k; ++k) {
        if (!Zeros) sums.add_where(bits[k][w], int16_t(2 << k));
        else sums.add_where(bits[k][w], int16_t(1 << k)), sums.add_where(bits[k][kWords + w], int16_t(1 << k));
      }
      if (unit.last) {
        int16_t scores[kBlock];
        sums.store(scores);
        std::copy_n(scores, kBlock, image_.sums.data() + (block + w) * kBlock);
        continue;
      }
      for (int t = 0; t < unit.planes_out(); ++t) {
        const int16_t* threshold = unit.thresholds16.data() + size_t(t) * unit.padded() + (block + w) * kBlock;
        out[t * unit.blocks() + block + w] = sums.at_least(threshold);
      }
    }
  });
}

#else

void ChangedColumns::bit_row(int, int, const Rect&, Target, Target) {}
void ChangedColumns::bit_single(int, const uint64_t*, uint64_t*) {}

#endif

}  // namespace fat
