#include "grouped.hpp"

#include <algorithm>

#include "changes.hpp"
#include "simd.hpp"

namespace fat {

Grouped::Grouped(Image& image) : Part(image) {
  size_t sums16 = 0, sums32 = 0, touched = 0, planes = 0;
  for (const Unit& unit : model_.units) {
    if (unit.groups == 1) continue;
    const size_t sums = size_t(unit.pixels()) * unit.padded();
    (unit.wide ? sums32 : sums16) = std::max(unit.wide ? sums32 : sums16, sums);
    touched = std::max(touched, sums / kBlock);
    if (!unit.last) planes = std::max(planes, size_t(unit.planes_out()));
  }
  sums16_.resize(sums16), sums32_.resize(sums32), touched_.resize(touched), planes_.resize(planes);
}

void Grouped::golden(int u, Target to) {
  if (model_.units[u].wide) golden_pixels<int32_t>(u, to);
  else golden_pixels<int16_t>(u, to);
}

template <class Acc>
void Grouped::golden_pixels(int u, Target to) {
  const Unit& unit = model_.units[u];
  const Stream& in = unit.in;
  indices_.assign(in.frame_places() * in.channels, 0);
  for (int y = -in.top, place = 0; y < in.height + in.bottom; ++y) {
    for (int x = -in.left; x < in.width + in.right; ++x, ++place) {
      for (int c = 0; c < in.channels; ++c) {
        const int32_t integer = image_.golden_integer(unit.source, y, x, c);
        indices_[size_t(place) * in.channels + c] = (integer - unit.in_levels.base) / unit.in_levels.step;
      }
    }
  }
  std::vector<int32_t> sums(unit.padded());
  for (int y = 0; y < unit.height; ++y) {
    for (int x = 0; x < unit.width; ++x) {
      std::fill(sums.begin(), sums.end(), 0);
      for (int tap = 0; tap < unit.taps(); ++tap) {
        const int row = y * unit.stride_y + unit.origin_y + tap / unit.kernel_x * unit.dilation_y;
        const int column = x * unit.stride_x + unit.origin_x + tap % unit.kernel_x * unit.dilation_x;
        const int32_t* from = indices_.data() + (size_t(row) * in.frame_width() + column) * in.channels;
        for (int k = 0; k < unit.group_inputs(); ++k) {
          const int8_t* weights = unit.group_weights.data() + (size_t(tap) * unit.group_inputs() + k) * unit.padded();
          for (int g = 0, m = 0; g < unit.groups; ++g) {
            const int32_t index = from[g * unit.group_inputs() + k];
            for (int end = m + unit.group_outputs(); m < end; ++m) sums[m] += weights[m] * index;
          }
        }
      }
      std::copy(sums.begin(), sums.end(), image_.accumulators<Acc>(u, y * unit.width + x));
      if (unit.last) std::copy(sums.begin(), sums.end(), image_.sums.begin());
      for (int b = 0; !unit.last && b < unit.blocks(); ++b) {
        const auto block = Wide64<int32_t>::load(sums.data() + b * kBlock);
        uint64_t* planes = to.first + y * to.pitch + size_t(x) * unit.words_out() + b;
        for (int t = 0; t < unit.planes_out(); ++t) {
          planes[t * unit.blocks()] = block.at_least(unit.thresholds.data() + size_t(t) * unit.padded() + b * kBlock);
        }
      }
    }
  }
}

bool Grouped::update(int u) {
  const Unit& unit = model_.units[u];
  const bool any = unit.wide ? scatter<int32_t>(u, sums32_) : scatter<int16_t>(u, sums16_);
  if (!unit.last) image_.settle(unit.behind, {});
  if (!any) return false;
  if (unit.wide) gather<int32_t>(u, sums32_);
  else gather<int16_t>(u, sums16_);
  return true;
}

// The sums of a block of a pixel, fault-free where nothing has been added yet.
template <class Acc>
Acc* Grouped::touch(int u, int pixel, int block, Aligned<Acc>& sums) {
  const Unit& unit = model_.units[u];
  const int at = pixel * unit.blocks() + block;
  Acc* block_sums = sums.data() + size_t(at) * kBlock;
  if (touched_[at]) return block_sums;
  touched_[at] = 1;
  list_.push_back(at);
  std::copy_n(image_.accumulators<Acc>(u, pixel) + block * kBlock, kBlock, block_sums);
  return block_sums;
}

// Adds what the changed activations do to the sums of their groups; whether any changed.
template <class Acc>
bool Grouped::scatter(int u, Aligned<Acc>& sums) {
  const Unit& unit = model_.units[u];
  const int inputs = unit.group_inputs(), outputs = unit.group_outputs();
  list_.clear();
  if (inputs == 1 && outputs == 1 && !unit.in.wide()) {
    scatter_lanes(u, sums);
    return !list_.empty();
  }
  each_change(image_, unit.source, states_[unit.source].changed, [&](int y, int x, int c, int32_t was, int32_t is) {
    const int by = (is - was) / unit.in_levels.step, first = c / inputs * outputs, behind = first + outputs;
    each_tap(unit, y, x, [&](int tap, int row, int column) {
      const int8_t* weights = unit.group_weights.data() + (size_t(tap) * inputs + c % inputs) * unit.padded();
      for (int b = first / kBlock; b * kBlock < behind; ++b) {
        Acc* block_sums = touch(u, row * unit.width + column, b, sums) - b * kBlock;
        const int end = std::min(behind, (b + 1) * kBlock);
        for (int m = std::max(first, b * kBlock); m < end; ++m) block_sums[m] = Acc(block_sums[m] + weights[m] * by);
      }
    });
  });
  return !list_.empty();
}

// Depthwise, where outputs are the lanes of the inputs: 64 channels at a time.
template <class Acc>
void Grouped::scatter_lanes(int u, Aligned<Acc>& sums) {
  const Unit& unit = model_.units[u];
  const Rect& area = states_[unit.source].changed;
  for (int y = area.y0; y < area.y1; ++y) {
    each_word_changed(image_, unit.source, y, area.x0, area.x1, [&](int x, int w, const LevelChanges& levels) {
      int32_t wide[kBlock] = {};
      add_counts(wide, levels.counts, levels.raised, 1);
      Acc by[kBlock];
      for (int i = 0; i < kBlock; ++i) by[i] = Acc(wide[i]);
      each_tap(unit, y, x, [&](int tap, int row, int column) {
        const int8_t* weights = unit.group_weights.data() + size_t(tap) * unit.padded() + w * kBlock;
        Acc* block_sums = touch(u, row * unit.width + column, w, sums);
        for (int i = 0; i < kBlock; ++i) block_sums[i] = Acc(block_sums[i] + weights[i] * by[i]);
      });
    });
  }
}

// Decides what was touched.
template <class Acc>
void Grouped::gather(int u, const Aligned<Acc>& sums) {
  const Unit& unit = model_.units[u];
  if (unit.last) { std::copy_n(image_.accumulators<Acc>(u, 0), unit.padded(), image_.sums.begin()); }
  for (const int32_t at : list_) {
    touched_[at] = 0;
    const Acc* block_sums = sums.data() + size_t(at) * kBlock;
    const int pixel = at / unit.blocks(), block = at % unit.blocks();
    if (unit.last) {
      std::copy_n(block_sums, kBlock, image_.sums.begin() + block * kBlock);
      continue;
    }
    const auto wide = Wide64<Acc>::load(block_sums);
    for (int t = 0; t < unit.planes_out(); ++t) {
      planes_[t] = wide.at_least(thresholds<Acc>(unit) + size_t(t) * unit.padded() + block * kBlock);
    }
    decide(u, pixel, block, planes_.data());
  }
}

// Writes the planes of one block of a pixel where they are others than without a fault.
void Grouped::decide(int u, int pixel, int block, const uint64_t* planes) {
  const Unit& unit = model_.units[u];
  const int y = pixel / unit.width, x = pixel % unit.width, blocks = unit.blocks();
  const Target golden = image_.golden_front(u);
  const uint64_t* before = golden.first + y * golden.pitch + size_t(x) * unit.words_out() + block;
  uint64_t differs = 0;
  for (int t = 0; t < unit.planes_out(); ++t) differs |= planes[t] ^ before[t * blocks];
  if (differs == 0) return;
  if (!unit.out.wide()) {
    const Target to = image_.faulty_planes(unit.behind);
    uint64_t* after = to.first + y * to.pitch + size_t(x) * unit.words_out() + block;
    for (int t = 0; t < unit.planes_out(); ++t) after[t * blocks] = planes[t];
    Image::State& state = states_[unit.behind];
    state.changed.include({y, y + 1, x, x + 1});
    state.dirty = state.changed;
    return;
  }
  for (; differs != 0; differs &= differs - 1) {
    const int lane = lowest_bit(differs);
    int level = 0;
    for (int t = 0; t < unit.planes_out(); ++t) level += int(planes[t] >> lane & 1);
    image_.put(unit.behind, y, x, block * kBlock + lane, unit.out_levels.base + unit.out_levels.step * level);
  }
}

}  // namespace fat
