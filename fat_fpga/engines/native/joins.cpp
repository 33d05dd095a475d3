#include "joins.hpp"

#include <algorithm>
#include <cstdlib>

#include "simd.hpp"

namespace fat {

Joins::Joins(Image& image, Packed& packed)
    : Part(image), packed_(packed), of_unit_(model_.units.size()), of_node_(model_.nodes.size(), -1) {
  for (size_t n = 0; n < model_.nodes.size(); ++n) {
    if (model_.nodes[n].kind == Kind::add) find(int(n));
  }
}

// The block of an addition, if it is one.
void Joins::find(int add) {
  const Node& node = model_.nodes[add];
  const Stream& sums = model_.streams[node.out];
  if (sums.readers.size() != 1 || node.inputs[0] == node.inputs[1]) return;
  const Node& behind = model_.nodes[sums.readers[0]];
  const Stream& out = model_.streams[behind.out];
  if (behind.kind != Kind::thresholding || out.wide() || out.channels > kBlock) return;
  Join join;
  join.add = add, join.thresholding = sums.readers[0];
  join.channels = out.channels, join.height = out.height, join.width = out.width;
  join.lanes = lanes_of(out.channels);
  int base = 0, most = 0;
  bool any = false;
  for (int k = 0; k < 2; ++k) {
    const Stream& in = model_.streams[node.inputs[k]];
    if (in.wide()) return;
    Input& input = join.inputs[k];
    input.stream = node.inputs[k], input.by = node.factors[k] * in.levels.step;
    base += node.factors[k] * in.levels.base, most += std::abs(input.by) * in.planes;
    if (in.readers.size() != 1 || input.stream == kImage) continue;
    const int u = model_.nodes[input.stream - 1].unit;  // node n makes stream n + 1
    if (u < 0 || model_.units[u].lanes != join.lanes) continue;
    input.unit = u, any = true;
  }
  if (!any || most > INT8_MAX) return;
  join.thresholds.resize(size_t(behind.steps) * kBlock, INT8_MAX);
  for (int t = 0; t < behind.steps; ++t) {
    for (int lane = 0; lane < kBlock; ++lane) {
      const int channel = lane % join.lanes;
      if (channel >= join.channels) continue;
      const int64_t above = int64_t(behind.by_step[size_t(t) * join.channels + channel]) - base - 1;
      join.thresholds[size_t(t) * kBlock + lane] = int8_t(std::clamp<int64_t>(above, INT8_MIN, INT8_MAX));
    }
  }
  const int number = int(joins_.size());
  of_node_[add] = of_node_[join.thresholding] = number;
  for (int k = 0; k < 2; ++k) {
    Input& input = join.inputs[k];
    if (input.unit >= 0) of_unit_[input.unit] = {number, k};
    input.golden.resize(size_t(join.height) * join.pitch());
    input.faulty.resize(input.golden.size());
  }
  joins_.push_back(std::move(join));
}

void Joins::forget() {
  for (Join& join : joins_) join.inputs[0].valid = join.inputs[1].valid = false;
}

void Joins::begin(bool allowed) {
  taken_ = allowed && !joins_.empty();
  if (!taken_) return;
  for (Join& join : joins_) join.taken = true, join.inputs[0].changed = join.inputs[1].changed = {};
}

void Joins::leave(int stream) {
  if (!taken_) return;
  for (Join& join : joins_) {
    if (stream == model_.nodes[join.add].out) join.taken = false;
    for (const Input& input : join.inputs) {
      if (input.unit >= 0 && input.stream == stream) join.taken = false;
    }
  }
}

int Joins::unit(int u) {
  const Unit& unit = model_.units[u];
  Join& join = joins_[of_unit_[u].join];
  Input& input = join.inputs[of_unit_[u].input];
  const Rect area = packed_.take_up(u, states_[unit.source].changed);
  if (area.empty()) return -1;
  packed_.levels(u, area, input.by, input.faulty.data());
  input.changed = area;
  return join.thresholding;
}

bool Joins::pending(int n) const {
  const auto reached = [](const Input& input) { return input.unit >= 0 && !input.changed.empty(); };
  return taken_ && std::any_of(joins_.begin(), joins_.end(), [&](const Join& join) {
           return join.taken && join.thresholding >= n && (reached(join.inputs[0]) || reached(join.inputs[1]));
         });
}

bool Joins::node(int n, int& reader) {
  if (!taken_ || of_node_[n] < 0) return false;
  Join& join = joins_[of_node_[n]];
  if (!join.taken) return false;
  if (n == join.thresholding) {
    thresholds(join);
    return true;
  }
  for (const Input& input : join.inputs) {
    const Rect& changed = input.unit >= 0 ? input.changed : states_[input.stream].changed;
    if (!changed.empty()) reader = std::max(reader, join.thresholding);
  }
  return true;
}

// Levels of a vector of pixels, of a stream in planes.
void Joins::spread(const Join& join, const Input& input, const uint64_t* planes, int y, int x, int8_t* to) const {
  const Stream& in = model_.streams[input.stream];
  const uint64_t* pixel = planes + in.offset(y, x);
  const int pixels = std::min(join.pixels(), join.width - x);
  auto levels = Bytes64::zero();
  for (int t = 0; t < in.planes; ++t) {
    uint64_t set = 0;
    for (int i = 0; i < pixels; ++i) set |= pixel[size_t(i) * in.planes + t] << (i * join.lanes);
    levels.add_where(set, int8_t(input.by));
  }
  levels.store(to);
}

const int8_t* Joins::golden(const Join& join, Input& input) {
  if (input.valid) return input.golden.data();
  int8_t* to = input.golden.data();
  for (int y = 0; y < join.height; ++y) {
    for (int x = 0; x < join.width; x += join.pixels(), to += kBlock)
      spread(join, input, states_[input.stream].golden.data(), y, x, to);
  }
  input.valid = true;
  return input.golden.data();
}

void Joins::thresholds(Join& join) {
  Rect area;
  for (const Input& input : join.inputs) area.include(input.unit >= 0 ? input.changed : states_[input.stream].changed);
  if (area.empty()) return;
  const Stream& out = model_.streams[model_.nodes[join.thresholding].out];
  Image::State& state = states_[model_.nodes[join.thresholding].out];
  const int pixels = join.pixels(), steps = out.planes;
  area.x0 = area.x0 / pixels * pixels, area.x1 = std::min((area.x1 + pixels - 1) / pixels * pixels, join.width);
  image_.settle(model_.nodes[join.thresholding].out, area);
  const int8_t* golden[2] = {this->golden(join, join.inputs[0]), this->golden(join, join.inputs[1])};
  const uint64_t low = join.lanes == 64 ? ~uint64_t(0) : (uint64_t(1) << join.lanes) - 1;
  Rect differs;
  alignas(64) int8_t levels[2][kBlock];
  for (int y = area.y0; y < area.y1; ++y) {
    for (int x = area.x0; x < area.x1; x += pixels) {
      const size_t at = size_t(y) * join.pitch() + size_t(x) * join.lanes;
      auto sums = Bytes64::zero();
      for (int k = 0; k < 2; ++k) {
        const Input& input = join.inputs[k];
        const int8_t* from = golden[k] + at;
        if (input.unit >= 0) {
          if (input.changed.has(y, x)) from = input.faulty.data() + at;
        } else if (!states_[input.stream].changed.empty()) {
          spread(join, input, states_[input.stream].faulty.data(), y, x, levels[k]);
          from = levels[k];
        }
        sums.add(from);
      }
      const int there = std::min(pixels, join.width - x);
      const size_t offset = out.offset(y, x);
      uint64_t *to = state.faulty.data() + offset, any = 0;
      const uint64_t* before = state.golden.data() + offset;
      for (int t = 0; t < steps; ++t) {
        uint64_t met = sums.above(join.thresholds.data() + size_t(t) * kBlock);
        for (int i = 0; i < there; ++i, met = join.lanes == 64 ? 0 : met >> join.lanes) {
          to[i * steps + t] = met & low;
          any |= to[i * steps + t] ^ before[i * steps + t];
        }
      }
      if (any != 0) differs.include({y, y + 1, x, x + there});
    }
  }
  state.changed = differs;
}

}  // namespace fat
