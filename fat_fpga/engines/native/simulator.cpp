#include "simulator.hpp"

#include <algorithm>
#include <cstring>

namespace fat {

Simulator::Simulator(const Model& model) : model_(model), states_(model.units.size()), shown_(model.units.size()) {
  size_t padded = 0, window = 0, frame = 0, entries = 0, rows = 0, pixels = 0, columns = 0, usual = 0;
  for (size_t u = 0; u < model.units.size(); ++u) {
    const Unit& unit = model.units[u];
    State& state = states_[u];
    const size_t accumulators = size_t(unit.pixels()) * unit.padded();
    if (unit.wide) state.acc32.resize(accumulators); else state.acc16.resize(accumulators);
    padded = std::max(padded, size_t(unit.padded()));
    pixels = std::max(pixels, size_t(unit.pixels()));
    if (u > 0) window = std::max(window, size_t(unit.taps()) * unit.in.pixel_words());
    if (u > 0) columns = std::max(columns, unit.width * (size_t(unit.taps()) * unit.in.planes * unit.inputs + kFill));
    if (u > 0) usual = std::max(usual, size_t(2) * unit.kernel_x * unit.in.planes * unit.inputs);
    counts_.resize(std::max(counts_.size(), size_t(unit.width) + 1));
    if (unit.last) continue;
    const Stream& out = unit.out;
    state.golden.resize(out.frame_words());
    for (int y = -out.top; y < out.height + out.bottom; ++y) {  // padded places keep these values for good
      for (int x = -out.left; x < out.width + out.right; ++x) {
        uint64_t* pixel = state.golden.data() + out.offset(y, x);
        for (int c = 0; c < out.channels; ++c) {
          for (int t = 0; t < out.pad_index; ++t) pixel[t * out.words() + c / 64] |= uint64_t(1) << (c % 64);
        }
      }
    }
    state.faulty = state.golden;
    if (!unit.pools.empty()) {
      state.front.resize(size_t(unit.pixels()) * out.pixel_words());
      state.scratch.resize(2 * state.front.size());
    }
    frame = std::max(frame, size_t(out.frame_height()) * out.frame_width());
    entries = std::max(entries, size_t(out.height) * out.width * out.planes * out.channels);
    row_bytes_ = std::max(row_bytes_, (size_t(out.frame_width()) / 64 + 2) * 8);
    rows = std::max(rows, kMostTabled * size_t(out.planes) * out.frame_height());
  }
  rows_.resize(rows * row_bytes_ + 8);  // with the width of the widest frame
  golden_rows_.resize(rows * row_bytes_ + 8);
  inside_.resize(row_bytes_);
  patterns_.resize(rows * row_bytes_ * 8 + 64);  // make_patterns writes some further
  const Stream& in = model.units[0].in;
  pixels_.assign(size_t(in.frame_height()) * in.frame_width() * in.channels, 0);
  sums_.resize(padded);
  scores_.resize(model.units.back().outputs);
  window_.resize(window);
  changes_.start.resize(frame + 1);
  const size_t further = usual + 128;  // list_changes and append read and write so much further
  changes_.entries.resize(entries + further);
  changes_.entries16.resize(entries + further);
  columns_.resize(columns + further);
  columns16_.resize(2 * (columns + 16 * counts_.size() + further));
  sizes_.resize(counts_.size());
  for (auto& levels : levels_) levels.resize(pixels);
}

int Simulator::golden(const uint8_t* image) {
  quantise(image);
  for (size_t i = 0; i < model_.units.size(); ++i) {
    const int u = int(i);
    const Unit& unit = model_.units[i];
    const Target front = unit.last ? Target{nullptr, 0} : golden_front(u);
    if (u == 0) first_unit(unit.whole(), front, true);
    else dense_unit(u, states_[i - 1].golden.data(), unit.whole(), front, true);
    State& state = states_[i];
    state.has_margins = state.has_sliced = false;
    if (unit.last) break;
    state.dirty = unit.out.whole();
    Target from = front;
    for (int stage = 1; stage <= int(unit.pools.size()); ++stage) {
      const bool final = stage == int(unit.pools.size());
      const Target to = final ? Target{state.golden.data() + unit.out.offset(0, 0),
                                       size_t(unit.out.frame_width()) * unit.out.pixel_words()}
                              : stage_target(u, stage);
      const Windows& pool = unit.pools[stage - 1];
      pool_stage(u, stage, from, to, Rect::whole(pool.height, pool.width));
      from = to;
    }
  }
  std::fill(shown_.begin(), shown_.end(), Shown::golden);
  golden_class_ = classify(model_.units.back());
  golden_scores_ = scores_;
  tabled_ = {}, held_ = nullptr;
  return golden_class_;
}

int Simulator::faulty(const Fault& fault, int64_t frame) {
  std::fill(shown_.begin(), shown_.end(), Shown::golden);
  held_ = nullptr;
  if (!fault.acts_on(frame)) return golden_class_;
  switch (fault.form) {
    case Fault::Form::channels:
      return stuck_channels(fault);
    case Fault::Form::held:
      return held_streams(fault.streams);
    case Fault::Form::upset: {
      StreamChange held = fault.streams[0];
      return as_held(held) ? held_streams({held}) : plain(fault, frame);
    }
    case Fault::Form::arithmetic:
      return changed_channel(fault);
    default:
      return plain(fault, frame);
  }
}

// From changed activations in front of unit u, in an area of their stream, to the predicted class.
int Simulator::propagate(int u, Rect changed) {
  static const Streams none;
  for (size_t next = 0;; ++u) {
    changed = advance(u, changed, none, next);
    if (changed.empty()) return golden_class_;
    if (model_.units[u].last) return best_score();
  }
}

// The class from the accumulators in sums_; scores_ keeps the scores.
int Simulator::classify(const Unit& unit) {
  for (int m = 0; m < unit.outputs; ++m) scores_[m] = int64_t(unit.in_levels.step) * sums_[m] + unit.offset[m];
  return best_score();
}

// The first maximum.
int Simulator::best_score() const {
  return int(std::max_element(scores_.begin(), scores_.end()) - scores_.begin());
}

// The fault-free planes in front of the pools.
Simulator::Target Simulator::golden_front(int u) {
  const Unit& unit = model_.units[u];
  State& state = states_[u];
  if (!unit.pools.empty()) return {state.front.data(), size_t(unit.width) * unit.out.pixel_words()};
  return {state.golden.data() + unit.out.offset(0, 0), size_t(unit.out.frame_width()) * unit.out.pixel_words()};
}

// The planes under a fault, behind `stage` pools: the last of them is the faulty output.
Simulator::Target Simulator::stage_target(int u, int stage) {
  const Unit& unit = model_.units[u];
  State& state = states_[u];
  const size_t words = unit.out.pixel_words();
  if (stage == int(unit.pools.size())) {
    return {state.faulty.data() + unit.out.offset(0, 0), size_t(unit.out.frame_width()) * words};
  }
  const int width = stage == 0 ? unit.width : unit.pools[stage - 1].width;
  return {state.scratch.data() + (stage % 2) * state.front.size(), size_t(width) * words};
}

// The faulty output is about to be written in `area`: brings it back to the fault-free one elsewhere.
void Simulator::settle(int u, const Rect& area) {
  State& state = states_[u];
  shown_[u] = Shown::faulty;
  if (!state.dirty.inside(area)) {
    const Stream& out = model_.units[u].out;
    const size_t words = size_t(state.dirty.x1 - state.dirty.x0) * out.pixel_words();
    for (int y = state.dirty.y0; y < state.dirty.y1; ++y) {
      const size_t at = out.offset(y, state.dirty.x0);
      std::memcpy(state.faulty.data() + at, state.golden.data() + at, words * sizeof(uint64_t));
    }
  }
  state.dirty = area;
}

// Pool number `stage` (from 1), for an area of its output.
void Simulator::pool_stage(int u, int stage, Target from, Target to, const Rect& area) const {
  const Windows& pool = model_.units[u].pools[stage - 1];
  const int words = model_.units[u].out.pixel_words();
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x) {
      uint64_t* pixel = to.first + y * to.pitch + size_t(x) * words;
      const uint64_t* window = from.first + y * pool.stride_y * from.pitch + size_t(x) * pool.stride_x * words;
      for (int w = 0; w < words; ++w) {
        uint64_t any = 0;
        for (int ky = 0; ky < pool.kernel_y; ++ky) {
          for (int kx = 0; kx < pool.kernel_x; ++kx) any |= window[ky * from.pitch + size_t(kx) * words + w];
        }
        pixel[w] = any;
      }
    }
  }
}

// All pools of a unit, from its front to its faulty output.
void Simulator::pool_whole(int u) {
  const Unit& unit = model_.units[u];
  for (int stage = 1; stage <= int(unit.pools.size()); ++stage) {
    const Windows& pool = unit.pools[stage - 1];
    pool_stage(u, stage, stage_target(u, stage - 1), stage_target(u, stage), Rect::whole(pool.height, pool.width));
  }
}

void Simulator::stream(int u, int32_t* out) const {
  const Unit& unit = model_.units[u];
  if (unit.last) {
    const auto& scores = shown_[u] == Shown::golden ? golden_scores_ : scores_;
    std::copy(scores.begin(), scores.end(), out);
    return;
  }
  const int pixels = unit.out.height * unit.out.width;
  const std::vector<int32_t> integers = shown_[u] == Shown::plain ? states_[u].integers : integers_of(u);
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
