// A unit right behind stuck channels: sums of columns, looked up in tables, and what they do to its outputs.
#include <algorithm>
#include <type_traits>

#include "column_tables.hpp"
#include "simd.hpp"

namespace fat {

constexpr int kAny = 2;  // further levels, or one or none

// The unit, from rows_ and its tables.
void ColumnTables::look_up(int u, const Fault& fault) {
  const Unit& unit = model_.units[u];
  make_patterns(u);
  const Tabled& tabled = tabled_[u];
  const int groups = tabled.channels / tabled.group, lookups = groups * unit.in.planes * unit.kernel_y;
  const bool fits = lookups * tabled.group * unit.kernel_x * unit.largest_weight <= 127;  // all of them, in a byte
  if (unit.wide) table_pixels<int32_t>(u, fault, lookups);
  else if (!fits) table_pixels<int16_t>(u, fault, lookups);
  else margin_pixels(u, fault, lookups);
}

// Thresholds less fault-free accumulators and less one, kept within a byte: a sum of columns that fits in a byte, -128
// aside, is above one exactly if the accumulator with it meets its threshold.
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
      for (int m = 0; m < padded; ++m) to[m] = int8_t(std::clamp(threshold[m] - golden[m] - 1, -128, 127));
    }
  }
  return kept.bytes.data();
}

// Calls `sink` with each row of pixels of the unit, its planes, and where its look-ups are, by plane, group and kernel
// row:
// lookups_[i].table + lookups_[i].patterns[x] * padded outputs.
template <class Sink>
void ColumnTables::each_row(int u, int lookups, Sink sink) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const Tabled& tabled = tabled_[u];
  const int taps = tabled.group * unit.kernel_x, groups = tabled.channels / tabled.group;
  const Target to = image_.faulty_front(u);
  lookups_.resize(lookups);
  for (int y = 0; y < unit.height; ++y) {
    Lookup* lookup = lookups_.data();
    for (int t = 0; t < in.planes; ++t) {
      const int8_t* table = tabled.sums.data();
      for (int g = 0; g < groups; ++g) {
        const size_t top = size_t(g * in.planes + t) * in.frame_height() + y * unit.stride_y + unit.origin_y;
        for (int ky = 0; ky < unit.kernel_y; ++ky, ++lookup, table += size_t(unit.padded()) << taps)
          lookup->patterns = patterns_.data() + (top + ky) * unit.width, lookup->table = table;
      }
    }
    sink(y, to.first + y * to.pitch);
  }
}

// Where the sum of all look-ups fits in a byte. `Fixed` is their number, of which the first `Raised` are raised;
// without such numbers they are 0 and -1.
//
// A plane of the stuck channels is set everywhere, or nowhere. Where windows have no padding, the sums with it set are
// those without it and a constant more, the sum of all columns: so under faults at one level after another they differ
// by as much a level, and where such faults come next, all are made at once.
template <int Fixed, int Raised>
void ColumnTables::margin_pixels(int u, const Fault& fault, int count) {
  const Unit& unit = model_.units[u];
  Tabled& tabled = tabled_[u];
  const int planes = unit.planes_out(), padded = unit.padded();
  const uint32_t others = unit.padded_input ? 0 : fault.following & ~(uint32_t(1) << fault.level);
  steps_.clear(), further_.clear();
  tabled.known = others;
  tabled.others.resize(size_t(unit.in.planes) + 1);
  for (int level = 0, before = fault.level; level <= unit.in.planes; ++level) {
    if (!(others >> level & 1)) continue;
    tabled.others[level].resize(size_t(unit.pixels()) * unit.words_out());
    further_.push_back(tabled.others[level].data());
    const size_t first = steps_.size();
    steps_.resize(first + padded);
    const int8_t* all = tabled.all_raised.data();
    const auto by = int8_t(level - before);
    std::transform(all, all + padded, steps_.data() + first, [by](int8_t sum) { return int8_t(by * sum); });
    before = level;
  }
  const auto rows = [&](auto more) {
    constexpr int kMore = decltype(more)::value;
    if (planes == 1) return margin_rows<Fixed, Raised, 1, kMore>(u, fault, count);
    if (planes == 2) return margin_rows<Fixed, Raised, 2, kMore>(u, fault, count);
    return margin_rows<Fixed, Raised, 0, kMore>(u, fault, count);
  };
  if (!others) return rows(std::integral_constant<int, 0>());
  if (further_.size() == 1) return rows(std::integral_constant<int, 1>());
  rows(std::integral_constant<int, kAny>());
}

