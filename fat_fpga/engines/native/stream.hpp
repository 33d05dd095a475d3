// Streams of activations between the nodes of a program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "rect.hpp"

namespace fat {

constexpr int kBlock = 64;  // output channels that are handled together: one 64-bit word of plane bits

constexpr int kMostLevelPlanes = 15;

inline int blocks_of(int channels) { return (channels + kBlock - 1) / kBlock; }

// Evenly spaced integers of an activation: index i stands for base + step * i.
struct Levels {
  int base = 0, step = 1;
  int count = 0;  // of streams

  bool has(int64_t integer) const {
    const int64_t above = integer - base;
    return above >= 0 && above % step == 0 && above / step < count;
  }
  int index(int32_t integer) const { return has(integer) ? (integer - base) / step : -1; }  // -1: it is no level
};

// Activations in the frame that their readers want: the widest of their paddings on each side.
//
// A stream of few levels is held in thermometer planes, words [height][width][planes][words] with bits beyond the last
// channel 0. Any other is `wide`: integers of the network, int32 [height][width][channels], padded with 0.
struct Stream {
  int channels = 0, height = 0, width = 0;       // without padding
  int top = 0, left = 0, bottom = 0, right = 0;  // padding
  int planes = 0;                                // levels - 1; 0 where it is wide
  int pad_index = 0;                             // level index of the padded places
  int largest = 0;                               // absolute integer
  Levels levels;                                 // without a fault
  std::vector<int> readers;                      // nodes, each once
  bool wide() const { return planes == 0; }
  int words() const { return blocks_of(channels); }  // 64-bit words of one plane of one pixel
  int pixel_words() const { return planes * words(); }
  int frame_width() const { return width + left + right; }
  int frame_height() const { return height + top + bottom; }
  size_t frame_places() const { return size_t(frame_height()) * frame_width(); }
  Rect whole() const { return Rect::whole(height, width); }
  size_t place(int y, int x) const { return size_t(y + top) * frame_width() + (x + left); }  // of an unpadded pixel
  size_t offset(int y, int x) const { return place(y, x) * pixel_words(); }  // its first word, in planes
};

}  // namespace fat
