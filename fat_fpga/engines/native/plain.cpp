// Any fault, the plain way: whole units in the network's own integers, from the first changed place on. For what the
// planes cannot hold (a flipped bit can give a value that is no level) and for changed arithmetic behind other faults.
#include "plain.hpp"

#include <algorithm>

namespace fat {
namespace {

// Changes of a stream [pixel][channel] at one stage of a unit.
void change_stream(std::vector<int32_t>& stream, int channels, int width, const Fault& fault, int u, int stage,
                   int64_t frame) {
  for (const StreamChange& change : fault.streams) {
    if (change.unit != u || change.stage != stage || (change.flips() && change.frame != frame)) continue;
    for (int y = change.area.y0; y < change.area.y1; ++y) {
      for (int x = change.area.x0; x < change.area.x1; ++x) {
        int32_t* pixel = stream.data() + (size_t(y) * width + x) * channels;
        for (int c = change.channel; c < change.channel_end; c += change.channel_step) {
          pixel[c] = change.flips() ? int32_t(change.bits.apply(pixel[c])) : change.value;
        }
      }
    }
  }
}

std::vector<int32_t> maxima(const std::vector<int32_t>& in, int width, int channels, const Windows& pool) {
  std::vector<int32_t> out(size_t(pool.height) * pool.width * channels, INT32_MIN);
  for (int y = 0; y < pool.height; ++y) {
    for (int x = 0; x < pool.width; ++x) {
      int32_t* most = out.data() + (size_t(y) * pool.width + x) * channels;
      for (int ky = 0; ky < pool.kernel_y; ++ky) {
        for (int kx = 0; kx < pool.kernel_x; ++kx) {
          const size_t at = size_t(y * pool.stride_y + ky) * width + x * pool.stride_x + kx;
          for (int c = 0; c < channels; ++c) most[c] = std::max(most[c], in[at * channels + c]);
        }
      }
    }
  }
  return out;
}

}  // namespace

int Plain::run(const Fault& fault, int64_t frame) {
  const int start = std::max(0, fault.first_unit());
  std::vector<int32_t> stream = image_.integers_of(start - 1);
  const Stream& image = model_.units[0].in;
  if (start == 0) change_stream(stream, image.channels, image.width, fault, kInput, 0, frame);
  for (int u = start; u < int(model_.units.size()); ++u) {
    stream = unit(u, stream, fault, frame);
    image_.shown[u] = Shown::plain;
    if (model_.units[u].last) break;
    states_[u].integers = stream;
  }
  return image_.best_score();
}

// Output of a unit and its pools [pixel][channel] from its input [pixel][channel]; in the last unit the scores.
std::vector<int32_t> Plain::unit(int u, const std::vector<int32_t>& in, const Fault& fault, int64_t frame) {
  const Unit& unit = model_.units[u];
  const Stream& source = unit.in;
  const int planes = unit.last ? 0 : unit.out.planes;
  std::vector<int32_t> thresholds = unit.integer_thresholds;
  for (const auto& change : fault.thresholds) {
    if (change.unit == u) thresholds[size_t(change.channel) * planes + change.index] = change.value;
  }
  std::vector<int32_t> out(unit.last ? 0 : size_t(unit.pixels()) * unit.outputs);
  std::vector<int32_t> products(unit.padded());
  std::vector<int64_t> sums(unit.outputs);
  const auto input = [&](int y, int x) -> const int32_t* {  // of a place of the frame, null in the padding
    y -= source.top, x -= source.left;
    if (y < 0 || y >= source.height || x < 0 || x >= source.width) return nullptr;
    return in.data() + (size_t(y) * source.width + x) * source.channels;
  };
  for (int pixel = 0; pixel < unit.pixels(); ++pixel) {
    const int top = pixel / unit.width * unit.stride_y, left = pixel % unit.width * unit.stride_x;
    std::fill(products.begin(), products.end(), 0);
    for (int tap = 0; tap < unit.taps(); ++tap) {
      const int32_t* from = input(top + tap / unit.kernel_x, left + tap % unit.kernel_x);
      for (int c = 0; from != nullptr && c < unit.inputs; ++c) {
        const int8_t* column = unit.columns.data() + (size_t(tap) * unit.inputs + c) * unit.column_stride();
        for (int m = 0; m < unit.padded(); ++m) products[m] += from[c] * column[m];
      }
    }
    std::copy_n(products.begin(), unit.outputs, sums.begin());
    for (const auto& change : fault.weights) {
      const int32_t* from = change.unit == u ? input(top + change.tap_y, left + change.tap_x) : nullptr;
      if (from != nullptr) sums[change.channel] += int64_t(change.delta) * from[change.input];
    }
    for (const auto& change : fault.accumulators) {
      if (change.unit == u) sums[change.channel] = change.bits.apply(sums[change.channel]);
    }
    if (unit.last) {
      image_.scores = sums;
      return {};
    }
    for (int m = 0; m < unit.outputs; ++m) {
      int level = 0;
      for (int t = 0; t < planes; ++t) level += sums[m] >= thresholds[size_t(m) * planes + t];
      out[size_t(pixel) * unit.outputs + m] = unit.out_levels.base + unit.out_levels.step * level;
    }
  }
  int width = unit.width;
  change_stream(out, unit.outputs, width, fault, u, 0, frame);
  for (size_t i = 0; i < unit.pools.size(); ++i) {
    out = maxima(out, width, unit.outputs, unit.pools[i]);
    width = unit.pools[i].width;
    change_stream(out, unit.outputs, width, fault, u, int(i) + 1, frame);
  }
  return out;
}

}  // namespace fat