template <int Fixed, int Raised, int PlanesOut, int More>
void ColumnTables::margin_rows(int u, const Fault& fault, int count) {
  const Unit& unit = model_.units[u];
  const int padded = unit.padded(), words = unit.blocks(), planes_out = PlanesOut ? PlanesOut : unit.planes_out();
  const int lookups = Fixed ? Fixed : count, raises = Raised >= 0 ? Raised : fault.level * (count / unit.in.planes);
  const int width = unit.width, pixel_words = unit.words_out(), pixel_margins = planes_out * padded;
  const int8_t* margins = this->margins(u);
  const int more = More == kAny ? int(further_.size()) : More;
  const int8_t* steps = steps_.data();
  uint64_t* further[kMostLevelPlanes + 1];  // which nothing that is written can change
  std::copy(further_.begin(), further_.end(), further);
  each_row(u, count, [&](int y, uint64_t* row) {
    Lookup fixed[Fixed ? Fixed : 1];  // which nothing that is written can change
    if (Fixed) std::copy_n(lookups_.data(), Fixed, fixed);
    const Lookup* from = Fixed ? fixed : lookups_.data();
    for (int b = 0; b < words; ++b) {
      const int8_t* margin = margins + size_t(y) * width * pixel_margins + b * kBlock;
      size_t place = size_t(y) * width * pixel_words + b;
      uint64_t* to = row + b;
      for (int x = 0; x < width; ++x, margin += pixel_margins, to += pixel_words, place += pixel_words) {
        auto delta = Bytes64::zero();
        for (int i = 0; i < lookups; ++i) {
          const int8_t* entry = from[i].table + size_t(from[i].patterns[x]) * padded + b * kBlock;
          if (i < raises) delta.add(entry);
          else delta.subtract(entry);
        }
        for (int t = 0; t < planes_out; ++t) to[t * words] = delta.above(margin + t * padded);
        for (int other = 0; other < more; ++other) {
          delta.add(steps + size_t(other) * padded + b * kBlock);
          uint64_t* out = further[other] + place;
          for (int t = 0; t < planes_out; ++t) out[t * words] = delta.above(margin + t * padded);
        }
      }
    }
  });
}

// The same for numbers of look-ups that are usual.
void ColumnTables::margin_pixels(int u, const Fault& fault, int count) {
  constexpr auto numbers = [](int count, int raises) { return count << 8 | raises; };
  switch (numbers(count, fault.level * (count / model_.units[u].in.planes))) {
    case numbers(3, 0):
      return margin_pixels<3, 0>(u, fault, count);
    case numbers(3, 3):
      return margin_pixels<3, 3>(u, fault, count);
    case numbers(6, 0):
      return margin_pixels<6, 0>(u, fault, count);
    case numbers(6, 3):
      return margin_pixels<6, 3>(u, fault, count);
    case numbers(6, 6):
      return margin_pixels<6, 6>(u, fault, count);
    case numbers(9, 0):
      return margin_pixels<9, 0>(u, fault, count);
    case numbers(9, 3):
      return margin_pixels<9, 3>(u, fault, count);
    case numbers(9, 6):
      return margin_pixels<9, 6>(u, fault, count);
    case numbers(9, 9):
      return margin_pixels<9, 9>(u, fault, count);
    default:
      return margin_pixels<0, -1>(u, fault, count);
  }
}

// What margin_pixels left for this fault.
void ColumnTables::take_known(int u, int level) {
  const Unit& unit = model_.units[u];
  const Target to = image_.faulty_front(u);
  const size_t row = size_t(unit.width) * unit.words_out();
  const uint64_t* from = tabled_[u].others[level].data();
  for (int y = 0; y < unit.height; ++y) std::copy_n(from + y * row, row, to.first + y * to.pitch);
}

template <class Acc>
void ColumnTables::table_pixels(int u, const Fault& fault, int lookups) {
  const Unit& unit = model_.units[u];
  const int padded = unit.padded(), words = unit.blocks();
  const int raises =
      fault.level * (lookups / unit.in.planes);  // planes below the level were raised, the others lowered
  const int period = 127 / std::max(1, tabled_[u].group * unit.kernel_x * unit.largest_weight);  // sums fit in a byte
  each_row(u, lookups, [&](int y, uint64_t* planes) {
    for (int x = 0; x < unit.width; ++x, planes += unit.words_out()) {
      const Acc* golden = image_.accumulators<Acc>(u, y * unit.width + x);
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
    }
  });
}

}  // namespace fat
