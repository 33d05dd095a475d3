#include "plain.hpp"

#include <algorithm>

namespace fat {
namespace {

// Changes of a stream [pixel][channel].
void change_stream(std::vector<int32_t>& stream, const Stream& form, const Fault& fault, int number, int64_t frame) {
  for (const StreamChange& change : fault.streams) {
    if (change.stream != number || (change.flips() && change.frame != frame)) continue;
    for (int y = change.area.y0; y < change.area.y1; ++y) {
      for (int x = change.area.x0; x < change.area.x1; ++x) {
        int32_t* pixel = stream.data() + (size_t(y) * form.width + x) * form.channels;
        for (int c = change.channel; c < change.channel_end; c += change.channel_step) {
          pixel[c] = change.flips() ? int32_t(change.bits.apply(pixel[c])) : change.value;
        }
      }
    }
  }
}

}  // namespace

int Plain::run(const Fault& fault, int64_t frame) {
  fault_free_.assign(model_.streams.size(), {});
  const int start = fault.first_node();
  const auto at = [&](int stream) {
    return std::any_of(fault.streams.begin(), fault.streams.end(),
                       [stream](const auto& change) { return change.stream == stream; });
  };
  if (at(kImage)) {
    std::vector<int32_t> image = read(kImage);
    change_stream(image, model_.streams[kImage], fault, kImage, frame);
    states_[kImage].plain = std::move(image);
  }
  for (int n = start; n < int(model_.nodes.size()); ++n) {
    std::vector<int32_t> made = compute(n, fault);
    if (made.empty()) break;  // the last one
    const int out = model_.nodes[n].out;
    change_stream(made, model_.streams[out], fault, out, frame);
    states_[out].plain = std::move(made);
  }
  return image_.classify_raw();
}

// A stream as the run left it, or without a fault.
const Plain::Integers& Plain::read(int stream) {
  if (!states_[stream].plain.empty()) return states_[stream].plain;
  if (fault_free_[stream].empty()) fault_free_[stream] = image_.integers_of(stream);
  return fault_free_[stream];
}

// The stream of a node; nothing for the last unit, whose sums are in the image.
Plain::Integers Plain::compute(int n, const Fault& fault) {
  if (model_.nodes[n].kind == Kind::unit) return unit(n, fault);
  Node changed = model_.nodes[n];
  for (const auto& change : fault.thresholds) {
    if (change.node == n) changed.thresholds[size_t(change.channel) * changed.steps + change.index] = change.value;
  }
  std::vector<const Integers*> inputs;
  for (int stream : changed.inputs) inputs.push_back(&read(stream));
  const auto get = [&](int k, int y, int x, int c) {
    const Stream& in = model_.streams[changed.inputs[k]];
    return (*inputs[k])[(size_t(y) * in.width + x) * in.channels + c];
  };
  const Stream& out = model_.streams[changed.out];
  Integers made;
  made.reserve(size_t(out.height) * out.width * out.channels);
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      for (int c = 0; c < out.channels; ++c) made.push_back(changed.at(y, x, c, get));
    }
  }
  return made;
}

// A place that the unit reads, null in the padding.
const int32_t* Plain::place(const Unit& unit, const Integers& in, int y, int x) const {
  y -= unit.pad_y, x -= unit.pad_x;
  if (y < 0 || y >= unit.in.height || x < 0 || x >= unit.in.width) return nullptr;
  return in.data() + (size_t(y) * unit.in.width + x) * unit.in.channels;
}

// Sums of a window without changes of the weights.
void Plain::products(const Unit& unit, const Integers& in, int top, int left) {
  products_.assign(unit.padded(), 0);
  for (int tap = 0; tap < unit.taps(); ++tap) {
    const int y = top + tap / unit.kernel_x * unit.dilation_y, x = left + tap % unit.kernel_x * unit.dilation_x;
    const int32_t* from = place(unit, in, y, x);
    for (int c = 0; from != nullptr && c < unit.group_inputs(); ++c) {
      const size_t row = size_t(tap) * unit.group_inputs() + c;
      if (unit.groups > 1) {
        const int8_t* weights = unit.group_weights.data() + row * unit.padded();
        for (int m = 0; m < unit.outputs; ++m) {
          products_[m] += from[m / unit.group_outputs() * unit.group_inputs() + c] * weights[m];
        }
      } else {
        const int8_t* column = unit.columns.data() + row * unit.column_stride();
        for (int m = 0; m < unit.padded(); ++m) products_[m] += from[c] * column[m];
      }
    }
  }
}

Plain::Integers Plain::unit(int n, const Fault& fault) {
  const Unit& unit = model_.units[model_.nodes[n].unit];
  const Integers& in = read(unit.source);
  const int planes = unit.last ? 0 : unit.planes_out();
  std::vector<int32_t> thresholds = unit.integer_thresholds;
  for (const auto& change : fault.thresholds) {
    if (change.node == n) thresholds[size_t(change.channel) * planes + change.index] = change.value;
  }
  Integers out(unit.last ? 0 : size_t(unit.pixels()) * unit.outputs);
  std::vector<int64_t> sums(unit.outputs);
  for (int pixel = 0; pixel < unit.pixels(); ++pixel) {
    const int top = pixel / unit.width * unit.stride_y, left = pixel % unit.width * unit.stride_x;
    products(unit, in, top, left);
    std::copy_n(products_.begin(), unit.outputs, sums.begin());
    for (const auto& change : fault.weights) {
      const int32_t* from = change.node == n ? place(unit, in, top + change.tap_y, left + change.tap_x) : nullptr;
      if (from != nullptr) sums[change.channel] += int64_t(change.delta) * from[change.input];
    }
    for (const auto& change : fault.accumulators) {
      if (change.node == n) sums[change.channel] = change.bits.apply(sums[change.channel]);
    }
    if (unit.last) {
      image_.raw = sums;
      return {};
    }
    for (int m = 0; m < unit.outputs; ++m) {
      int level = 0;
      for (int t = 0; t < planes; ++t) level += sums[m] >= thresholds[size_t(m) * planes + t];
      out[size_t(pixel) * unit.outputs + m] = unit.out_levels.base + unit.out_levels.step * level;
    }
  }
  return out;
}

}  // namespace fat
