// The integer program in the form that the kernels want, built once per network.
//
// All arithmetic behind streams in planes is in the index domain: an activation is the index of its level (0, 1, ...),
// held as thermometer planes: plane t of a channel is set when the index is above t. Maxima are then bitwise ORs,
// and one changed plane bit moves an accumulator by exactly one weight.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "level_form.hpp"
#include "operators.hpp"
#include "stream.hpp"

namespace fat {

constexpr int kMostPackedPlanes = 4, kMostPackedRows = 11;  // that Packed takes, of a stream and of a kernel
constexpr int kByteOutputs = 16;                            // that products of bytes are made of together

// A weight bit-plane: weights = base + sum over planes of scale * bit.
struct WeightPlane {
  int scale;
  Aligned<uint64_t> bits;  // [block][tap][word][64 outputs]
};

struct Unit {
  int source = 0, behind = 0;   // streams that it reads and makes
  int inputs = 0, outputs = 0;  // channels
  int groups = 1;
  int kernel_y = 1, kernel_x = 1, stride_y = 1, stride_x = 1;
  int dilation_y = 1, dilation_x = 1;  // of units of several groups; else it is in the kernel
  int origin_y = 0, origin_x = 0;      // of the first window in the frame of `in`
  int pad_y = 0, pad_x = 0;            // padding of the unit itself, at the top and on the left
  bool padded_input = false;           // on any side
  int height = 0, width = 0;           // of the output
  bool last = false;
  bool wide = false;  // accumulators need 32 bits
  int levels = 0;     // of the output; 0 in the last unit

  Aligned<int8_t> columns;        // [tap][input][as is, negated][padded outputs], and one column of zeros
  Aligned<uint64_t> bit_columns;  // the same as bits, if all weights are -1, 0 or +1; see bit_columns.cpp
  bool zeros = false;             // with weights of 0, bit_columns has two bits for each weight
  Aligned<int8_t> group_weights;  // instead of columns, of several groups: [tap][input of the group][padded outputs]
  Aligned<int8_t> byte_weights;   // for ByteProducts: [16 outputs][kernel row][4 inputs][output][input]
  int byte_period = 0;            // fours of inputs whose products fit in 16 bits, two by two
  int largest_weight = 0;         // absolute value
  int period = 0;                 // columns whose sum fits in a byte: a multiple of four, or 0
  // Of few outputs, for Packed: lanes of a pixel; 0 where it does not take the unit.
  int lanes = 0;
  int together = 0;                    // planes of a place that fit in a word side by side
  Aligned<int8_t> packed_columns;      // [input][as is, negated][kernel row][place of the windows of a vector][64]
  Aligned<int16_t> packed_thresholds;  // [plane][64]
  Aligned<int16_t> middles;         // [64], so that accumulators less these are above byte_thresholds [plane][64] where
  Aligned<int8_t> byte_thresholds;  // they meet a threshold; none where some do not fit in a byte
  uint8_t places[kBlock] = {};      // of each bit of planes of inputs side by side, twice its input
  LevelForm form;                   // for ByteCourse
  int weight_base = 0;
  std::vector<WeightPlane> planes;  // for the popcount path
  Aligned<uint64_t> rows;           // the bits of these planes output by output: [output][plane][tap][word]
  Aligned<int32_t> thresholds;      // [plane][padded outputs], index domain
  Aligned<int16_t> thresholds16;

  // Back to the integers of the network: accumulator = in_levels.step * accumulator here + offset of its channel.
  std::vector<int32_t> offset;
  Levels in_levels, out_levels;
  std::vector<int32_t> integer_thresholds;  // [outputs][levels - 1], for accumulators of the network

  Stream in;   // as it is read
  Stream out;  // as it is made; not used by the last unit

