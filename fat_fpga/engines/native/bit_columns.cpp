// Sparse updates of units with bipolar weights: columns are bits, added by carry-save adders.
//
// A changed activation adds its weight column or its opposite: +1 or -1 for each output. For n of them the sum is
// 2 P - n, with P the number of +1. P is counted for all outputs of a vector at once, one bit-plane of the counts
// in each register: three planes become two with two instructions. Columns take an eighth of the bytes, so those of
// a whole unit stay in the first-level cache.
#include <algorithm>

#include "simd.hpp"
#include "simulator.hpp"

namespace fat {

#if FAT_BIT_COLUMNS

namespace {

// total + b + c, as a sum that stays in `total` and a carry.
template <class V>
inline V full_adder(V& total, V b, V c) {
  const V carry = V::majority(total, b, c);
  total = V::parity(total, b, c);
  return carry;
}

// Bit-planes of the counts of n columns, n a multiple of eight (void columns count nothing), into `bits` [plane][word].
template <int Words, int Planes>
inline void count_columns(const uint64_t* columns, const int32_t* list, int n, uint64_t (*bits)[8]) {
  using V = Bits<Words>;
  const auto* bytes = reinterpret_cast<const char*>(columns);
  const auto column = [&](int i) { return V::load(reinterpret_cast<const uint64_t*>(bytes + uint32_t(list[i]))); };
  V counts[Planes];
  for (auto& plane : counts) plane = V::zero();
  const auto eight = [&](int i) {  // of eight columns, the carry into plane 3
    const V two0 = full_adder(counts[0], column(i), column(i + 1));
    const V two1 = full_adder(counts[0], column(i + 2), column(i + 3));
    const V two2 = full_adder(counts[0], column(i + 4), column(i + 5));
    const V two3 = full_adder(counts[0], column(i + 6), column(i + 7));
    const V four0 = full_adder(counts[1], two0, two1), four1 = full_adder(counts[1], two2, two3);
    return full_adder(counts[2], four0, four1);
  };
  const auto ripple = [&](int from, V carry) {
    for (int k = from; k < Planes; ++k) {
      const V next = V::both(counts[k], carry);
      counts[k] = V::differ(counts[k], carry);
      carry = next;
    }
  };
  int i = 0;
  for (; i + 16 <= n; i += 16) {
    const V carry0 = eight(i), carry1 = eight(i + 8);
    ripple(4, full_adder(counts[3], carry0, carry1));
  }
  if (i < n) ripple(3, eight(i));
  for (int k = 0; k < Planes; ++k) counts[k].store(bits[k]);
}

constexpr int kMostPlanes = 16;  // counts below 2^16: accumulators of 16 bits have no more inputs

}  // namespace

// One output pixel, `Words` blocks of 64 channels from `block` on; the block behind them.
template <int Words>
int Simulator::bit_blocks(int u, int pixel, const int32_t* list, int count, int block, uint64_t* out) {
  const Unit& unit = model_.units[u];
  int planes = 1;
  while (count >> planes) ++planes;
  alignas(64) uint64_t bits[kMostPlanes][8];
  const uint64_t* columns = unit.bit_columns.data() + block;
  const int whole = (count + 7) & ~7;
  if (planes <= 4) count_columns<Words, 4>(columns, list, whole, bits);
  else if (planes <= 6) count_columns<Words, 6>(columns, list, whole, bits);
  else if (planes <= 8) count_columns<Words, 8>(columns, list, whole, bits);
  else count_columns<Words, kMostPlanes>(columns, list, whole, bits);
  const int16_t* golden = accumulators<int16_t>(u, pixel) + block * kBlock;
  for (int w = 0; w < Words; ++w) {
    auto sums = Wide64<int16_t>::load(golden + w * kBlock);
    sums.add_all(int16_t(-count));
    for (int k = 0; k < planes; ++k) sums.add_where(bits[k][w], int16_t(2 << k));
    if (unit.last) {
      int16_t scores[kBlock];
      sums.store(scores);
      std::copy_n(scores, kBlock, sums_.data() + (block + w) * kBlock);
      continue;
    }
    for (int t = 0; t < unit.out.planes; ++t) {
      const int16_t* threshold = unit.thresholds16.data() + size_t(t) * unit.padded() + (block + w) * kBlock;
      out[t * unit.blocks() + block + w] = sums.at_least(threshold);
    }
  }
  return block + Words;
}

void Simulator::bit_pixel(int u, int pixel, const int32_t* list, int count, uint64_t* out) {
  int block = 0;
  const int blocks = model_.units[u].blocks();
  while (blocks - block >= 8) block = bit_blocks<8>(u, pixel, list, count, block, out);
  while (blocks - block >= 4) block = bit_blocks<4>(u, pixel, list, count, block, out);
  while (blocks - block >= 2) block = bit_blocks<2>(u, pixel, list, count, block, out);
  while (blocks - block >= 1) block = bit_blocks<1>(u, pixel, list, count, block, out);
}

#else

void Simulator::bit_pixel(int, int, const int32_t*, int, uint64_t*) {}

#endif

}  // namespace fat
