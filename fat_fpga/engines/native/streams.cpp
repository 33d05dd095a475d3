// Held activations, in any number and anywhere: boxes of streams, and with them one unit after another over the
// rectangle that can differ.
#include <algorithm>
#include <cstring>

#include "simulator.hpp"

namespace fat {

// `changes` are in the order of their units and stages.
int Simulator::held_streams(const Streams& changes) {
  size_t next = 0;
  std::vector<int32_t> pixels;
  if (changes[0].unit == kInput) pixels = image_.pixels;
  Rect changed = hold_input(changes, next);
  int u = changed.empty() ? changes[next].unit : 0;
  for (;; ++u) {
    changed = advance(u, changed, changes, next);
    if (u == 0 && !pixels.empty()) image_.pixels.swap(pixels), pixels.clear();
    if (changed.empty()) {
      if (next == changes.size()) return image_.golden_class;
      u = changes[next].unit - 1;
    } else if (model_.units[u].last) {
      return image_.best_score();
    }
  }
}

// Changes the quantised image; the area that is held, in the stream.
Rect Simulator::hold_input(const Streams& changes, size_t& next) {
  const Stream& in = model_.units[0].in;
  Rect held;
  for (; next < changes.size() && changes[next].unit == kInput; ++next) {
    const StreamChange& change = changes[next];
    for (int y = change.area.y0; y < change.area.y1; ++y) {
      for (int x = change.area.x0; x < change.area.x1; ++x) {
        int32_t* pixel = image_.pixels.data() + (size_t(y + in.top) * in.frame_width() + x + in.left) * in.channels;
        for (int c = change.channel; c < change.channel_end; c += change.channel_step) pixel[c] = change.value;
      }
    }
    held.include(change.area);
  }
  return held;
}

void Simulator::hold(const StreamChange& change, const Unit& unit, Target to, const Rect& within) const {
  const Rect area = change.area.common(within);
  const int words = unit.blocks(), masked = int(change.mask.size());
  for (int y = area.y0; y < area.y1; ++y) {
    uint64_t* plane = to.first + y * to.pitch + size_t(area.x0) * unit.out.pixel_words();
    for (int x = area.x0; x < area.x1; ++x) {
      for (int t = 0; t < unit.out.planes; ++t, plane += words) {
        for (int w = 0; w < masked; ++w) {
          plane[w] = t < change.level ? plane[w] | change.mask[w] : plane[w] & ~change.mask[w];
        }
      }
    }
  }
}

// Whether a flipped bit gives a value that the planes can hold; the change then holds that value.
bool Simulator::as_held(StreamChange& flip) {
  const int y = flip.area.y0, x = flip.area.x0;
  flip.frame = -1;
  if (flip.unit == kInput) {
    const int64_t value = flip.bits.apply(image_.input_integer(0, flip.channel, y, x));
    flip.value = int(value);
    return std::abs(value) <= model_.input_largest;
  }
  const Unit& unit = model_.units[flip.unit];
  if (flip.stage != 0 && flip.stage != int(unit.pools.size())) return false;
  const int words = unit.blocks();
  Target stream = image_.golden_front(flip.unit);
  if (flip.stage > 0) {
    stream = {image_.states[flip.unit].golden.data() + unit.out.offset(0, 0),
              size_t(unit.out.frame_width()) * unit.out.pixel_words()};
  }
  const uint64_t* plane = stream.first + y * stream.pitch + size_t(x) * unit.out.pixel_words() + flip.channel / 64;
  int index = 0;
  for (int t = 0; t < unit.out.planes; ++t) index += int(plane[t * words] >> (flip.channel % 64) & 1);
  const Levels& levels = unit.out_levels;
  const int64_t above = flip.bits.apply(levels.base + int64_t(levels.step) * index) - levels.base;
  flip.level = int(above / levels.step);
  return above >= 0 && above % levels.step == 0 && flip.level < unit.levels;
}

}  // namespace fat
