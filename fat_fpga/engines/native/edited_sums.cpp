// The sums of channels that are computed.
#include <algorithm>

#include "changes.hpp"
#include "edited_channels.hpp"
#include "steps.hpp"

namespace fat {
namespace {

constexpr size_t kMany = 16;  // channels whose sums at a pixel are side by side

// Adds to each of so many sums side by side `low`, and `more` where a bit of the words beside them is set.
void add_bits(int64_t* sums, const uint64_t* words, size_t step, int count, int bit, int64_t low, int64_t more) {
  with_step(step, [&](auto step) {
    for (int x = 0; x < count; ++x) sums[x] += low + (more & -int64_t(words[x * step] >> bit & 1));
  });
}

// Outputs along one axis, of those from `first` up to `end`, whose windows have their place `at` (of the window) inside
// of `size` inputs.
void clip(int& first, int& end, int at, int stride, int size) {
  if (at < 0) first = std::max(first, (-at + stride - 1) / stride);
  end = size - at <= 0 ? first : std::min(end, (size - at - 1) / stride + 1);
}

}  // namespace

void EditedChannels::lay_out(const Rect& area) {
  const size_t pixels = size_t(area.pixels()), count = wanted_.size();
  sums_.resize(pixels * count);
  if (count < kMany) pixel_step_ = 1, channel_step_ = pixels;
  else pixel_step_ = count, channel_step_ = 1;
}

// The fault-free accumulators.
void EditedChannels::begin(int u, const Rect& area) {
  lay_out(area);
  if (model_.units[u].wide) take_accumulators<int32_t>(u, area);
  else take_accumulators<int16_t>(u, area);
}

template <class Acc>
void EditedChannels::take_accumulators(int u, const Rect& area) {
  const Unit& unit = model_.units[u];
  const int64_t step = unit.in_levels.step;
  const int32_t* offsets = unit.offset.data();
  int pixel = 0;
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x, ++pixel) {
      const Acc* golden = image_.accumulators<Acc>(u, y * unit.width + x);
      int64_t* to = sum(0, pixel);
      for (const Channel& channel : wanted_) {
        *to = step * golden[channel.number] + offsets[channel.number];
        to += channel_step_;
      }
    }
  }
}

// The sums of the wanted channels by the bits of activations and weights.
void EditedChannels::count_bits(const Unit& unit, const Rect& area) {
  const Stream& in = unit.in;
  const int words = in.words(), row = unit.kernel_x * words, count = unit.kernel_y * row;
  lay_out(area);
  window_.resize(size_t(in.planes) * count);
  const uint64_t* bits = image_.planes(unit.source);
  int pixel = 0;
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; ++x, ++pixel) {
      const int top = y * unit.stride_y + unit.origin_y, left = x * unit.stride_x + unit.origin_x;
      const uint64_t* from = bits + (size_t(top) * in.frame_width() + left) * in.pixel_words();
      size_t pitch = size_t(in.frame_width()) * words;  // of one plane rows of a window are side by side already
      if (in.planes > 1) take_window(unit, from), from = window_.data(), pitch = row;
      const auto common = [&](const uint64_t* others, size_t others_pitch, int t) {
        return popcount_common(from + size_t(t) * count, pitch, others, others_pitch, row, unit.kernel_y);
      };
      int64_t base = 0;
      for (int t = 0; t < in.planes && unit.weight_base != 0; ++t) {
        base += unit.weight_base * common(from + size_t(t) * count, pitch, t);
      }
      int64_t* sum = this->sum(0, pixel);
      for (size_t i = 0; i < wanted_.size(); ++i, sum += channel_step_) {
        const uint64_t* weights = unit.rows.data() + size_t(wanted_[i].number) * unit.planes.size() * count;
        int64_t index = base;
        for (const WeightPlane& plane : unit.planes) {
          int both = 0;
          for (int t = 0; t < in.planes; ++t) both += common(weights, size_t(row), t);
          index += int64_t(plane.scale) * both, weights += count;
        }
        *sum = unit.in_levels.step * index + unit.offset[wanted_[i].number];
      }
    }
  }
}

// A window of several planes, plane by plane.
void EditedChannels::take_window(const Unit& unit, const uint64_t* from) {
  const Stream& in = unit.in;
  const int words = in.words();
  uint64_t* to = window_.data();
  for (int t = 0; t < in.planes; ++t) {
    for (int ky = 0; ky < unit.kernel_y; ++ky) {
      const uint64_t* place = from + size_t(ky) * in.frame_width() * in.pixel_words() + size_t(t) * words;
      for (int kx = 0; kx < unit.kernel_x; ++kx, place += in.pixel_words()) to = std::copy_n(place, words, to);
    }
  }
}

// What differs in front of the outputs, strays left out.
void EditedChannels::list_differences(const Unit& unit, const Rect& outputs) {
  const Image::State& state = states_[unit.source];
  if (state.changed.empty()) return;
  const Rect seen = unit.windows().covered(outputs).moved(-unit.in.top, -unit.in.left);
  const Rect area = state.changed.common(seen);
  if (area.empty()) return;
  each_change(image_, unit.source, area, [&](int y, int x, int c, int32_t was, int32_t is) {
    differences_.push_back({y, x, c, is - was, false});
  });
}

