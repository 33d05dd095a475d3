#include "model.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

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

// The columns of +1 and -1 as bits, in the same order; the column of zeros has no bit set, and behind it is one of
// ones.
void set_bit_columns(Unit& unit) {
  unit.bit_columns.assign(unit.columns.size() / kBlock, 0);
  for (size_t i = 0; i < unit.columns.size(); ++i) {
    unit.bit_columns[i / kBlock] |= uint64_t(unit.columns[i] > 0) << (i % kBlock);
  }
  unit.bit_columns.insert(unit.bit_columns.end(), unit.blocks(), ~uint64_t(0));
}

// Bounds of the accumulators, whatever the inputs are.
bool needs_32_bits(const Unit& unit, const UnitSpec& spec, int largest_input) {
  const int rows = unit.taps() * unit.inputs;
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

}  // namespace

Model::Model(int channels, int height, int width, const int32_t* table)
    : channels(channels), height(height), width(width), input_table(table, table + size_t(channels) * 256) {
  for (int32_t value : input_table) input_largest = std::max(input_largest, std::abs(value));
}

void Model::add(const UnitSpec& spec) {
  if (!units.empty() && units.back().last) throw std::invalid_argument("a unit behind the last one");
  Unit unit;
  unit.inputs = spec.inputs;
  unit.outputs = spec.outputs;
  unit.kernel_y = spec.kernel_y;
  unit.kernel_x = spec.kernel_x;
  unit.stride_y = spec.stride_y;
  unit.stride_x = spec.stride_x;
  unit.levels = spec.levels;
  unit.last = spec.thresholds == nullptr;

  Stream in;
  if (units.empty()) {
    in.channels = channels, in.height = height, in.width = width;
  } else {
    in = units.back().out;
  }
  if (in.channels != spec.inputs) throw std::invalid_argument("input channels do not fit");
  in.top = spec.top, in.left = spec.left, in.bottom = spec.bottom, in.right = spec.right;
  in.pad_index = spec.pad_index;
  if (!units.empty()) units.back().out = in;
  unit.in = in;
  unit.height = (in.frame_height() - spec.kernel_y) / spec.stride_y + 1;
  unit.width = (in.frame_width() - spec.kernel_x) / spec.stride_x + 1;

  unit.wide = needs_32_bits(unit, spec, units.empty() ? input_largest : in.planes);
  const int64_t columns = int64_t(unit.taps()) * unit.inputs * unit.column_stride();
  if (std::max(columns, int64_t(in.frame_width()) * unit.inputs * unit.column_stride()) > INT32_MAX / 2) {
    throw std::invalid_argument("more than 2^30 weights");  // offsets of columns have 32 bits, see Simulator::Changes
  }
  set_columns(unit, spec);
  if (!units.empty()) split(unit, spec);
  const bool listable = unit.columns.size() / kBlock + unit.blocks() <= UINT16_MAX;  // by offsets of 16 bits
  if (FAT_BIT_COLUMNS && unit.weight_base != 0 && !unit.wide && listable) set_bit_columns(unit);
  unit.offset.assign(spec.offset, spec.offset + spec.outputs);
  unit.in_levels = spec.in_levels;
  unit.out_levels = spec.out_levels;
  if (!unit.last) {
    set_thresholds(unit, spec);
    const size_t count = size_t(spec.outputs) * (spec.levels - 1);
    unit.integer_thresholds.assign(spec.integer_thresholds, spec.integer_thresholds + count);
    unit.out.channels = spec.outputs;
    unit.out.height = unit.height;
    unit.out.width = unit.width;
    for (Windows pool : spec.pools) {
      unit.out.height = pool.height = (unit.out.height - pool.kernel_y) / pool.stride_y + 1;
      unit.out.width = pool.width = (unit.out.width - pool.kernel_x) / pool.stride_x + 1;
      unit.pools.push_back(pool);
    }
    unit.out.planes = spec.levels - 1;
  }
  units.push_back(std::move(unit));
}

}  // namespace fat
