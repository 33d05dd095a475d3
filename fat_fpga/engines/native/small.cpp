#include "small.hpp"

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

void Small::update(const Node& node) {
  if (node.kind == Kind::pool) return pool(node);
  if (node.kind == Kind::sum) return sums(node);
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
  each_change(image_, node.inputs[0], states_[node.inputs[0]].changed,
              [&](int y, int x, int c, int32_t was, int32_t is) {
                each_window(node.windows, y, x, [&](int oy, int ox) {
                  const Stream& out = model_.streams[node.out];
                  const int32_t sum = states_[node.out].faulty_integers[out.place(oy, ox) * out.channels + c];
                  image_.put(node.out, oy, ox, c, sum + is - was);
                });
              });
}

void Small::maxima(const Node& node) {
  image_.settle(node.out, {});
  const auto get = [&](int k, int y, int x, int c) { return image_.integer(node.inputs[k], y, x, c); };
  each_change(image_, node.inputs[0], states_[node.inputs[0]].changed, [&](int y, int x, int c, int32_t, int32_t) {
    each_window(node.windows, y, x, [&](int oy, int ox) { image_.put(node.out, oy, ox, c, node.at(oy, ox, c, get)); });
  });
}

}  // namespace fat
