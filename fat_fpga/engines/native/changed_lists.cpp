// What changed in front of a unit: found, and listed as offsets of weight columns.
#include <algorithm>

#include "changed_columns.hpp"
#include "simd.hpp"

namespace fat {

constexpr int kCounted = 5;  // planes of a stream of which changes are counted before they are listed

// Counts in changes_ what differs in front of unit u: within a changed area of the stream, for an area of outputs. Of
// few planes it is listed at once: most of it is added as columns then, and to count first would cost more.
void ChangedColumns::find(int u, const Rect& changed, const Rect& outputs) {
  const Unit& unit = model_.units[u];
  const Rect seen = unit.windows().covered(outputs), area = changed.moved(unit.in.top, unit.in.left).common(seen);
  changes_.area = area, changes_.listed = false, changes_.slid = sliding_.fit(u);
  if (changes_.slid) {
    changes_.count = sliding_.list(u, seen, area);
    return;
  }
  if (!unit.bit_columns.empty()) return list(u, seen, area, changes_.entries16.data());
  if (unit.in.planes < kCounted) return list(u, seen, area, changes_.entries.data());
  const int words = unit.in.pixel_words(), frame = unit.in.frame_width();
  int32_t count = 0;
  for (int y = seen.y0; y < seen.y1; ++y) {
    int32_t* start = changes_.start.data() + size_t(y) * frame;
    const size_t at = (size_t(y) * frame + seen.x0) * words;
    const uint64_t* golden = states_[unit.source].golden.data() + at;
    const uint64_t* faulty = states_[unit.source].faulty.data() + at;
    for (int x = seen.x0; x < seen.x1; ++x, golden += words, faulty += words) {
      start[x] = count;
      if (!area.has(y, x)) continue;
      for (int w = 0; w < words; ++w) count += popcount(golden[w] ^ faulty[w]);
    }
    start[seen.x1] = count;
  }
  changes_.count = count;
}

// Lists what was counted in front of an area of outputs.
void ChangedColumns::list(int u, const Rect& outputs) {
  const Unit& unit = model_.units[u];
  const Rect seen = unit.windows().covered(outputs);
  if (unit.bit_columns.empty()) list(u, seen, changes_.area, changes_.entries.data());
  else list(u, seen, changes_.area, changes_.entries16.data());
}

// Lists what changed in an area of what is seen of the frame.
template <class Entry>
void ChangedColumns::list(int u, const Rect& seen, const Rect& area, Entry* entries) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  if (unit.single()) return list_single(u, entries);
  const int words = in.words(), stride = unit.listed_stride(), half = stride / 2, frame = in.frame_width();
  Entry* entry = entries;
  for (int y = seen.y0; y < seen.y1; ++y) {
    int32_t* start = changes_.start.data() + size_t(y) * frame;
    const bool any = area.y0 <= y && y < area.y1;
    const int from = any ? area.x0 : seen.x1, to = any ? area.x1 : seen.x1;
    std::fill(start + seen.x0, start + from, int32_t(entry - entries));
    const size_t at = (size_t(y) * frame + from) * in.pixel_words();
    const uint64_t* golden = states_[unit.source].golden.data() + at;
    const uint64_t* faulty = states_[unit.source].faulty.data() + at;
    for (int x = from; x < to; ++x) {
      start[x] = int32_t(entry - entries);
      for (int t = 0; t < in.planes; ++t) {
        for (int w = 0; w < words; ++w, ++golden, ++faulty) {
          entry = list_changes(*golden ^ *faulty, *golden, (x * in.channels + w * 64) * stride, half, entry);
        }
      }
    }
    std::fill(start + to, start + seen.x1 + 1, int32_t(entry - entries));
  }
  changes_.count = int32_t(entry - entries), changes_.listed = true;
}

