// The integer network in the form that the kernels want, built once per network.
//
// All arithmetic is in the index domain: an activation is the index of its level (0, 1, ...), held as
// thermometer planes: plane t of a channel is set when the index is above t. Maxima are then bitwise ORs,
// and one changed plane bit moves an accumulator by exactly one weight.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "rect.hpp"

namespace fat {

constexpr int kBlock = 64;  // output channels that are handled together: one 64-bit word of plane bits

inline int blocks_of(int channels) { return (channels + kBlock - 1) / kBlock; }

// Activations between two units, in the padded frame of the unit that reads them.
// Words: [height][width][planes][words]; bits beyond the last channel are 0.
struct Stream {
  int channels = 0, height = 0, width = 0;           // without padding
  int top = 0, left = 0, bottom = 0, right = 0;      // padding of the reading unit
  int planes = 0;                                    // levels - 1
  int pad_index = 0;                                 // level index of the padded places
  int words() const { return blocks_of(channels); }  // 64-bit words of one plane of one pixel
  int pixel_words() const { return planes * words(); }
  int frame_width() const { return width + left + right; }
  int frame_height() const { return height + top + bottom; }
  size_t frame_words() const { return size_t(frame_height()) * frame_width() * pixel_words(); }
  Rect whole() const { return Rect::whole(height, width); }
  size_t offset(int y, int x) const {  // first word of an unpadded pixel
    return (size_t(y + top) * frame_width() + (x + left)) * pixel_words();
  }
};

// Evenly spaced integers of an activation: index i stands for base + step * i.
struct Levels {
  int base = 0, step = 1;
};

// A weight bit-plane: weights = base + sum over planes of scale * bit.
struct WeightPlane {
  int scale;
  Aligned<uint64_t> bits;  // [block][tap][word][64 outputs]
};

struct Unit {
  int inputs = 0, outputs = 0;  // channels
  int kernel_y = 1, kernel_x = 1, stride_y = 1, stride_x = 1;
  int height = 0, width = 0;  // of the output, in front of pooling
  bool last = false;
  bool wide = false;  // accumulators need 32 bits
  int levels = 0;     // of the output; 0 in the last unit

  Aligned<int8_t> columns;        // [tap][input][as is, negated][padded outputs], and one column of zeros
  Aligned<uint64_t> bit_columns;  // the same as bits, set for +1, if all weights are +1 or -1; see bit_columns.cpp
  int largest_weight = 0;         // absolute value
  int period = 0;                 // columns whose sum fits in a byte: a multiple of four, or 0
  int weight_base = 0;
  std::vector<WeightPlane> planes;  // for the popcount path
  Aligned<int32_t> thresholds;      // [plane][padded outputs], index domain
  Aligned<int16_t> thresholds16;

  // Back to the integers of the network: accumulator = in_levels.step * accumulator here + offset of its channel.
  std::vector<int32_t> offset;
  Levels in_levels, out_levels;
  std::vector<int32_t> integer_thresholds;  // [outputs][levels - 1], for accumulators of the network

  std::vector<Windows> pools;  // behind the unit, in order
  Stream in;                   // not used by the first unit
  Stream out;                  // behind the pools, framed for the next unit; not used by the last unit

  int blocks() const { return blocks_of(outputs); }
  int padded() const { return blocks() * kBlock; }
  int column_stride() const { return 2 * padded(); }                  // from one input's column to the next
  int void_column() const { return int(columns.size()) - padded(); }  // offset of a column of zeros
  // The same in lists of columns to add, whose offsets are into the words of bit_columns where there are any.
  int listed_shift() const { return bit_columns.empty() ? 0 : 6; }
  int listed_stride() const { return column_stride() >> listed_shift(); }
  int listed_void() const { return void_column() >> listed_shift(); }
  int taps() const { return kernel_y * kernel_x; }
  int pixels() const { return height * width; }
  int planes_out() const { return levels - 1; }
  Windows windows() const { return {kernel_y, kernel_x, stride_y, stride_x, height, width}; }
  Rect whole() const { return Rect::whole(height, width); }  // of the output, in front of pooling
  // Cost of recomputing one output pixel by popcount, in 64-channel word operations.
  int dense_steps() const { return taps() * in.pixel_words() * int(planes.size()) * blocks(); }
};

// What the caller knows of a unit.
struct UnitSpec {
  const int8_t* weights;  // [outputs][kernel_y][kernel_x][inputs]
  int outputs, kernel_y, kernel_x, inputs;
  int stride_y, stride_x;
  int top, left, bottom, right;
  int pad_index;                      // level index of the integer 0 among the input's levels
  const int32_t* thresholds;          // [outputs][levels - 1], index domain, or null in the last unit
  const int32_t* integer_thresholds;  // the same in the network's integers
  int levels;                         // 0 in the last unit
  const int32_t* offset;              // [outputs]
  Levels in_levels, out_levels;
  std::vector<Windows> pools;  // their output sizes are set by Model::add
};

// How a unit behind changed activations is brought up to date.
enum class Update { automatic, sparse, popcount };

struct Model {
  int channels, height, width;       // of the image
  std::vector<int32_t> input_table;  // [channel][256]
  std::vector<Unit> units;
  int input_largest = 0;  // largest absolute integer behind the table
  Update update = Update::automatic;

  Model(int channels, int height, int width, const int32_t* table);
  void add(const UnitSpec& spec);  // units in order; throws std::invalid_argument where they do not fit
};

}  // namespace fat
