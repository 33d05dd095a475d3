// What differs between a faulty stream and the fault-free one.
#pragma once

#include "image.hpp"
#include "simd.hpp"

namespace fat {

// Calls `take(y, x, channel, before, after)` with each activation, in the network's integers, that differs within an
// area of the stream, in the order of places and, at each, of channels.
template <class Take>
inline void each_change(const Image& image, int stream, const Rect& area, Take take) {
  const Stream& from = image.model.streams[stream];
  const Image::State& state = image.states[stream];
  for (int y = area.y0; y < area.y1; ++y) {
    if (from.wide()) {
      const int32_t* before = state.integers.data() + from.place(y, area.x0) * from.channels;
      const int32_t* after = state.faulty_integers.data() + from.place(y, area.x0) * from.channels;
      for (int x = area.x0; x < area.x1; ++x) {
        for (int c = 0; c < from.channels; ++c, ++before, ++after) {
          if (*before != *after) take(y, x, c, *before, *after);
        }
      }
      continue;
    }
    const int words = from.words(), planes = from.planes;
    size_t at = from.offset(y, area.x0);
    for (int x = area.x0; x < area.x1; ++x, at += from.pixel_words()) {
      for (int w = 0; w < words; ++w) {
        const uint64_t *before = state.golden.data() + at + w, *after = state.faulty.data() + at + w;
        uint64_t differs = 0;
        for (int t = 0; t < planes; ++t) differs |= before[t * words] ^ after[t * words];
        for (; differs != 0; differs &= differs - 1) {
          const int bit = lowest_bit(differs);
          int was = 0, is = 0;
          for (int t = 0; t < planes; ++t) {
            was += int(before[t * words] >> bit & 1), is += int(after[t * words] >> bit & 1);
          }
          take(y, x, w * 64 + bit, from.levels.base + from.levels.step * was, from.levels.base + from.levels.step * is);
        }
      }
    }
  }
}

// By how many levels 64 activations changed, as bits of the number: as many planes differ, 15 at most. Planes are
// `stride` words apart and differ as `which` says.
struct LevelChanges {
  uint64_t counts[4] = {}, raised = 0;

  LevelChanges(const uint64_t* before, const uint64_t* after, int stride, uint32_t which) {
    for (; which != 0; which &= which - 1) {
      const int t = lowest_bit(which) * stride;
      uint64_t carry = before[t] ^ after[t];
      raised |= carry & after[t];
      for (uint64_t& count : counts) {
        const uint64_t both = count & carry;
        count ^= carry, carry = both;
      }
    }
  }
};

// Calls `take(x, word, changes)` with each 64 channels of which some differ, in a row of a stream in planes.
template <class Take>
inline void each_word_changed(const Image& image, int stream, int y, int x0, int x1, Take take) {
  const Stream& from = image.model.streams[stream];
  const int words = from.words(), planes = from.planes;
  const uint64_t* before = image.states[stream].golden.data() + from.offset(y, x0);
  const uint64_t* after = image.states[stream].faulty.data() + from.offset(y, x0);
  for (int x = x0; x < x1; ++x, before += from.pixel_words(), after += from.pixel_words()) {
    for (int w = 0; w < words; ++w) {
      uint32_t which = 0;
      if (words == 1) which = differing(before, after, planes);
      else
        for (int t = 0; t < planes; ++t) which |= uint32_t(before[t * words + w] != after[t * words + w]) << t;
      if (which != 0) take(x, w, LevelChanges(before + w, after + w, words, which));
    }
  }
}

// What a changed weight adds to the sum of an output, strays left out.
inline int64_t added(const Image& image, const Unit& unit, const WeightChange& change, int y, int x) {
  const int row = y * unit.stride_y + change.tap_y - unit.pad_y;
  const int column = x * unit.stride_x + change.tap_x - unit.pad_x;
  if (row < 0 || column < 0 || row >= unit.in.height || column >= unit.in.width) return 0;  // padding is 0
  return int64_t(change.delta) * image.held_integer(unit.source, row, column, change.input);
}

// Calls `take(tap, y, x)` for each output whose window has a place of the input in it.
template <class Take>
inline void each_tap(const Unit& unit, int y, int x, Take take) {
  const auto output = [](int at, int stride) {
    if (stride == 1 || at < 0) return at;
    return at % stride == 0 ? at / stride : -1;
  };
  for (int ky = 0; ky < unit.kernel_y; ++ky) {
    const int row = output(y + unit.pad_y - ky * unit.dilation_y, unit.stride_y);
    if (row < 0 || row >= unit.height) continue;
    for (int kx = 0; kx < unit.kernel_x; ++kx) {
      const int column = output(x + unit.pad_x - kx * unit.dilation_x, unit.stride_x);
      if (column >= 0 && column < unit.width) take(ky * unit.kernel_x + kx, row, column);
    }
  }
}

}  // namespace fat
