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
  if (changes[0].unit == kInput) pixels = pixels_;
  Rect changed = hold_input(changes, next);
  int u = changed.empty() ? changes[next].unit : 0;
  for (;; ++u) {
    changed = advance(u, changed, changes, next);
    if (u == 0 && !pixels.empty()) pixels_.swap(pixels), pixels.clear();
    if (changed.empty()) {
      if (next == changes.size()) return golden_class_;
      u = changes[next].unit - 1;
    } else if (model_.units[u].last) {
      return best_score();
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
        int32_t* pixel = pixels_.data() + (size_t(y + in.top) * in.frame_width() + x + in.left) * in.channels;
        for (int c = change.channel; c < change.channel_end; c += change.channel_step) pixel[c] = change.value;
      }
    }
    held.include(change.area);
  }
  return held;
}

// Unit u, its pools and the changes at them, behind a `changed` area of the stream in front. Leaves its faulty output,
// or in the last unit the scores. Returns the area of its output that can differ; empty if nothing does.
Rect Simulator::advance(int u, const Rect& changed, const Streams& changes, size_t& next) {
  const Unit& unit = model_.units[u];
  const int stages = int(unit.pools.size());
  Rect area;
  if (!changed.empty()) area = unit.windows().touching(changed.moved(unit.in.top, unit.in.left));
  size_t held = next;
  for (int stage = 0; stage <= stages; ++stage) {
    if (stage > 0) area = unit.pools[stage - 1].touching(area);
    for (; next < changes.size() && changes[next].unit == u && changes[next].stage == stage; ++next) {
      area.include(changes[next].area);
    }
  }
  if (area.empty()) return {};

  needed_.assign(stages + 1, area);  // at each stage, so that `area` of the output can be had
  for (int stage = stages; stage > 0; --stage) needed_[stage - 1] = unit.pools[stage - 1].covered(needed_[stage]);
  bool differs = !changed.empty();
  if (differs && u > 0) {
    find_changes(u, changed, needed_[0]);
    differs = changes_.count > 0;
  }
  if (!differs && held == next) return {};
  if (unit.last) {
    recompute(u, needed_[0], {nullptr, 0});
    return area;
  }
  settle(u, area);
  Target from = stage_target(u, 0);
  if (differs) recompute(u, needed_[0], from); else copy_front(u, needed_[0], from);
  for (int stage = 0;; ++stage) {
    for (; held < next && changes[held].stage == stage; ++held) hold(changes[held], unit, from, needed_[stage]);
    if (stage == stages) return area;
    const Target to = stage_target(u, stage + 1);
    pool_stage(u, stage + 1, from, to, needed_[stage + 1]);
    from = to;
  }
}

// The whole of unit u behind the changes in changes_, and its pools; the area of its output.
Rect Simulator::update(int u, const Rect& area) {
  const Unit& unit = model_.units[u];
  if (unit.last) {
    recompute(u, area, {nullptr, 0});
    return area;
  }
  settle(u, unit.out.whole());
  recompute(u, area, stage_target(u, 0));
  pool_whole(u);
  return unit.out.whole();
}

// An area of unit u, in front of its pools, by the cheaper way; the last unit into the scores.
void Simulator::recompute(int u, const Rect& area, Target to) {
  const Unit& unit = model_.units[u];
  if (u == 0) first_unit(area, to, false);
  else if (choose_sparse(unit, area)) sparse_unit(u, area, to);
  else dense_unit(u, states_[u - 1].faulty.data(), area, to, false);
  if (!unit.last) return;
  shown_[u] = Shown::faulty;
  classify(unit);
}

// The fault-free planes in front of the pools.
void Simulator::copy_front(int u, const Rect& area, Target to) {
  const Target golden = golden_front(u);
  const int words = model_.units[u].out.pixel_words();
  for (int y = area.y0; y < area.y1; ++y) {
    std::memcpy(to.first + y * to.pitch + size_t(area.x0) * words,
                golden.first + y * golden.pitch + size_t(area.x0) * words,
                size_t(area.x1 - area.x0) * words * sizeof(uint64_t));
  }
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
    const int64_t value = flip.bits.apply(input_integer(0, flip.channel, y, x));
    flip.value = int(value);
    return std::abs(value) <= model_.input_largest;
  }
  const Unit& unit = model_.units[flip.unit];
  if (flip.stage != 0 && flip.stage != int(unit.pools.size())) return false;
  const int words = unit.blocks();
  Target stream = golden_front(flip.unit);
  if (flip.stage > 0) {
    stream = {states_[flip.unit].golden.data() + unit.out.offset(0, 0),
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
