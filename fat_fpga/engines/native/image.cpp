#include "image.hpp"

#include <algorithm>
#include <cstring>

#include "bit_counts.hpp"
#include "simd.hpp"

namespace fat {

Image::Image(const Model& model) : model(model), states(model.streams.size()), units(model.units.size()) {
  for (size_t s = 0; s + 1 < model.streams.size(); ++s) {  // the last one is the sums
    const Stream& stream = model.streams[s];
    State& state = states[s];
    if (stream.wide()) {
      state.integers.assign(stream.frame_places() * stream.channels, 0);
      state.faulty_integers = state.integers;
      continue;
    }
    state.golden.resize(stream.frame_places() * stream.pixel_words());
    uint64_t* pixel = state.golden.data();  // padded places keep these values for good
    for (size_t place = 0; place < stream.frame_places(); ++place, pixel += stream.pixel_words()) {
      for (int c = 0; c < stream.channels; ++c) {
        for (int t = 0; t < stream.pad_index; ++t) pixel[t * stream.words() + c / 64] |= uint64_t(1) << (c % 64);
      }
    }
    state.faulty = state.golden;
  }
  size_t padded = 0;
  for (size_t u = 0; u < model.units.size(); ++u) {
    const Unit& unit = model.units[u];
    const size_t accumulators = size_t(unit.pixels()) * unit.padded();
    if (unit.wide) units[u].acc32.resize(accumulators);
    else units[u].acc16.resize(accumulators);
    padded = std::max(padded, size_t(unit.padded()));
    if (unit.last || !unit.out.wide()) continue;
    units[u].front.resize(size_t(unit.pixels()) * unit.words_out());
    units[u].scratch.resize(units[u].front.size());
  }
  sums.resize(padded);
  raw.resize(model.last().outputs);
  scores.resize(model.last().outputs);
}

// The integers in front of the first units.
void Image::quantise(const uint8_t* image) {
  const Stream& in = model.streams[0];
  for (int c = 0; c < in.channels; ++c) {
    const int32_t* table = model.input_table.data() + size_t(c) * 256;
    for (int y = 0; y < in.height; ++y) {
      for (int x = 0; x < in.width; ++x) {
        const uint8_t pixel = image[(size_t(c) * in.height + y) * in.width + x];
        states[0].integers[in.place(y, x) * in.channels + c] = table[pixel];
      }
    }
  }
}

void Image::classify() {
  const Unit& unit = model.last();
  for (int m = 0; m < unit.outputs; ++m) raw[m] = int64_t(unit.in_levels.step) * sums[m] + unit.offset[m];
  classify_raw();
}

void Image::classify_raw() {
  reached = true;
  scores = raw;
  for (size_t m = 0; model.rank_count > 0 && m < raw.size(); ++m) {
    const int64_t at = std::clamp<int64_t>(raw[m] - model.rank_low, 0, model.rank_count - 1);
    scores[m] = model.ranks[m * model.rank_count + size_t(at)];
  }
  for (size_t m = 0; m < model.factors.size(); ++m) {
    scores[m] = std::clamp<int64_t>(model.factors[m] * raw[m] + model.offsets[m], INT32_MIN, INT32_MAX);
  }
  label = int(std::max_element(scores.begin(), scores.end()) - scores.begin());  // the first maximum
}

Answer Image::answer(bool compares) const {
  Answer answer;
  answer.label = reached ? label : golden_class;
  if (compares && reached)
    answer.seen = compare_scores(golden_scores, golden_class, scores, answer.label, model.rank_count > 0);
  return answer;
}

void Image::begin() {
  reached = false;
  for (int s = first_settled_; s < end_settled_; ++s) states[s].changed = {}, states[s].strays.clear();
  first_settled_ = INT32_MAX, end_settled_ = 0;
}

// From the planes in front to the integers of a wide stream.
void Image::take_front(int u, const Rect& area, bool golden) {
  const Unit& unit = model.units[u];
  State& state = states[unit.behind];
  std::vector<int32_t>& integers = golden ? state.integers : state.faulty_integers;
  const Target front = golden ? golden_front(u) : faulty_front(u);
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x) {
      const uint64_t* planes = front.first + y * front.pitch + size_t(x) * unit.words_out();
      int32_t* pixel = integers.data() + unit.out.place(y, x) * unit.outputs;
      for (int block = 0; block < unit.blocks(); ++block) {
        BitCounts met;
        for (int t = 0; t < unit.planes_out(); ++t) met.add(planes[size_t(t) * unit.blocks() + block]);
        const int first = block * kBlock, channels = std::min(kBlock, unit.outputs - first);
        std::fill_n(pixel + first, channels, unit.out_levels.base);
        met.add_to(pixel + first, channels, unit.out_levels.step);
      }
    }
  }
}

