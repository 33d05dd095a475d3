// A unit behind changed channels: sums of columns, looked up in tables, and what they do to its outputs.
#include <algorithm>
#include <type_traits>

#include "column_tables.hpp"
#include "simd.hpp"

namespace fat {

constexpr int kAny = 2;  // further levels, or one or none

// The unit, from rows_ and its tables.
void ColumnTables::look_up(int u, const Pass& pass) {
  const Unit& unit = model_.units[u];
  make_patterns(u, pass);
  const int taps = tabled_[u].group * unit.kernel_x;
  const bool fits = lookups(u, pass.planes) * taps * unit.largest_weight <= 127;  // all of them, in a byte
  if (unit.wide) table_pixels<int32_t>(u, pass);
  else if (!fits) table_pixels<int16_t>(u, pass);
  else margin_pixels(u, pass);
}

// How many an output pixel has, of so many planes.
int ColumnTables::lookups(int u, int planes) const {
  return tabled_[u].channels / tabled_[u].group * planes * model_.units[u].kernel_y;
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

// Calls `sink` with each row of pixels of the area, its planes, and where its look-ups are, by plane, group and kernel
// row:
// lookups_[i].table + lookups_[i].patterns[x] * padded outputs.
template <class Sink>
void ColumnTables::each_row(int u, const Pass& pass, Sink sink) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const Tabled& tabled = tabled_[u];
  const int taps = tabled.group * unit.kernel_x, groups = tabled.channels / tabled.group;
  const Target to = image_.faulty_front(u);
  lookups_.resize(lookups(u, pass.planes));
  for (int y = pass.area.y0; y < pass.area.y1; ++y) {
    Lookup* lookup = lookups_.data();
    for (int t = 0; t < pass.planes; ++t) {
      const int8_t* table = tabled.sums.data();
      for (int g = 0; g < groups; ++g) {
        const size_t top = size_t(g * pass.planes + t) * in.frame_height() + y * unit.stride_y + unit.origin_y;
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
void ColumnTables::margin_pixels(int u, const Pass& pass) {
  const Unit& unit = model_.units[u];
  Tabled& tabled = tabled_[u];
  const int planes = unit.planes_out(), padded = unit.padded();
  steps_.clear(), further_.clear();
  tabled.known |= pass.others;
  tabled.others.resize(size_t(unit.in.planes) + 1);
  for (int level = 0, before = pass.level; pass.others >> level != 0; ++level) {
    if (!(pass.others >> level & 1)) continue;
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
    if (planes == 1) return margin_rows<Fixed, Raised, 1, kMore>(u, pass);
    if (planes == 2) return margin_rows<Fixed, Raised, 2, kMore>(u, pass);
    return margin_rows<Fixed, Raised, 0, kMore>(u, pass);
  };
  if (!pass.others) return rows(std::integral_constant<int, 0>());
  if (further_.size() == 1) return rows(std::integral_constant<int, 1>());
  rows(std::integral_constant<int, kAny>());
}

template <int Fixed, int Raised, int PlanesOut, int More>
void ColumnTables::margin_rows(int u, const Pass& pass) {
  const Unit& unit = model_.units[u];
  const int padded = unit.padded(), words = unit.blocks(), planes_out = PlanesOut ? PlanesOut : unit.planes_out();
  const int lookups = Fixed ? Fixed : this->lookups(u, pass.planes);
  const int raises = Raised >= 0 ? Raised : this->lookups(u, pass.raised);
  const int x0 = pass.area.x0, x1 = pass.area.x1;
  const int width = unit.width, pixel_words = unit.words_out(), pixel_margins = planes_out * padded;
  const int8_t* margins = this->margins(u);
  const int more = More == kAny ? int(further_.size()) : More;
  const int8_t* steps = steps_.data();
  uint64_t* further[kMostLevelPlanes + 1];  // which nothing that is written can change
  std::copy(further_.begin(), further_.end(), further);
  each_row(u, pass, [&](int y, uint64_t* row) {
    Lookup fixed[Fixed ? Fixed : 1];  // which nothing that is written can change
    if (Fixed) std::copy_n(lookups_.data(), Fixed, fixed);
    const Lookup* from = Fixed ? fixed : lookups_.data();
    for (int b = 0; b < words; ++b) {
      const int8_t* margin = margins + (size_t(y) * width + x0) * pixel_margins + b * kBlock;
      size_t place = (size_t(y) * width + x0) * pixel_words + b;
      uint64_t* to = row + size_t(x0) * pixel_words + b;
      for (int x = x0; x < x1; ++x, margin += pixel_margins, to += pixel_words, place += pixel_words) {
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
void ColumnTables::margin_pixels(int u, const Pass& pass) {
  constexpr auto numbers = [](int count, int raises) { return count << 8 | raises; };
  switch (numbers(lookups(u, pass.planes), lookups(u, pass.raised))) {
    case numbers(3, 0):
      return margin_pixels<3, 0>(u, pass);
    case numbers(3, 3):
      return margin_pixels<3, 3>(u, pass);
    case numbers(6, 0):
      return margin_pixels<6, 0>(u, pass);
    case numbers(6, 3):
      return margin_pixels<6, 3>(u, pass);
    case numbers(6, 6):
      return margin_pixels<6, 6>(u, pass);
    case numbers(9, 0):
      return margin_pixels<9, 0>(u, pass);
    case numbers(9, 3):
      return margin_pixels<9, 3>(u, pass);
    case numbers(9, 6):
      return margin_pixels<9, 6>(u, pass);
    case numbers(9, 9):
      return margin_pixels<9, 9>(u, pass);
    default:
      return margin_pixels<0, -1>(u, pass);
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
void ColumnTables::table_pixels(int u, const Pass& pass) {
  const Unit& unit = model_.units[u];
  const int padded = unit.padded(), words = unit.blocks();
  const int lookups = this->lookups(u, pass.planes), raises = this->lookups(u, pass.raised);
  const int period = 127 / std::max(1, tabled_[u].group * unit.kernel_x * unit.largest_weight);  // sums fit in a byte
  each_row(u, pass, [&](int y, uint64_t* planes) {
    planes += size_t(pass.area.x0) * unit.words_out();
    for (int x = pass.area.x0; x < pass.area.x1; ++x, planes += unit.words_out()) {
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
