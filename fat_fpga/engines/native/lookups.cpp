// A unit right behind stuck channels: sums of columns, looked up in tables, and what they do to its outputs.
#include <algorithm>

#include "column_tables.hpp"
#include "simd.hpp"

namespace fat {

// The unit, from rows_ and its tables.
void ColumnTables::look_up(int u, const Fault& fault) {
  const Unit& unit = model_.units[u];
  make_patterns(u);
  const Tabled& tabled = tabled_[u];
  const int groups = tabled.channels / tabled.group, lookups = groups * unit.in.planes * unit.kernel_y;
  const bool fits = lookups * tabled.group * unit.kernel_x * unit.largest_weight <= 127;  // all of them, in a byte
  if (unit.wide) table_pixels<int32_t>(u, fault, lookups);
  else if (!fits) table_pixels<int16_t>(u, fault, lookups);
  else if (lookups == 3) margin_pixels<3>(u, fault, lookups);
  else if (lookups == 6) margin_pixels<6>(u, fault, lookups);
  else if (lookups == 12) margin_pixels<12>(u, fault, lookups);
  else margin_pixels<0>(u, fault, lookups);
}

// Fault-free accumulators less thresholds, kept within a byte: sums of columns that fit in a byte change the sign of
// one exactly if they take the accumulator across its threshold.
const int8_t* ColumnTables::margins(int u) {
  const Unit& unit = model_.units[u];
  Margins& kept = margins_[u];
  if (kept.valid) return kept.bytes.data();
  const int padded = unit.padded(), planes = unit.planes_out();
  kept.bytes.resize(size_t(unit.pixels()) * planes * padded);
  kept.valid = true;
  int8_t* to = kept.bytes.data();
  for (int p = 0; p < unit.pixels(); ++p) {
    const int16_t* golden = image_.accumulators<int16_t>(u, p);
    for (int t = 0; t < planes; ++t, to += padded) {
      const int16_t* threshold = unit.thresholds16.data() + size_t(t) * padded;
      for (int m = 0; m < padded; ++m) to[m] = int8_t(std::clamp(golden[m] - threshold[m], -128, 127));
    }
  }
  return kept.bytes.data();
}

// Calls `sink` with each pixel of the unit, its planes, and where its look-ups are:
// lookups_[i].table + lookups_[i].patterns[x] * padded outputs.
template <class Sink>
void ColumnTables::each_lookup(int u, int lookups, Sink sink) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const Tabled& tabled = tabled_[u];
  const int taps = tabled.group * unit.kernel_x, rows = tabled.channels / tabled.group * unit.kernel_y;
  const Target to = image_.faulty_front(u);
  lookups_.resize(lookups);
  for (int y = 0; y < unit.height; ++y) {
    for (int i = 0; i < lookups; ++i) {  // by plane, group and kernel row
      const int t = i / rows, g = i % rows / unit.kernel_y, ky = i % unit.kernel_y;
      const size_t row = size_t(g * in.planes + t) * in.frame_height() + y * unit.stride_y + ky + unit.origin_y;
      lookups_[i].patterns = patterns_.data() + row * unit.width;
      lookups_[i].table = tabled.sums.data() + (size_t(i % rows) * unit.padded() << taps);
    }
    uint64_t* planes = to.first + y * to.pitch;
    for (int x = 0; x < unit.width; ++x, planes += unit.words_out()) sink(y * unit.width + x, x, planes);
  }
}

// Where the sum of all look-ups fits in a byte. `Fixed` is their number; 0 stands for any.
//
// Between two levels every activation is at one of them, so that the sums under stuck-at-1 are those under stuck-at-0
// and a constant more, the sum of all columns: where the fault at the other level comes next, both are made at once.
template <int Fixed>
void ColumnTables::margin_pixels(int u, const Fault& fault, int count) {
  const Unit& unit = model_.units[u];
  const int padded = unit.padded(), words = unit.blocks(), planes_out = unit.planes_out();
  const int lookups = Fixed ? Fixed : count, raises = fault.level * (count / unit.in.planes);
  const int8_t* margins = this->margins(u);
  Tabled& tabled = tabled_[u];
  const bool twin = fault.twin_follows && !unit.padded_input;
  if (twin) tabled.twin.resize(size_t(unit.pixels()) * unit.words_out()), tabled.twin_level = 1 - fault.level;
  each_lookup(u, count, [&](int pixel, int x, uint64_t* planes) {
    const int8_t* margin = margins + size_t(pixel) * planes_out * padded;
    uint64_t* other = tabled.twin.data() + size_t(pixel) * unit.words_out();
    for (int b = 0; b < words; ++b) {
      auto delta = Bytes64::zero();
      for (int i = 0; i < lookups; ++i) {
        const int8_t* entry = lookups_[i].table + size_t(lookups_[i].patterns[x]) * padded + b * kBlock;
        if (i < raises) delta.add(entry);
        else delta.subtract(entry);
      }
      for (int t = 0; t < planes_out; ++t)
        planes[t * words + b] = delta.raise_to_zero(margin + t * padded + b * kBlock);
      if (!twin) continue;
      if (raises) delta.subtract(tabled.all_raised.data() + b * kBlock);
      else delta.add(tabled.all_raised.data() + b * kBlock);
      for (int t = 0; t < planes_out; ++t) other[t * words + b] = delta.raise_to_zero(margin + t * padded + b * kBlock);
    }
  });
}

// What margin_pixels left for this fault.
void ColumnTables::take_twin(int u) {
  const Unit& unit = model_.units[u];
  const Target to = image_.faulty_front(u);
  const size_t row = size_t(unit.width) * unit.words_out();
  for (int y = 0; y < unit.height; ++y) std::copy_n(tabled_[u].twin.data() + y * row, row, to.first + y * to.pitch);
  tabled_[u].twin_level = -1;
}

template <class Acc>
void ColumnTables::table_pixels(int u, const Fault& fault, int lookups) {
  const Unit& unit = model_.units[u];
  const int padded = unit.padded(), words = unit.blocks();
  const int raises =
      fault.level * (lookups / unit.in.planes);  // planes below the level were raised, the others lowered
  const int period = 127 / std::max(1, tabled_[u].group * unit.kernel_x * unit.largest_weight);  // sums fit in a byte
  each_lookup(u, lookups, [&](int pixel, int x, uint64_t* planes) {
    const Acc* golden = image_.accumulators<Acc>(u, pixel);
    for (int b = 0; b < words; ++b) {
      auto sums = Wide64<Acc>::load(golden + b * kBlock);
      auto delta = Bytes64::zero();
      for (int i = 0, budget = period; i < lookups; ++i) {
        const int8_t* entry = lookups_[i].table + size_t(lookups_[i].patterns[x]) * padded + b * kBlock;
        if (i < raises) delta.add(entry);
        else delta.subtract(entry);
        if (--budget == 0) sums.add(delta), delta = Bytes64::zero(), budget = period;
      }
      sums.add(delta);
      for (int t = 0; t < unit.planes_out(); ++t) {
        planes[t * words + b] = sums.at_least(thresholds<Acc>(unit) + size_t(t) * padded + b * kBlock);
      }
    }
  });
}

}  // namespace fat
