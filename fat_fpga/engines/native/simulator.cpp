#include "simulator.hpp"

#include <algorithm>
#include <cstring>

namespace fat {

Simulator::Simulator(const Model& model)
    : model_(model),
      image_(model),
      dense_(image_),
      changed_(image_),
      tables_(image_),
      channel_(image_),
      plain_(image_) {}

int Simulator::golden(const uint8_t* image) {
  image_.quantise(image);
  for (size_t i = 0; i < model_.units.size(); ++i) {
    const int u = int(i);
    const Unit& unit = model_.units[i];
    const Target front = unit.last ? Target{nullptr, 0} : image_.golden_front(u);
    if (u == 0) dense_.first_unit(unit.whole(), front, true);
    else dense_.unit(u, image_.states[i - 1].golden.data(), unit.whole(), front, true);
    Image::State& state = image_.states[i];
    if (unit.last) break;
    state.dirty = unit.out.whole();
    Target from = front;
    for (int stage = 1; stage <= int(unit.pools.size()); ++stage) {
      const bool final = stage == int(unit.pools.size());
      const Target to = final ? Target{state.golden.data() + unit.out.offset(0, 0),
                                       size_t(unit.out.frame_width()) * unit.out.pixel_words()}
                              : image_.stage_target(u, stage);
      const Windows& pool = unit.pools[stage - 1];
      image_.pool_stage(u, stage, from, to, Rect::whole(pool.height, pool.width));
      from = to;
    }
  }
  std::fill(image_.shown.begin(), image_.shown.end(), Shown::golden);
  image_.golden_class = image_.classify();
  image_.golden_scores = image_.scores;
  tables_.forget(), changed_.forget();
  held_ = nullptr;
  return image_.golden_class;
}

int Simulator::faulty(const Fault& fault, int64_t frame) {
  std::fill(image_.shown.begin(), image_.shown.end(), Shown::golden);
  held_ = nullptr;
  if (!fault.acts_on(frame)) return image_.golden_class;
  switch (fault.form) {
    case Fault::Form::channels:
      return stuck_channels(fault);
    case Fault::Form::held:
      return held_streams(fault.streams);
    case Fault::Form::upset: {
      StreamChange held = fault.streams[0];
      return as_held(held) ? held_streams({held}) : plain_.run(fault, frame);
    }
    case Fault::Form::arithmetic:
      return changed_channel(fault);
    default:
      return plain_.run(fault, frame);
  }
}

// From changed activations in front of unit u, in an area of their stream, to the predicted class.
int Simulator::propagate(int u, Rect changed) {
  static const Streams none;
  for (size_t next = 0;; ++u) {
    changed = advance(u, changed, none, next);
    if (changed.empty()) return image_.golden_class;
    if (model_.units[u].last) return image_.best_score();
  }
}

// Channels stuck at one level, in front of the pools of their unit.
int Simulator::stuck_channels(const Fault& fault) {
  const int u = fault.unit + 1;
  const Unit& next = model_.units[u];
  held_ = &fault;
  if (tables_.fit(next)) {
    if (!tables_.unit(fault)) return image_.golden_class;
    image_.pool_whole(u);
    return propagate(u + 1, next.out.whole());
  }
  if (fault.channels > 1) return held_streams(fault.streams);
  changed_.list_channel(u, fault.channel, fault.level);
  if (changed_.count() == 0) return image_.golden_class;
  if (!changed_.cheaper(next, next.whole())) return held_streams(fault.streams);
  const Rect changed = recompute_whole(u);
  return next.last ? image_.best_score() : propagate(u + 1, changed);
}

// One channel that computes otherwise.
int Simulator::changed_channel(const Fault& fault) {
  const Rect changed = channel_.unit(fault);
  return model_.units[fault.unit].last ? image_.best_score() : propagate(fault.unit + 1, changed);
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
    changed_.find(u, changed, needed_[0]);
    differs = changed_.count() > 0;
  }
  if (!differs && held == next) return {};
  if (unit.last) {
    recompute(u, needed_[0], {nullptr, 0});
    return area;
  }
  image_.settle(u, area);
  Target from = image_.stage_target(u, 0);
  if (differs) recompute(u, needed_[0], from);
  else copy_front(u, needed_[0], from);
  for (int stage = 0;; ++stage) {
    for (; held < next && changes[held].stage == stage; ++held) hold(changes[held], unit, from, needed_[stage]);
    if (stage == stages) return area;
    const Target to = image_.stage_target(u, stage + 1);
    image_.pool_stage(u, stage + 1, from, to, needed_[stage + 1]);
    from = to;
  }
}

// The whole of unit u behind the changes that are listed, and its pools; the area of its output.
Rect Simulator::recompute_whole(int u) {
  const Unit& unit = model_.units[u];
  if (unit.last) {
    recompute(u, unit.whole(), {nullptr, 0});
    return unit.whole();
  }
  image_.settle(u, unit.out.whole());
  recompute(u, unit.whole(), image_.stage_target(u, 0));
  image_.pool_whole(u);
  return unit.out.whole();
}

// An area of unit u, in front of its pools, by the cheaper way; the last unit into the scores.
void Simulator::recompute(int u, const Rect& area, Target to) {
  const Unit& unit = model_.units[u];
  if (u == 0) dense_.first_unit(area, to, false);
  else if (changed_.cheaper(unit, area)) changed_.unit(u, area, to);
  else dense_.unit(u, image_.states[u - 1].faulty.data(), area, to, false);
  if (!unit.last) return;
  image_.shown[u] = Shown::faulty;
  image_.classify();
}

// The fault-free planes in front of the pools.
void Simulator::copy_front(int u, const Rect& area, Target to) {
  const Target golden = image_.golden_front(u);
  const int words = model_.units[u].out.pixel_words();
  for (int y = area.y0; y < area.y1; ++y) {
    std::memcpy(to.first + y * to.pitch + size_t(area.x0) * words,
                golden.first + y * golden.pitch + size_t(area.x0) * words,
                size_t(area.x1 - area.x0) * words * sizeof(uint64_t));
  }
}

void Simulator::stream(int u, int32_t* out) const {
  const Unit& unit = model_.units[u];
  if (unit.last) {
    const auto& scores = image_.shown[u] == Shown::golden ? image_.golden_scores : image_.scores;
    std::copy(scores.begin(), scores.end(), out);
    return;
  }
  const int pixels = unit.out.height * unit.out.width;
  const std::vector<int32_t> integers =
      image_.shown[u] == Shown::plain ? image_.states[u].integers : image_.integers_of(u);
  for (int c = 0; c < unit.outputs; ++c) {
    for (int p = 0; p < pixels; ++p) out[size_t(c) * pixels + p] = integers[size_t(p) * unit.outputs + c];
  }
  if (held_ != nullptr && u == held_->unit) {
    for (int k = 0; k < held_->channels; ++k) {
      std::fill_n(out + size_t(held_->channel + k * held_->channel_step) * pixels, pixels,
                  unit.out_levels.base + unit.out_levels.step * held_->level);
    }
  }
}

}  // namespace fat
