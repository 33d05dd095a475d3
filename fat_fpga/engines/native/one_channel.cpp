// One channel of one unit computed with other weights, other thresholds or a changed bit in its accumulators, from the
// fault-free accumulators: no other channel of that unit is touched.
#include "one_channel.hpp"

#include <algorithm>

namespace fat {

OneChannel::OneChannel(Image& image) : Part(image) {
  size_t pixels = 0;
  for (const Unit& unit : model_.units) pixels = std::max(pixels, size_t(unit.pixels()));
  for (auto& levels : levels_) levels.resize(pixels);
}

Rect OneChannel::unit(const Fault& fault) {
  const int u = fault.unit, channel = fault.channel;
  const Unit& unit = model_.units[u];
  if (unit.last) {
    image_.shown[u] = Shown::faulty;
    image_.scores = image_.golden_scores;
    image_.scores[channel] = changed_accumulator(fault, u, channel, 0, 0);
    return {};
  }
  const auto* first = unit.integer_thresholds.data() + size_t(channel) * unit.out.planes;
  std::vector<int32_t> thresholds(first, first + unit.out.planes);
  for (const auto& change : fault.thresholds) thresholds[change.index] = change.value;
  for (int y = 0, pixel = 0; y < unit.height; ++y) {
    for (int x = 0; x < unit.width; ++x, ++pixel) {
      const int64_t accumulator = changed_accumulator(fault, u, channel, y, x);
      int level = 0;
      for (int32_t threshold : thresholds) level += accumulator >= threshold;  // in whatever order they stand
      levels_[0][pixel] = uint8_t(level);
    }
  }
  for (size_t i = 0, width = unit.width; i < unit.pools.size(); width = unit.pools[i++].width) {
    const Windows& pool = unit.pools[i];
    for (int y = 0; y < pool.height; ++y) {
      for (int x = 0; x < pool.width; ++x) {
        uint8_t most = 0;
        for (int ky = 0; ky < pool.kernel_y; ++ky) {
          for (int kx = 0; kx < pool.kernel_x; ++kx) {
            most = std::max(most, levels_[0][(y * pool.stride_y + ky) * width + x * pool.stride_x + kx]);
          }
        }
        levels_[1][y * pool.width + x] = most;
      }
    }
    levels_[0].swap(levels_[1]);
  }
  return write(u, channel);
}

// Writes the levels in levels_[0] where they differ from the fault-free ones; the area that does.
Rect OneChannel::write(int u, int channel) {
  image_.settle(u, {});
  const Stream& out = model_.units[u].out;
  Image::State& state = states_[u];
  const uint64_t bit = uint64_t(1) << (channel % 64);
  Rect differs;
  for (int y = 0, pixel = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x, ++pixel) {
      const size_t at = out.offset(y, x) + channel / 64;
      bool any = false;
      for (int t = 0; t < out.planes; ++t) {
        const bool was = state.golden[at + size_t(t) * out.words()] & bit, is = t < levels_[0][pixel];
        if (was == is) continue;
        state.faulty[at + size_t(t) * out.words()] ^= bit;
        any = true;
      }
      if (any) differs.include({y, y + 1, x, x + 1});
    }
  }
  state.dirty = differs;
  return differs;
}

// The finished accumulator of one pixel of the channel, in the network's integers.
int64_t OneChannel::changed_accumulator(const Fault& fault, int u, int channel, int y, int x) const {
  const Unit& unit = model_.units[u];
  const size_t at = size_t(y * unit.width + x) * unit.padded() + channel;
  const int64_t sum = unit.wide ? states_[u].acc32[at] : states_[u].acc16[at];
  int64_t accumulator = unit.in_levels.step * sum + unit.offset[channel];
  for (const auto& change : fault.weights) {
    const int row = y * unit.stride_y + change.tap_y - unit.in.top,
              column = x * unit.stride_x + change.tap_x - unit.in.left;
    accumulator += int64_t(change.delta) * image_.input_integer(u, change.input, row, column);
  }
  for (const auto& change : fault.accumulators) accumulator = change.bits.apply(accumulator);
  return accumulator;
}

}  // namespace fat
