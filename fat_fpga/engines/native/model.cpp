#include "model.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "bit_groups.hpp"
#include "simd.hpp"

namespace fat {
namespace {

// Splits weights into planes: +-1 into one, anything else into two's complement bits.
void split(Unit& unit, const UnitSpec& spec) {
  const int taps = unit.taps(), words = blocks_of(unit.inputs);
  const size_t count = size_t(unit.outputs) * taps * unit.inputs;
  const int low = *std::min_element(spec.weights, spec.weights + count);
  const int high = *std::max_element(spec.weights, spec.weights + count);
  const bool bipolar = std::all_of(spec.weights, spec.weights + count, [](int w) { return w == 1 || w == -1; });
  int bits = 1;
  if (!bipolar) {
    while (high > (1 << (low < 0 ? bits - 1 : bits)) - 1 || low < -(1 << (bits - 1))) ++bits;
  }
  unit.weight_base = bipolar ? -1 : 0;
  for (int j = 0; j < bits; ++j) {
    WeightPlane plane;
    plane.scale = bipolar ? 2 : (low < 0 && j == bits - 1) ? -(1 << j) : (1 << j);
    plane.bits.assign(size_t(unit.blocks()) * taps * words * kBlock, 0);
    for (int m = 0; m < unit.outputs; ++m) {
      for (int t = 0; t < taps; ++t) {
        for (int c = 0; c < unit.inputs; ++c) {
          const int w = spec.weights[(size_t(m) * taps + t) * unit.inputs + c];
          const bool set = bipolar ? w > 0 : (unsigned(w) >> j) & 1;
          if (!set) continue;
          const size_t word = (size_t(m / kBlock) * taps + t) * words + c / kBlock;
          plane.bits[word * kBlock + m % kBlock] |= uint64_t(1) << (c % kBlock);
        }
      }
    }
    unit.planes.push_back(std::move(plane));
  }
}

void set_columns(Unit& unit, const UnitSpec& spec) {
  const int rows = unit.taps() * unit.inputs;
  unit.columns.assign(size_t(rows) * unit.column_stride() + unit.padded(), 0);  // and the void column
  for (int m = 0; m < unit.outputs; ++m) {
    for (int k = 0; k < rows; ++k) {
      const int8_t w = spec.weights[size_t(m) * rows + k];
      unit.columns[size_t(k) * unit.column_stride() + m] = w;
      unit.columns[size_t(k) * unit.column_stride() + unit.padded() + m] = int8_t(-w);
      unit.largest_weight = std::max(unit.largest_weight, std::abs(int(w)));
    }
  }
  unit.period = 127 / std::max(1, unit.largest_weight) & ~3;
}

// Weights as ByteProducts takes them; those of inputs and outputs that there are none of are 0.
void set_byte_weights(Unit& unit, const UnitSpec& spec) {
  const int inputs = unit.byte_inputs(), steps = unit.kernel_y * unit.byte_steps();
  unit.byte_weights.assign(size_t(blocks_of(unit.outputs)) * kBlock / kByteOutputs * steps * kBlock, 0);
  const int8_t* weight = spec.weights;
  for (int m = 0; m < unit.outputs; ++m) {
    int8_t* lane = unit.byte_weights.data() + size_t(m / kByteOutputs) * steps * kBlock + m % kByteOutputs * 4;
    for (int tap = 0; tap < unit.taps(); ++tap) {
      for (int c = 0; c < unit.inputs; ++c, ++weight) {
        const int k = tap * inputs + c;
        lane[size_t(k / 4) * kBlock + k % 4] = *weight;
      }
    }
  }
  unit.byte_period = INT16_MAX / (2 * unit.in.planes * std::max(1, unit.largest_weight));
}

// The bits of weight planes in the order of a window.
void set_rows(Unit& unit) {
  const int count = unit.taps() * unit.in.words();
  unit.rows.reserve(size_t(unit.outputs) * unit.planes.size() * count);
  for (int m = 0; m < unit.outputs; ++m) {
    for (const WeightPlane& plane : unit.planes) {
      const uint64_t* bits = plane.bits.data() + size_t(m / kBlock) * count * kBlock + m % kBlock;
      for (int i = 0; i < count; ++i) unit.rows.push_back(bits[size_t(i) * kBlock]);
    }
  }
}

// Weights of several groups, lane by lane.
void set_group_weights(Unit& unit, const UnitSpec& spec) {
  const int rows = unit.taps() * spec.group_inputs;
  unit.group_weights.assign(size_t(rows) * unit.padded(), 0);
  for (int m = 0; m < unit.outputs; ++m) {
    for (int k = 0; k < rows; ++k)
      unit.group_weights[size_t(k) * unit.padded() + m] = spec.weights[size_t(m) * rows + k];
  }
}

// The columns as bits, in the same order, set above 0 for weights of +1 and -1. With zeros there are those above 0 of a
// group of blocks, and then those not below 0. The column of zeros has no bit set, and behind it is one of ones.
void set_bit_columns(Unit& unit) {
  const int blocks = unit.blocks(), words = blocks * (unit.zeros ? 2 : 1);
  const size_t columns = unit.columns.size() / unit.padded() - 1;
  unit.bit_columns.reserve((columns + 2) * words);
  const int8_t* weights = unit.columns.data();
  const auto put = [&](int block, int above) {
    uint64_t bits = 0;
    for (int i = 0; i < kBlock; ++i) bits |= uint64_t(weights[block * kBlock + i] > above) << i;
    unit.bit_columns.push_back(bits);
  };
  for (size_t i = 0; i < columns; ++i, weights += unit.padded()) {
    if (!unit.zeros) {
      for (int b = 0; b < blocks; ++b) put(b, 0);
      continue;
    }
    each_group<true>(blocks, [&](int count, int block) {
      for (int above : {0, -1}) {
        for (int b = 0; b < count; ++b) put(block + b, above);
      }
    });
  }
  unit.bit_columns.insert(unit.bit_columns.end(), words, 0);
  unit.bit_columns.insert(unit.bit_columns.end(), words, ~uint64_t(0));
}

// Whether the unit's columns are added as bits: with zeros where they are not many pixels' side by side in bytes, and
// offsets have 16 bits. Few scores take a single vector of bytes.
bool takes_bit_columns(const Unit& unit) {
  if (!FAT_BIT_COLUMNS || unit.wide || !unit.reads_planes()) return false;
  if (unit.last && unit.blocks() == 1) return false;
  if (unit.zeros && (unit.largest_weight != 1 || unit.blocks() < 2)) return false;
  const size_t words = unit.columns.size() / kBlock + unit.blocks();
  return words * (unit.zeros ? 2 : 1) <= UINT16_MAX;
}

// Bounds of the accumulators, whatever the inputs are.
bool needs_32_bits(const Unit& unit, const UnitSpec& spec, int largest_input) {
  const int rows = unit.taps() * spec.group_inputs;
  int64_t bound = 0;
  for (int m = 0; m < unit.outputs; ++m) {
    int64_t sum = 0;
    for (int k = 0; k < rows; ++k) sum += std::abs(int(spec.weights[size_t(m) * rows + k]));
    bound = std::max(bound, sum * largest_input);
  }
  if (bound > 1000000000) throw std::invalid_argument("accumulators beyond 30 bits");
  return bound > 32000;
}

void set_thresholds(Unit& unit, const UnitSpec& spec) {
  const int planes = spec.levels - 1;
  unit.thresholds.assign(size_t(planes) * unit.padded(), INT32_MAX);
  for (int m = 0; m < unit.outputs; ++m) {
    for (int t = 0; t < planes; ++t) {
      unit.thresholds[size_t(t) * unit.padded() + m] = spec.thresholds[size_t(m) * planes + t];
    }
  }
  for (int32_t value : unit.thresholds) {
    unit.thresholds16.push_back(int16_t(std::clamp<int32_t>(value, INT16_MIN, INT16_MAX)));
  }
}

// The thresholds of a unit within a byte, where all that its accumulators can meet or not are.
void set_byte_thresholds(Unit& unit) {
  const int planes = unit.planes_out();
  unit.middles.assign(kBlock, 0);
  unit.byte_thresholds.assign(size_t(planes) * kBlock, INT8_MAX);
  for (int lane = 0; lane < kBlock; ++lane) {
    const int m = lane % unit.lanes;
    int low = 0, high = 0;  // accumulators
    for (int k = 0; m < unit.outputs && k < unit.taps() * unit.inputs; ++k) {
      const int w = unit.columns[size_t(k) * unit.column_stride() + m] * unit.in.planes;
      low += std::min(w, 0), high += std::max(w, 0);
    }
    int first = INT32_MAX, last = INT32_MIN;
    for (int t = 0; t < planes; ++t) {
      const int threshold = unit.packed_thresholds[t * kBlock + lane];
      if (threshold > low && threshold <= high) first = std::min(first, threshold), last = std::max(last, threshold);
    }
    if (last >= first) unit.middles[lane] = int16_t(first + (last - first) / 2);
    for (int t = 0; t < planes; ++t) {
      const int threshold = unit.packed_thresholds[t * kBlock + lane];
      const int above = threshold <= low ? INT8_MIN : threshold > high ? INT8_MAX : threshold - 1 - unit.middles[lane];
      if (threshold > low && threshold <= high && (above < -127 || above > 126)) {
        unit.middles.clear(), unit.byte_thresholds.clear();
        return;
      }
      unit.byte_thresholds[size_t(t) * kBlock + lane] = int8_t(above);
    }
  }
}

// For Packed, where it takes the unit: the columns of a window of neighbouring outputs, each with zeros for those that
// a place is not in the window of.
void set_packed(Unit& unit) {
  const bool few = unit.outputs <= kBlock && unit.inputs <= kBlock && unit.width > 1;
  if (unit.last || unit.wide || !unit.reads_planes() || unit.out.wide() || !few || unit.largest_weight == 0) return;
  if (!unit.bit_columns.empty() || unit.in.planes > kMostPackedPlanes || unit.kernel_y > kMostPackedRows) return;
  unit.lanes = lanes_of(unit.outputs);
  unit.together = std::min(kBlock / unit.inputs, unit.in.planes);
  for (int i = 0; i < kBlock; ++i) unit.places[i] = uint8_t(2 * (i % unit.inputs));
  unit.packed_thresholds.resize(size_t(unit.planes_out()) * kBlock);
  for (int i = 0; i < int(unit.packed_thresholds.size()); ++i)
    unit.packed_thresholds[i] = unit.thresholds16[i / kBlock * kBlock + i % unit.lanes];
  set_byte_thresholds(unit);
  const int kernel = unit.packed_kernel(), places = unit.kernel_y * kernel;
  unit.packed_columns.assign(size_t(unit.inputs) * 2 * places * kBlock, 0);
  for (int ky = 0; ky < unit.kernel_y; ++ky) {
    for (int i = 0; i < unit.packed_pixels(); ++i) {
      for (int kx = 0; kx < unit.kernel_x; ++kx) {
        const int8_t* from =
            unit.columns.data() + (size_t(ky) * unit.kernel_x + kx) * unit.inputs * unit.column_stride();
        int8_t* to = unit.packed_columns.data() + (size_t(ky) * kernel + i * unit.stride_x + kx) * kBlock;
        for (int k = 0; k < 2 * unit.inputs; ++k, from += unit.padded(), to += size_t(places) * kBlock)
          std::copy_n(from, unit.outputs, to + i * unit.lanes);
      }
    }
  }
}

}  // namespace

Model::Model(const Stream& image, const int32_t* table)
    : channels(image.channels),
      height(image.height),
      width(image.width),
      input_table(table, table + size_t(image.channels) * 256) {
  streams.push_back(image);
  for (int32_t value : input_table) streams[0].largest = std::max(streams[0].largest, std::abs(value));
}

// What counts changed levels has four bits; see changes.hpp.
void Model::check(const Stream& out) const {
  if (out.planes > kMostLevelPlanes) throw std::invalid_argument("more than 15 planes");
}

// Node number `node` reads these streams.
void Model::read(const std::vector<int>& inputs, int node) {
  for (int stream : inputs) {
    if (stream < 0 || stream >= int(streams.size())) throw std::invalid_argument("an unknown stream");
    std::vector<int>& readers = streams[stream].readers;
    if (readers.empty() || readers.back() != node) readers.push_back(node);
  }
}

void Model::add(Node node, Stream out) {
  check(out);
  read(node.inputs, int(nodes.size()));
  node.out = int(streams.size());
  node.first_channels = {0};
  for (int stream : node.inputs) {
    node.first_channels.push_back(node.first_channels.back() + streams[stream].channels);
  }
  node.by_step.resize(node.thresholds.size());
  for (int c = 0; c < out.channels; ++c) {
    for (int t = 0; t < node.steps; ++t) {
      node.by_step[size_t(t) * out.channels + c] = node.thresholds[size_t(c) * node.steps + t];
    }
  }
  node.windows.height = out.height, node.windows.width = out.width;
  nodes.push_back(std::move(node));
  streams.push_back(std::move(out));
}

void Model::add(const UnitSpec& spec, Stream out) {
  if (!units.empty() && units.back().last) throw std::invalid_argument("a unit behind the last one");
  check(out);
  Unit unit;
  unit.source = spec.source;
  unit.behind = int(streams.size());
  unit.inputs = spec.group_inputs * spec.groups;
  unit.outputs = spec.outputs;
  unit.groups = spec.groups;
  unit.kernel_y = spec.kernel_y;
  unit.kernel_x = spec.kernel_x;
  unit.stride_y = spec.stride_y;
  unit.stride_x = spec.stride_x;
  unit.dilation_y = spec.dilation_y;
  unit.dilation_x = spec.dilation_x;
  unit.levels = spec.levels;
  unit.last = spec.thresholds == nullptr;
  read({spec.source}, int(nodes.size()));

  const Stream& in = streams[spec.source];
  if (in.channels != unit.inputs) throw std::invalid_argument("input channels do not fit");
  unit.in = in;
  unit.out = out;
  unit.pad_y = spec.top, unit.pad_x = spec.left;
  unit.origin_y = in.top - spec.top, unit.origin_x = in.left - spec.left;
  unit.padded_input = spec.top + spec.left + spec.bottom + spec.right > 0;
  unit.height = out.height, unit.width = out.width;
  const Rect seen = unit.windows().covered(unit.whole());
  if (seen.y0 < 0 || seen.x0 < 0 || seen.y1 > in.frame_height() || seen.x1 > in.frame_width()) {
    throw std::invalid_argument("windows beyond the frame");
  }

  unit.wide = needs_32_bits(unit, spec, in.wide() ? in.largest : in.planes);
  const int64_t columns = int64_t(unit.taps()) * spec.group_inputs * unit.column_stride();
  if (std::max(columns, int64_t(in.frame_width()) * spec.group_inputs * unit.column_stride()) > INT32_MAX / 2) {
    throw std::invalid_argument("more than 2^30 weights");  // offsets of columns have 32 bits, see ChangedColumns
  }
  if (unit.groups > 1) set_group_weights(unit, spec);
  else set_columns(unit, spec);
  if (unit.reads_planes()) split(unit, spec), set_byte_weights(unit, spec), set_rows(unit);
  unit.zeros = unit.weight_base == 0;
  if (takes_bit_columns(unit)) set_bit_columns(unit);
  unit.offset.assign(spec.offset, spec.offset + spec.outputs);
  unit.in_levels = spec.in_levels;
  unit.out_levels = spec.out_levels;
  if (!unit.last) {
    set_thresholds(unit, spec);
    const size_t count = size_t(spec.outputs) * (spec.levels - 1);
    unit.integer_thresholds.assign(spec.integer_thresholds, spec.integer_thresholds + count);
  }
  set_packed(unit);
  unit.form = level_form(unit, spec.weights);
  Node node;
  node.inputs = {spec.source};
  node.out = unit.behind;
  node.unit = int(units.size());
  node_of.push_back(int(nodes.size()));
  nodes.push_back(std::move(node));
  units.push_back(std::move(unit));
  streams.push_back(std::move(out));
}

}  // namespace fat