void Image::copy_front(int u, const Rect& area, Target to) {
  const Target golden = golden_front(u);
  const size_t words = model.units[u].words_out();
  for (int y = area.y0; y < area.y1; ++y) {
    const uint64_t* row = golden.first + y * golden.pitch + area.x0 * words;
    std::copy_n(row, (area.x1 - area.x0) * words, to.first + y * to.pitch + area.x0 * words);
  }
}

// Brings the faulty stream back to the fault-free one outside of `area`.
void Image::settle(int stream, const Rect& area) {
  State& state = states[stream];
  const Stream& out = model.streams[stream];
  first_settled_ = std::min(first_settled_, stream), end_settled_ = std::max(end_settled_, stream + 1);
  if (!state.dirty.inside(area)) {
    const int width = state.dirty.x1 - state.dirty.x0;
    for (int y = state.dirty.y0; y < state.dirty.y1; ++y) {
      if (out.wide()) {
        const size_t at = out.place(y, state.dirty.x0) * out.channels;
        std::copy_n(state.integers.data() + at, size_t(width) * out.channels, state.faulty_integers.data() + at);
      } else {
        const size_t at = out.offset(y, state.dirty.x0);
        std::copy_n(state.golden.data() + at, size_t(width) * out.pixel_words(), state.faulty.data() + at);
      }
    }
  }
  state.dirty = state.changed = area;
}

std::pair<int, int> Image::only_channel(int stream) const {
  const Stream& of = model.streams[stream];
  const State& state = states[stream];
  const int words = of.words(), count = (state.changed.x1 - state.changed.x0) * of.planes * words;
  int block = -1, bits = 0;
  uint64_t channel = 0;
  for (int y = state.changed.y0; y < state.changed.y1; ++y) {
    const size_t at = of.offset(y, state.changed.x0);
    const uint64_t *golden = state.golden.data() + at, *faulty = state.faulty.data() + at;
    for (int w = 0; w < words; ++w) {
      uint64_t any = 0;
      for (int i = w; i < count; i += words) any |= golden[i] ^ faulty[i], bits += golden[i] != faulty[i];
      if (any == 0) continue;
      if (block >= 0 && (block != w || channel != any)) return {-1, 0};
      if ((any & (any - 1)) != 0) return {-1, 0};
      block = w, channel = any;
    }
  }
  return {block < 0 ? -1 : block * kBlock + lowest_bit(channel), bits};
}