void EditedChannels::list_strays(const Unit& unit, const Rect& outputs) {
  const Rect seen = unit.windows().covered(outputs).moved(-unit.in.top, -unit.in.left);
  for (const Stray& stray : states_[unit.source].strays) {
    if (!seen.has(stray.y, stray.x)) continue;
    const int32_t by = stray.integer - image_.held_integer(unit.source, stray.y, stray.x, stray.channel);
    differences_.push_back({stray.y, stray.x, stray.channel, by, true});
  }
}

void EditedChannels::add_differences(const Unit& unit, const Rect& area) {
  const size_t count = wanted_.size();
  const int inputs = unit.group_inputs(), outputs = unit.group_outputs(), width = area.x1 - area.x0;
  for (const Difference& difference : differences_) {
    const int group = difference.channel / inputs;
    each_tap(unit, difference.y, difference.x, [&](int tap, int y, int x) {
      if (!area.has(y, x)) return;
      const size_t row = size_t(tap) * inputs + difference.channel % inputs;
      const int8_t* weights = unit.groups > 1 ? unit.group_weights.data() + row * unit.padded()
                                              : unit.columns.data() + row * unit.column_stride();
      int64_t* sums = sum(0, (y - area.y0) * width + (x - area.x0));
      if (unit.groups == 1 && int(count) == unit.outputs && channel_step_ == 1) {
        for (size_t m = 0; m < count; ++m) sums[m] += difference.by * weights[m];
        return;
      }
      for (size_t i = 0; i < count; ++i, sums += channel_step_) {
        const int m = wanted_[i].number;
        if (unit.groups == 1 || m / outputs == group) *sums += difference.by * weights[m];
      }
    });
  }
}

// What the changed weights see.
void EditedChannels::add_words(const Fault& fault, const Unit& unit, const Rect& area) {
  for (size_t i = 0; i < wanted_.size(); ++i) {
    if (wanted_[i].edit == nullptr) continue;
    for (int w = wanted_[i].edit->weights; w < wanted_[i].edit->weights_end; ++w) {
      const WeightChange& change = fault.weights[w];
      add_word(change, unit, area, i);
      for (size_t d = differences_.size(); d > 0 && differences_[d - 1].stray; --d) {
        const Difference& stray = differences_[d - 1];
        const int down = stray.y + unit.pad_y - change.tap_y, right = stray.x + unit.pad_x - change.tap_x;
        if (stray.channel != change.input || down < 0 || right < 0) continue;
        if (down % unit.stride_y != 0 || right % unit.stride_x != 0) continue;
        const int y = down / unit.stride_y - area.y0, x = right / unit.stride_x - area.x0;
        if (!area.moved(-area.y0, -area.x0).has(y, x)) continue;
        *sum(i, y * (area.x1 - area.x0) + x) += int64_t(change.delta) * stray.by;
      }
    }
  }
}

// What one changed weight sees in the stream, strays left out.
void EditedChannels::add_word(const WeightChange& change, const Unit& unit, const Rect& area, size_t i) {
  const Stream& in = unit.in;
  const Image::State& state = states_[unit.source];
  const int down = change.tap_y - unit.pad_y, right = change.tap_x - unit.pad_x;
  Rect inside = area;
  clip(inside.y0, inside.y1, down, unit.stride_y, in.height);
  clip(inside.x0, inside.x1, right, unit.stride_x, in.width);
  const int64_t delta = change.delta;
  for (int y = inside.y0; y < inside.y1; ++y) {
    int64_t* sum = this->sum(i, (y - area.y0) * (area.x1 - area.x0) + (inside.x0 - area.x0));
    const int row = y * unit.stride_y + down, column = inside.x0 * unit.stride_x + right;
    if (in.wide()) {
      const auto& integers = state.changed.empty() ? state.integers : state.faulty_integers;
      const int32_t* from = integers.data() + in.place(row, column) * in.channels + change.input;
      for (int x = inside.x0; x < inside.x1; ++x, sum += pixel_step_, from += unit.stride_x * in.channels)
        *sum += delta * *from;
      continue;
    }
    const uint64_t* word = image_.planes(unit.source) + in.offset(row, column) + change.input / kBlock;
    const int bit = change.input % kBlock, words = in.words();
    if (in.planes == 1) {
      const int64_t low = delta * in.levels.base, more = delta * in.levels.step;
      const size_t stride = size_t(unit.stride_x) * words;
      if (pixel_step_ == 1) {
        add_bits(sum, word, stride, inside.x1 - inside.x0, bit, low, more);
        continue;
      }
      for (int x = inside.x0; x < inside.x1; ++x, sum += pixel_step_, word += stride) {
        *sum += low + (more & -int64_t(*word >> bit & 1));
      }
      continue;
    }
    for (int x = inside.x0; x < inside.x1; ++x, sum += pixel_step_, word += size_t(unit.stride_x) * in.pixel_words()) {
      int64_t index = 0;
      for (int t = 0; t < in.planes; ++t) index += int64_t(word[t * words] >> bit & 1);
      *sum += delta * (in.levels.base + in.levels.step * index);
    }
  }
}

}  // namespace fat
