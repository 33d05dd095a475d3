#include "image.hpp"

#include <algorithm>
#include <cstring>

namespace fat {

Image::Image(const Model& model) : model(model), states(model.units.size()), shown(model.units.size()) {
  size_t padded = 0;
  for (size_t u = 0; u < model.units.size(); ++u) {
    const Unit& unit = model.units[u];
    State& state = states[u];
    const size_t accumulators = size_t(unit.pixels()) * unit.padded();
    if (unit.wide) state.acc32.resize(accumulators);
    else state.acc16.resize(accumulators);
    padded = std::max(padded, size_t(unit.padded()));
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
  }
  const Stream& in = model.units[0].in;
  pixels.assign(size_t(in.frame_height()) * in.frame_width() * in.channels, 0);
  sums.resize(padded);
  scores.resize(model.units.back().outputs);
}

// The integers in front of the first unit, into pixels.
void Image::quantise(const uint8_t* image) {
  const Stream& in = model.units[0].in;
  const int width = in.frame_width();
  for (int c = 0; c < in.channels; ++c) {
    const int32_t* table = model.input_table.data() + size_t(c) * 256;
    for (int y = 0; y < in.height; ++y) {
      for (int x = 0; x < in.width; ++x) {
        const uint8_t pixel = image[(size_t(c) * in.height + y) * in.width + x];
        pixels[(size_t(y + in.top) * width + x + in.left) * in.channels + c] = table[pixel];
      }
    }
  }
}

// The class from the accumulators in sums; scores keeps the scores.
int Image::classify() {
  const Unit& unit = model.units.back();
  for (int m = 0; m < unit.outputs; ++m) scores[m] = int64_t(unit.in_levels.step) * sums[m] + unit.offset[m];
  return best_score();
}

// The first maximum.
int Image::best_score() const { return int(std::max_element(scores.begin(), scores.end()) - scores.begin()); }

// The fault-free planes in front of the pools.
Target Image::golden_front(int u) {
  const Unit& unit = model.units[u];
  State& state = states[u];
  if (!unit.pools.empty()) return {state.front.data(), size_t(unit.width) * unit.out.pixel_words()};
  return {state.golden.data() + unit.out.offset(0, 0), size_t(unit.out.frame_width()) * unit.out.pixel_words()};
}

// The planes under a fault, behind `stage` pools: the last of them is the faulty output.
Target Image::stage_target(int u, int stage) {
  const Unit& unit = model.units[u];
  State& state = states[u];
  const size_t words = unit.out.pixel_words();
  if (stage == int(unit.pools.size())) {
    return {state.faulty.data() + unit.out.offset(0, 0), size_t(unit.out.frame_width()) * words};
  }
  const int width = stage == 0 ? unit.width : unit.pools[stage - 1].width;
  return {state.scratch.data() + (stage % 2) * state.front.size(), size_t(width) * words};
}

// The faulty output is about to be written in `area`: brings it back to the fault-free one elsewhere.
void Image::settle(int u, const Rect& area) {
  State& state = states[u];
  shown[u] = Shown::faulty;
  if (!state.dirty.inside(area)) {
    const Stream& out = model.units[u].out;
    const size_t words = size_t(state.dirty.x1 - state.dirty.x0) * out.pixel_words();
    for (int y = state.dirty.y0; y < state.dirty.y1; ++y) {
      const size_t at = out.offset(y, state.dirty.x0);
      std::memcpy(state.faulty.data() + at, state.golden.data() + at, words * sizeof(uint64_t));
    }
  }
  state.dirty = area;
}

// Pool number `stage` (from 1), for an area of its output.
void Image::pool_stage(int u, int stage, Target from, Target to, const Rect& area) const {
  const Windows& pool = model.units[u].pools[stage - 1];
  const int words = model.units[u].out.pixel_words();
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
void Image::pool_whole(int u) {
  const Unit& unit = model.units[u];
  for (int stage = 1; stage <= int(unit.pools.size()); ++stage) {
    const Windows& pool = unit.pools[stage - 1];
    pool_stage(u, stage, stage_target(u, stage - 1), stage_target(u, stage), Rect::whole(pool.height, pool.width));
  }
}

// A fault-free activation in front of a unit, in the network's integers; rows and columns of the padding are 0.
int Image::input_integer(int u, int channel, int y, int x) const {
  const Stream& in = model.units[u].in;
  if (u == 0) return pixels[(size_t(y + in.top) * in.frame_width() + x + in.left) * in.channels + channel];
  const uint64_t* word = states[u - 1].golden.data() + in.offset(y, x) + channel / 64;
  int index = 0;
  for (int t = 0; t < in.planes; ++t) index += int(word[t * in.words()] >> (channel % 64) & 1);
  const Levels& levels = model.units[u].in_levels;
  return levels.base + levels.step * index;
}

// The stream behind a unit [pixel][channel], from its planes; the quantised image for unit -1.
std::vector<int32_t> Image::integers_of(int u) const {
  const Stream& in = u < 0 ? model.units[0].in : model.units[u].out;
  std::vector<int32_t> integers;
  integers.reserve(size_t(in.height) * in.width * in.channels);
  for (int y = 0; y < in.height; ++y) {
    for (int x = 0; x < in.width; ++x) {
      for (int c = 0; c < in.channels; ++c) {
        if (u < 0) {
          integers.push_back(input_integer(0, c, y, x));
          continue;
        }
        const auto& planes = shown[u] == Shown::golden ? states[u].golden : states[u].faulty;
        const uint64_t* word = planes.data() + in.offset(y, x) + c / 64;
        int index = 0;
        for (int t = 0; t < in.planes; ++t) index += int(word[t * in.words()] >> (c % 64) & 1);
        integers.push_back(model.units[u].out_levels.base + model.units[u].out_levels.step * index);
      }
    }
  }
  return integers;
}

}  // namespace fat