// All of the frame, which is the window of a single pixel. Where nothing changed nothing is listed.
template <class Entry>
void ChangedColumns::list_single(int u, Entry* entries) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const uint64_t *golden = states_[unit.source].golden.data(), *faulty = states_[unit.source].faulty.data();
  const int words = in.words(), stride = unit.listed_stride(), places = in.frame_height() * in.frame_width();
  Entry* entry = entries;
  for (int place = 0; place < places; ++place) {
    for (int t = 0; t < in.planes; ++t) {
      for (int w = 0, at = place * in.channels * stride; w < words; ++w, at += 64 * stride, ++golden, ++faulty)
        entry = list_changes(*golden ^ *faulty, *golden, at, stride / 2, entry);
    }
  }
  changes_.count = int32_t(entry - entries), changes_.listed = true;
}

void ChangedColumns::list_channel(int u, int channel, int level) {
  changes_.slid = false;
  if (model_.units[u].bit_columns.empty()) list_channel(u, channel, level, changes_.entries.data());
  else list_channel(u, channel, level, changes_.entries16.data());
}

template <class Entry>
void ChangedColumns::list_channel(int u, int channel, int level, Entry* entries) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  const uint64_t* word = states_[unit.source].golden.data() + channel / 64;
  const int stride = unit.listed_stride();
  Entry* entry = entries;
  int32_t* start = changes_.start.data();
  for (int y = 0; y < in.frame_height(); ++y) {
    const bool inside = in.top <= y && y < in.top + in.height;
    const int before = unit.single() ? y * unit.kernel_x * in.channels * stride : 0;
    for (int x = 0; x < in.frame_width(); ++x) {
      *start++ = int32_t(entry - entries);
      if (!inside || x < in.left || x >= in.left + in.width) {
        word += in.pixel_words();
        continue;
      }
      for (int t = 0; t < in.planes; ++t, word += in.words()) {
        const bool was = *word >> (channel % 64) & 1;
        *entry = Entry(before + (x * in.channels + channel) * stride + (was ? stride / 2 : 0));
        entry += was != (t < level);
      }
    }
  }
  changes_.count = *start = int32_t(entry - entries), changes_.listed = true;
}

void ChangedColumns::reached(int u, const Rect& area, std::vector<int32_t>& pixels) {
  const Unit& unit = model_.units[u];
  pixels.clear();
  if (unit.single()) {
    if (changes_.count > 0) pixels.push_back(0);
    return;
  }
  if (changes_.slid) list(u, area);
  const int frame = unit.in.frame_width();
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x) {
      const size_t place = size_t(y * unit.stride_y + unit.origin_y) * frame + x * unit.stride_x + unit.origin_x;
      const int32_t* start = changes_.start.data() + place;
      bool any = false;
      for (int ky = 0; ky < unit.kernel_y; ++ky, start += frame) any |= start[0] != start[unit.kernel_x];
      if (any) pixels.push_back(y * unit.width + x);
    }
  }
}

// Appends the offsets of the weight columns to add for one output pixel; the end of the list.
template <class Entry>
Entry* ChangedColumns::list_columns(const Unit& unit, int y, int x, const Entry* entries, Entry* list) {
  const int frame = unit.in.frame_width(), row = unit.inputs * unit.listed_stride();
  const int left = x * unit.stride_x + unit.origin_x;
  const int32_t* start = changes_.start.data() + size_t(y * unit.stride_y + unit.origin_y) * frame + left;
  int shift = -left * row;
  for (int ky = 0; ky < unit.kernel_y; ++ky, start += frame, shift += unit.kernel_x * row) {
    const int count = start[unit.kernel_x] - start[0];
    append(entries + start[0], count, shift, usual_, list);
    list += count;
  }
  return list;
}

template int32_t* ChangedColumns::list_columns(const Unit&, int, int, const int32_t*, int32_t*);
template uint16_t* ChangedColumns::list_columns(const Unit&, int, int, const uint16_t*, uint16_t*);

}  // namespace fat
