#include "packed.hpp"

#include <algorithm>
#include <cstring>

#include "simd.hpp"

namespace fat {

Packed::Packed(Image& image) : Part(image), latest_(model_.units.size()) {
  size_t groups = 0;
  for (const Unit& unit : model_.units) {
    if (unit.lanes > 0) groups = std::max(groups, size_t(unit.height) * unit.packed_width() / unit.packed_pixels());
  }
  deltas_.resize(groups * kBlock), counts_.resize(groups);
}

void Packed::forget() {
  for (Latest& latest : latest_) latest.valid = false;
}

void Packed::begin(int64_t key) { key_ = key; }

// An area of outputs, with all the pixels that are side by side with one of them.
Rect Packed::filled(const Unit& unit, const Rect& area) {
  const int pixels = unit.packed_pixels();
  return {area.y0, area.y1, area.x0 / pixels * pixels, std::min((area.x1 + pixels - 1) / pixels * pixels, unit.width)};
}

// What a fault is added to: where the one before was of another key, all is as it is without a fault.
Packed::Latest& Packed::latest(int u) {
  Latest& latest = latest_[u];
  const Unit& unit = model_.units[u];
  if (latest.valid && latest.key == key_) return latest;
  if (!latest.valid) {
    latest.sums.resize(size_t(unit.height) * unit.packed_width() * unit.lanes);
    latest.source = states_[unit.source].golden;
    restore(u, unit.whole());
    latest.valid = true;
  } else {
    restore(u, latest.outputs);
    const size_t words = unit.in.pixel_words();
    for (int y = latest.frame.y0; y < latest.frame.y1; ++y) {
      const size_t at = (size_t(y) * unit.in.frame_width() + latest.frame.x0) * words;
      std::copy_n(states_[unit.source].golden.data() + at, (latest.frame.x1 - latest.frame.x0) * words,
                  latest.source.data() + at);
    }
  }
  latest.outputs = latest.frame = {};
  latest.key = key_;
  return latest;
}

// Accumulators without a fault.
void Packed::restore(int u, const Rect& outputs) {
  const Unit& unit = model_.units[u];
  for (int y = outputs.y0; y < outputs.y1; ++y) {
    int16_t* row = latest_[u].sums.data() + size_t(y) * unit.packed_width() * unit.lanes;
    for (int x = outputs.x0; x < outputs.x1; ++x)
      std::copy_n(image_.accumulators<int16_t>(u, y * unit.width + x), unit.lanes, row + size_t(x) * unit.lanes);
  }
}

// Lists what differs in one place; how much.
inline int Packed::list(const Unit& unit, const uint64_t* before, const uint64_t* after) {
  const int planes = unit.in.planes, together = unit.together;
  int32_t* entry = entries_;
  for (int t = 0; t < planes; t += together) {
    uint64_t differs = 0, lowered = 0;
    for (int i = 0; i < together && t + i < planes; ++i) {
      differs |= (before[t + i] ^ after[t + i]) << (i * unit.inputs);
      lowered |= before[t + i] << (i * unit.inputs);
    }
    if (differs != 0) entry = list_places(differs, lowered, unit.places, 0, entry);
  }
  return int(entry - entries_);
}

Rect Packed::take_up(int u, const Rect& changed) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  Latest& latest = this->latest(u);
  Rect frame = changed.moved(in.top, in.left);
  frame.include(latest.frame);
  const Rect touched = unit.windows().touching(frame);
  if (touched.empty()) return {};
  Rect area = filled(unit, touched);
  area.include(latest.outputs);
  const int pixels = unit.packed_pixels(), kernel = unit.packed_kernel();
  Course course{unit,
                area,
                pixels,
                pixels * unit.stride_x,
                kernel,
                unit.kernel_y * kernel,
                127 / unit.largest_weight,
                (area.x1 - area.x0 + pixels - 1) / pixels};
  const size_t groups = size_t(area.y1 - area.y0) * course.wide;
  std::fill_n(deltas_.data(), groups * kBlock, int8_t(0));
  std::fill_n(counts_.data(), groups, 0);
  bool any = !latest.outputs.empty();
  const int planes = in.planes, start = frame.x0 - unit.origin_x, at = start - area.x0 / pixels * course.pitch;
  for (int y = frame.y0; y < frame.y1; ++y) {
    course.rows = 0;
    for (int ky = 0; ky < unit.kernel_y; ++ky) {
      const int down = y - unit.origin_y - ky, row = down / unit.stride_y;
      if (down < 0 || down % unit.stride_y != 0 || row < area.y0 || row >= area.y1) continue;
      course.row[course.rows] = row;
      course.columns[course.rows++] = unit.packed_columns.data() + ky * kernel * kBlock;
    }
    const size_t place = (size_t(y) * in.frame_width() + frame.x0) * planes;
    uint64_t* was = latest.source.data() + place;
    const uint64_t* is = states_[unit.source].faulty.data() + place;
    // Of each place, how far it is behind the first place of the last window that can have it, and that window's
    // number.
    int right = at, group = 0;
    for (int x = frame.x0; x < frame.x1; ++x, ++right, was += planes, is += planes) {
      while (right >= course.pitch && group + 1 < course.wide) right -= course.pitch, ++group;
      const int count = list(unit, was, is);
      if (count == 0) continue;
      any = true;
      for (int t = 0; t < planes; ++t) was[t] = is[t];
      scatter(latest.sums.data(), course, right, group, count);
    }
  }
  if (!any) return {};
  latest.outputs = area, latest.frame = frame;
  return area;
}