  bool reads_planes() const { return !in.wide() && groups == 1; }
  int blocks() const { return blocks_of(outputs); }
  int padded() const { return blocks() * kBlock; }
  int column_stride() const { return 2 * padded(); }                  // from one input's column to the next
  int void_column() const { return int(columns.size()) - padded(); }  // offset of a column of zeros
  // The same in lists of columns to add, whose offsets are into the words of bit_columns where there are any.
  int listed(int offset) const { return bit_columns.empty() ? offset : offset / kBlock * (zeros ? 2 : 1); }
  int listed_stride() const { return listed(column_stride()); }
  int listed_void() const { return listed(void_column()); }
  int taps() const { return kernel_y * kernel_x; }
  int packed_pixels() const { return kBlock / lanes; }  // side by side in 64 lanes
  int packed_width() const { return (width + packed_pixels() - 1) / packed_pixels() * packed_pixels(); }
  int packed_kernel() const { return (packed_pixels() - 1) * stride_x + kernel_x; }  // places that their windows cover
  bool narrow() const { return lanes > 0 && lanes < kBlock; }
  int byte_inputs() const { return (inputs + 3) & ~3; }            // of one place, in bytes
  int byte_steps() const { return kernel_x * byte_inputs() / 4; }  // of one kernel row, in fours of inputs
  int pixels() const { return height * width; }
  // Whether there is a single pixel, whose window is the whole frame.
  bool single() const { return pixels() == 1 && kernel_y == in.frame_height() && kernel_x == in.frame_width(); }
  int planes_out() const { return levels - 1; }
  int words_out() const { return planes_out() * blocks(); }  // of one pixel
  int group_inputs() const { return inputs / groups; }
  int group_outputs() const { return outputs / groups; }
  Windows windows() const {
    return {(kernel_y - 1) * dilation_y + 1,
            (kernel_x - 1) * dilation_x + 1,
            stride_y,
            stride_x,
            height,
            width,
            origin_y,
            origin_x};
  }
  Rect whole() const { return Rect::whole(height, width); }  // of the output
  // Cost of recomputing one output pixel by popcount, in 64-channel word operations.
  int dense_steps() const { return taps() * in.pixel_words() * int(planes.size()) * blocks(); }
  // The same by products of bytes, in 16 outputs of four inputs.
  int product_steps() const { return kernel_y * byte_steps() * ((outputs + kByteOutputs - 1) / kByteOutputs); }
};

// Lanes that so many outputs take: 16, 32 or 64.
inline int lanes_of(int outputs) { return outputs <= 16 ? 16 : outputs <= 32 ? 32 : kBlock; }

// What the caller knows of a unit.
struct UnitSpec {
  int source;             // stream
  const int8_t* weights;  // [outputs][kernel_y][kernel_x][inputs / groups]
  int outputs, kernel_y, kernel_x, group_inputs, groups;
  int stride_y, stride_x;
  int dilation_y, dilation_x;  // 1 where there is one group
  int top, left, bottom, right;
  const int32_t* thresholds;          // [outputs][levels - 1], index domain, or null in the last unit
  const int32_t* integer_thresholds;  // the same in the network's integers
  int levels;                         // 0 in the last unit
  const int32_t* offset;              // [outputs]
  Levels in_levels, out_levels;
};

// How a unit behind changed activations is brought up to date.
enum class Update { automatic, sparse, popcount, bytes };

// Nodes are added in topological order, each with the stream that it makes; std::invalid_argument where something does
// not fit.
struct Model {
  int channels, height, width;       // of the image
  std::vector<int32_t> input_table;  // [channel][256]
  std::vector<Stream> streams;       // by number
  std::vector<Node> nodes;
  std::vector<Unit> units;
  std::vector<int> node_of;    // of each unit
  std::vector<int32_t> ranks;  // [class][rank_count], or none: the class scores are the sums of the last unit
  int rank_count = 0;
  int64_t rank_low = 0;                   // the sum that the first rank of each class is of
  std::vector<int32_t> factors, offsets;  // [class]: scores are factor * sum + offset within 32 bits; or none
  Update update = Update::automatic;
  bool by_chance = false;  // ways of which the faster one is found by timing are drawn instead

  Model(const Stream& image, const int32_t* table);
  void add(const UnitSpec& spec, Stream out);
  void add(Node node, Stream out);
  const Unit& last() const { return units.back(); }

 private:
  void check(const Stream& out) const;
  void read(const std::vector<int>& inputs, int node);
};

}  // namespace fat