// A maximum over planes, for an area of its output.
void Image::pool_planes(const Node& node, Target from, Target to, const Rect& area) const {
  const Windows& pool = node.windows;
  const int words = model.streams[node.out].pixel_words();
  const bool fours = pool.kernel_y == 2 && pool.kernel_x == 2;
  for (int y = area.y0; y < area.y1; ++y) {
    if (fours) {
      const size_t step = size_t(pool.stride_x) * words;
      const uint64_t *above = from.first + y * pool.stride_y * from.pitch + area.x0 * step, *below = above + from.pitch;
      uint64_t* pixel = to.first + y * to.pitch + size_t(area.x0) * words;
      for (int x = area.x0; x < area.x1; ++x, above += step, below += step, pixel += words) {
        for (int w = 0; w < words; ++w) pixel[w] = above[w] | above[words + w] | below[w] | below[words + w];
      }
      continue;
    }
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

// The stream was settled for nothing: what is written here is all that differs.
void Image::put(int stream, int y, int x, int channel, int32_t integer) {
  const Stream& out = model.streams[stream];
  State& state = states[stream];
  bool differs = false;
  if (out.wide()) {
    const size_t at = out.place(y, x) * out.channels + channel;
    state.faulty_integers[at] = integer;
    differs = integer != state.integers[at];
  } else {
    const size_t at = out.offset(y, x) + channel / 64;
    const uint64_t bit = uint64_t(1) << (channel % 64);
    const int index = (integer - out.levels.base) / out.levels.step;
    for (int t = 0, words = out.words(); t < out.planes; ++t) {
      uint64_t& word = state.faulty[at + size_t(t) * words];
      word = t < index ? word | bit : word & ~bit;
      differs |= ((word ^ state.golden[at + size_t(t) * words]) & bit) != 0;
    }
  }
  if (!differs) return;
  state.changed.include({y, y + 1, x, x + 1});
  state.dirty = state.changed;
}

void Image::put_any(int stream, int y, int x, int channel, int64_t integer) {
  State& state = states[stream];
  if (state.changed.empty()) settle(stream, {});
  auto& strays = state.strays;
  const auto here = std::find_if(strays.begin(), strays.end(), [=](const Stray& stray) {
    return stray.y == y && stray.x == x && stray.channel == channel;
  });
  if (model.streams[stream].levels.has(integer)) {
    if (here != strays.end()) strays.erase(here);
    put(stream, y, x, channel, int32_t(integer));
    return;
  }
  if (here != strays.end()) here->integer = int32_t(integer);
  else strays.push_back({y, x, channel, int32_t(integer)});
  state.changed.include({y, y + 1, x, x + 1});
  state.dirty = state.changed;
}

int32_t Image::planes_integer(const Stream& stream, const uint64_t* planes, int y, int x, int channel) const {
  const uint64_t* word = planes + stream.offset(y, x) + channel / 64;
  int index = 0;
  for (int t = 0, words = stream.words(); t < stream.planes; ++t) index += int(word[t * words] >> (channel % 64) & 1);
  return stream.levels.base + stream.levels.step * index;
}

int32_t Image::golden_integer(int stream, int y, int x, int channel) const {
  const Stream& from = model.streams[stream];
  const State& state = states[stream];
  if (from.wide()) return state.integers[from.place(y, x) * from.channels + channel];
  return planes_integer(from, state.golden.data(), y, x, channel);
}

void Image::golden_channel(int stream, int channel, std::vector<int32_t>& integers) const {
  const Stream& from = model.streams[stream];
  const State& state = states[stream];
  integers.resize(size_t(from.height) * from.width);
  int32_t* to = integers.data();
  for (int y = 0; y < from.height; ++y) {
    if (from.wide()) {
      const int32_t* place = state.integers.data() + from.place(y, 0) * from.channels + channel;
      for (int x = 0; x < from.width; ++x, place += from.channels) *to++ = *place;
      continue;
    }
    const int step = from.pixel_words(), words = from.words(), bit = channel % 64;
    const uint64_t* place = state.golden.data() + from.offset(y, 0) + channel / 64;
    for (int x = 0; x < from.width; ++x, place += step) {
      int index = 0;
      for (int t = 0; t < from.planes; ++t) index += int(place[t * words] >> bit & 1);
      *to++ = from.levels.base + from.levels.step * index;
    }
  }
}

int32_t Image::integer(int stream, int y, int x, int channel) const {
  for (const Stray& stray : states[stream].strays) {
    if (stray.y == y && stray.x == x && stray.channel == channel) return stray.integer;
  }
  return held_integer(stream, y, x, channel);
}

int32_t Image::held_integer(int stream, int y, int x, int channel) const {
  const Stream& from = model.streams[stream];
  const State& state = states[stream];
  if (state.changed.empty()) return golden_integer(stream, y, x, channel);
  if (from.wide()) return state.faulty_integers[from.place(y, x) * from.channels + channel];
  return planes_integer(from, state.faulty.data(), y, x, channel);
}

std::vector<int32_t> Image::integers_of(int stream) const {
  const Stream& from = model.streams[stream];
  std::vector<int32_t> integers;
  integers.reserve(size_t(from.height) * from.width * from.channels);
  for (int y = 0; y < from.height; ++y) {
    for (int x = 0; x < from.width; ++x) {
      for (int c = 0; c < from.channels; ++c) integers.push_back(integer(stream, y, x, c));
    }
  }
  return integers;
}

}  // namespace fat