// Adds the columns of what is listed in one place to all vectors whose windows have it.
void Packed::scatter(int16_t* kept, const Course& course, int right, int group, int count) {
  for (; right < course.kernel && group >= 0; right += course.pitch, --group) {
    if (right < 0) continue;
    int first = 0;
    for (; course.rows - first >= 3; first += 3) add<3>(kept, course, first, group, right, count);
    if (course.rows - first == 2) add<2>(kept, course, first, group, right, count);
    if (course.rows - first == 1) add<1>(kept, course, first, group, right, count);
  }
}

// The same for vectors above each other. Their sums stay within a byte: where one more could not, they go to the
// accumulators.
template <int Together>
inline void Packed::add(int16_t* kept, const Course& course, int first, int group, int column, int count) {
  for (int from = 0; from < count; from += course.limit) {
    const int some = std::min(course.limit, count - from);
    const int8_t* columns[Together];
    int8_t* to[Together];
    Bytes64 sums[Together];
    for (int i = 0; i < Together; ++i) {
      const int y = course.row[first + i], at = (y - course.area.y0) * course.wide + group;
      columns[i] = course.columns[first + i] + column * kBlock;
      to[i] = deltas_.data() + size_t(at) * kBlock;
      sums[i] = Bytes64::zero(), sums[i].add(to[i]);
      if (counts_[at] + some > course.limit) {
        const size_t x = course.area.x0 + group * course.pixels;
        int16_t* sum = kept + (size_t(y) * course.unit.packed_width() + x) * course.unit.lanes;
        auto whole = Wide64<int16_t>::load(sum);
        whole.add(sums[i]), whole.store(sum);
        sums[i] = Bytes64::zero(), counts_[at] = 0;
      }
      counts_[at] += some;
    }
    for (int k = from; k < from + some; ++k) {
      const ptrdiff_t at = ptrdiff_t(entries_[k]) * course.places;
      for (int i = 0; i < Together; ++i) sums[i].add(columns[i] + at);
    }
    for (int i = 0; i < Together; ++i) sums[i].store(to[i]);
  }
}

int16_t* Packed::sums_at(int u, int y, int x) {
  const Unit& unit = model_.units[u];
  return latest_[u].sums.data() + (size_t(y) * unit.packed_width() + x) * unit.lanes;
}

// Calls `take(y, x, accumulators)` with each vector of an area and its first pixel, what is taken up among them.
template <class Take>
void Packed::each_group(int u, const Rect& area, Take take) {
  const Unit& unit = model_.units[u];
  const int8_t* delta = deltas_.data();
  for (int y = area.y0; y < area.y1; ++y) {
    int16_t* kept = sums_at(u, y, area.x0);
    for (int x = area.x0; x < area.x1; x += unit.packed_pixels(), kept += kBlock, delta += kBlock) {
      auto sums = Wide64<int16_t>::load(kept);
      auto by = Bytes64::zero();
      by.add(delta), sums.add(by), sums.store(kept);
      take(y, x, sums);
    }
  }
}

void Packed::planes(int u, const Rect& area, Target to) {
  const Unit& unit = model_.units[u];
  const int count = unit.planes_out(), lanes = unit.lanes;
  const uint64_t low = lanes == 64 ? ~uint64_t(0) : (uint64_t(1) << lanes) - 1;
  each_group(u, area, [&](int y, int x, const Wide64<int16_t>& sums) {
    const int pixels = std::min(unit.packed_pixels(), unit.width - x);
    uint64_t* pixel = to.first + y * to.pitch + size_t(x) * count;
    for (int t = 0; t < count; ++t) {
      uint64_t met = sums.at_least(unit.packed_thresholds.data() + t * kBlock);
      for (int i = 0; i < pixels; ++i, met = lanes == 64 ? 0 : met >> lanes) pixel[i * count + t] = met & low;
    }
  });
}

void Packed::levels(int u, const Rect& area, int by, int8_t* to) {
  const Unit& unit = model_.units[u];
  const bool bytes = !unit.byte_thresholds.empty();
  each_group(u, area, [&](int y, int x, const Wide64<int16_t>& sums) {
    auto levels = Bytes64::zero();
    if (bytes) {
      const Bytes64 margins = sums.above_middle(unit.middles.data());
      for (int t = 0; t < unit.planes_out(); ++t)
        levels.add_where(margins.above(unit.byte_thresholds.data() + t * kBlock), int8_t(by));
    } else {
      for (int t = 0; t < unit.planes_out(); ++t)
        levels.add_where(sums.at_least(unit.packed_thresholds.data() + t * kBlock), int8_t(by));
    }
    levels.store(to + (size_t(y) * unit.packed_width() + x) * unit.lanes);
  });
}

}  // namespace fat
