#include "small.hpp"

#include <algorithm>

#include "changes.hpp"

namespace fat {

void Small::golden(const Node& node) {
  const Stream& out = model_.streams[node.out];
  Image::State& state = states_[node.out];
  if (node.kind == Kind::pool && !out.wide() && !model_.streams[node.inputs[0]].wide()) {
    image_.pool_planes(node, image_.golden_planes(node.inputs[0]), image_.golden_planes(node.out), out.whole());
    state.dirty = out.whole();
    return;
  }
  if (node.kind == Kind::add && out.wide()) return golden_add(node);
  if (node.kind == Kind::thresholding && model_.streams[node.inputs[0]].wide() && !out.wide())
    return golden_levels(node);
  // Written as if under a fault, and kept.
  const auto get = [&](int k, int y, int x, int c) { return image_.golden_integer(node.inputs[k], y, x, c); };
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      for (int c = 0; c < out.channels; ++c) image_.put(node.out, y, x, c, node.at(y, x, c, get));
    }
  }
  state.golden = state.faulty, state.integers = state.faulty_integers;
  state.dirty = state.changed = {};
}

// A row of a stream without a fault [x][channel].
void Small::golden_row(int stream, int y, std::vector<int32_t>& row) const {
  const Stream& from = model_.streams[stream];
  const Image::State& state = states_[stream];
  row.resize(size_t(from.width) * from.channels);
  if (from.wide()) {
    std::copy_n(state.integers.data() + from.place(y, 0) * from.channels, row.size(), row.data());
    return;
  }
  uint8_t levels[kBlock];
  for (int x = 0; x < from.width; ++x) {
    for (int w = 0; w < from.words(); ++w) {
      spread_levels(state.golden.data() + from.offset(y, x) + w, from.planes, from.words(), levels);
      int32_t* pixel = row.data() + size_t(x) * from.channels + w * kBlock;
      const int n = std::min(kBlock, from.channels - w * kBlock);
      for (int i = 0; i < n; ++i) pixel[i] = from.levels.base + from.levels.step * levels[i];
    }
  }
}

void Small::golden_add(const Node& node) {
  const Stream& out = model_.streams[node.out];
  Image::State& state = states_[node.out];
  std::vector<int32_t> rows[2];
  for (int y = 0; y < out.height; ++y) {
    for (int k = 0; k < 2; ++k) golden_row(node.inputs[k], y, rows[k]);
    int32_t* to = state.integers.data() + out.place(y, 0) * out.channels;
    for (size_t i = 0; i < rows[0].size(); ++i) to[i] = node.factors[0] * rows[0][i] + node.factors[1] * rows[1][i];
  }
  state.faulty_integers = state.integers;
  state.dirty = state.changed = {};
}

void Small::golden_levels(const Node& node) {
  const Stream& out = model_.streams[node.out];
  Image::State& state = states_[node.out];
  std::vector<int32_t> row;
  for (int y = 0; y < out.height; ++y) {
    golden_row(node.inputs[0], y, row);
    for (int x = 0; x < out.width; ++x) {
      for (int w = 0; w < out.words(); ++w) {
        const int n = std::min(kBlock, out.channels - w * kBlock);
        for (int t = 0; t < out.planes; ++t) {
          state.golden[out.offset(y, x) + size_t(t) * out.words() + w] =
              at_least(row.data() + size_t(x) * out.channels + w * kBlock,
                       node.by_step.data() + size_t(t) * out.channels + w * kBlock, n);
        }
      }
    }
  }
  state.faulty = state.golden;
  state.dirty = state.changed = {};
}

void Small::update(const Node& node) {
  if (node.kind == Kind::pool) return pool(node);
  if (node.kind == Kind::sum) return sums(node);
  const bool to_integers = model_.streams[node.out].wide(), from_integers = model_.streams[node.inputs[0]].wide();
  if (node.kind == Kind::add && to_integers) return add(node);
  if (node.kind == Kind::thresholding && from_integers && !to_integers) return threshold(node);
  image_.settle(node.out, {});
  const auto get = [&](int k, int y, int x, int c) { return image_.integer(node.inputs[k], y, x, c); };
  for (size_t k = 0; k < node.inputs.size(); ++k) {
    if (k > 0 && node.kind == Kind::add && node.inputs[1] == node.inputs[0]) break;
    const int stream = node.inputs[k], first = node.kind == Kind::concat ? node.first_channels[k] : 0;
    const Rect area = states_[stream].changed;
    each_change(image_, stream, area, [&](int y, int x, int c, int32_t, int32_t) {
      image_.put(node.out, y, x, first + c, node.at(y, x, first + c, get));
    });
  }
}

// Additions into integers: what changed in front, times its factor, is added to the fault-free sums.
void Small::add(const Node& node) {
  image_.settle(node.out, {});
  for (int k = 0; k < 2; ++k) {
    if (states_[node.inputs[k]].changed.empty()) continue;
    if (model_.streams[node.inputs[k]].wide()) add_integers(node, node.inputs[k], node.factors[k]);
    else add_planes(node, node.inputs[k], node.factors[k]);
  }
  states_[node.out].dirty = states_[node.out].changed;
}

void Small::add_planes(const Node& node, int stream, int factor) {
  const Stream& out = model_.streams[node.out];
  Image::State& to = states_[node.out];
  const int by = factor * model_.streams[stream].levels.step;
  const Rect area = states_[stream].changed;
  for (int y = area.y0; y < area.y1; ++y) {
    int32_t* row = to.faulty_integers.data() + out.place(y, 0) * out.channels;
    int first = area.x1, last = -1;
    each_word_changed(image_, stream, y, area.x0, area.x1, [&](int x, int w, const LevelChanges& levels) {
      add_counts(row + size_t(x) * out.channels + w * 64, levels.counts, levels.raised, by);
      first = std::min(first, x), last = x;
    });
    if (last >= 0) to.changed.include({y, y + 1, first, last + 1});
  }
}

void Small::add_integers(const Node& node, int stream, int factor) {
  const Stream &in = model_.streams[stream], &out = model_.streams[node.out];
  const Image::State& from = states_[stream];
  const Rect area = from.changed;
  for (int y = area.y0; y < area.y1; ++y) {
    const int32_t* before = from.integers.data() + in.place(y, area.x0) * in.channels;
    const int32_t* after = from.faulty_integers.data() + in.place(y, area.x0) * in.channels;
    int32_t* sum = states_[node.out].faulty_integers.data() + out.place(y, area.x0) * out.channels;
    const int count = (area.x1 - area.x0) * in.channels;
    for (int i = 0; i < count; ++i) sum[i] += factor * (after[i] - before[i]);
  }
  states_[node.out].changed.include(area);
}

// Thresholds on integers, into planes, of the pixels that changed.
void Small::threshold(const Node& node) {
  const Stream &in = model_.streams[node.inputs[0]], &out = model_.streams[node.out];
  const Image::State& from = states_[node.inputs[0]];
  image_.settle(node.out, {});
  Image::State& to = states_[node.out];
  const Rect area = from.changed;
  const int words = out.words();
  for (int y = area.y0; y < area.y1; ++y) {
    const int32_t* before = from.integers.data() + in.place(y, area.x0) * in.channels;
    const int32_t* after = from.faulty_integers.data() + in.place(y, area.x0) * in.channels;
    for (int x = area.x0; x < area.x1; ++x, before += in.channels, after += in.channels) {
      uint64_t differs = 0;
      for (int w = 0; w < words; ++w) {
        const int n = std::min(64, out.channels - w * 64);
        int32_t any = 0;
        for (int i = 0; i < n; ++i) any |= before[w * 64 + i] ^ after[w * 64 + i];
        if (any == 0) continue;
        const size_t at = out.offset(y, x) + w;
        for (int t = 0; t < out.planes; ++t) {
          const int32_t* thresholds = node.by_step.data() + size_t(t) * out.channels + w * 64;
          const uint64_t met = at_least(after + w * 64, thresholds, n);
          to.faulty[at + size_t(t) * words] = met;
          differs |= met ^ to.golden[at + size_t(t) * words];
        }
      }
      if (differs != 0) to.changed.include({y, y + 1, x, x + 1});
    }
  }
  to.dirty = to.changed;
}

// Maxima: of planes, word by word over the area that changed.
void Small::pool(const Node& node) {
  const int stream = node.inputs[0];
  if (model_.streams[node.out].wide() || model_.streams[stream].wide()) return maxima(node);
  const Rect area = node.windows.touching(states_[stream].changed);
  image_.settle(node.out, area);
  image_.pool_planes(node, image_.faulty_planes(stream), image_.faulty_planes(node.out), area);
}

// Calls `take(y, x)` with each window that has a place in it.
template <class Take>
inline void each_window(const Windows& windows, int y, int x, Take take) {
  const Rect touching = windows.touching({y, y + 1, x, x + 1});
  for (int oy = touching.y0; oy < touching.y1; ++oy) {
    for (int ox = touching.x0; ox < touching.x1; ++ox) take(oy, ox);
  }
}

void Small::sums(const Node& node) {
  image_.settle(node.out, {});
  if (model_.streams[node.out].wide() && !model_.streams[node.inputs[0]].wide()) return sum_planes(node);
  each_change(image_, node.inputs[0], states_[node.inputs[0]].changed,
              [&](int y, int x, int c, int32_t was, int32_t is) {
                each_window(node.windows, y, x, [&](int oy, int ox) {
                  const Stream& out = model_.streams[node.out];
                  const int32_t sum = states_[node.out].faulty_integers[out.place(oy, ox) * out.channels + c];
                  image_.put(node.out, oy, ox, c, sum + is - was);
                });
              });
}

// Sums of planes into integers: 64 channels at a time.
void Small::sum_planes(const Node& node) {
  const Stream &in = model_.streams[node.inputs[0]], &out = model_.streams[node.out];
  const Rect area = states_[node.inputs[0]].changed;
  Image::State& to = states_[node.out];
  for (int y = area.y0; y < area.y1; ++y) {
    each_word_changed(image_, node.inputs[0], y, area.x0, area.x1, [&](int x, int w, const LevelChanges& levels) {
      each_window(node.windows, y, x, [&](int oy, int ox) {
        int32_t* sums = to.faulty_integers.data() + out.place(oy, ox) * out.channels + w * kBlock;
        add_counts(sums, levels.counts, levels.raised, in.levels.step);
        to.changed.include({oy, oy + 1, ox, ox + 1});
      });
    });
  }
  to.dirty = to.changed;
}

void Small::maxima(const Node& node) {
  image_.settle(node.out, {});
  const auto get = [&](int k, int y, int x, int c) { return image_.integer(node.inputs[k], y, x, c); };
  each_change(image_, node.inputs[0], states_[node.inputs[0]].changed, [&](int y, int x, int c, int32_t, int32_t) {
    each_window(node.windows, y, x, [&](int oy, int ox) { image_.put(node.out, oy, ox, c, node.at(oy, ox, c, get)); });
  });
}

}  // namespace fat
