#include "simulator.hpp"

#include <algorithm>

namespace fat {

Simulator::Simulator(const Model& model) : model_(model), states_(model.units.size()) {
  size_t padded = 0, window = 0, frame = 0, entries = 0, rows = 0;
  for (size_t u = 0; u < model.units.size(); ++u) {
    const Unit& unit = model.units[u];
    State& state = states_[u];
    const size_t accumulators = size_t(unit.pixels()) * unit.padded();
    if (unit.wide) state.acc32.resize(accumulators); else state.acc16.resize(accumulators);
    padded = std::max(padded, size_t(unit.padded()));
    if (u > 0) window = std::max(window, size_t(unit.taps()) * unit.in.pixel_words());
    if (unit.last) continue;
    const Stream& out = unit.out;
    state.golden.resize(out.frame_words());
    for (int y = -out.top; y < out.height + out.bottom; ++y) {  // padded places keep these values for good
      for (int x = -out.left; x < out.width + out.right; ++x) {
        uint64_t* pixel = state.golden.data() + out.offset(y, x);
        for (int c = 0; c < out.channels; ++c) {
          for (int t = 0; t < out.pad_index; ++t) pixel[t * out.words() + c / 64] |= uint64_t(1) << (c % 64);
        }
      }
    }
    state.faulty = state.golden;
    if (!unit.pools.empty()) state.scratch.resize(2 * size_t(unit.pixels()) * out.pixel_words());
    frame = std::max(frame, size_t(out.frame_height()) * out.frame_width());
    entries = std::max(entries, size_t(out.height) * out.width * out.planes * out.channels);
    row_bytes_ = std::max(row_bytes_, size_t(out.frame_width()) / 8 + 9);
    rows = std::max(rows, size_t(out.planes) * out.frame_height());
  }
  rows_.resize(rows * row_bytes_);  // with the width of the widest frame
  const Stream& in = model.units[0].in;
  pixels_.assign(size_t(in.frame_height()) * in.frame_width() * in.channels, 0);
  sums_.resize(padded);
  window_.resize(window);
  changes_.start.resize(frame + 1);
  changes_.entries.resize(entries + 4);  // find_changes writes four at a time
}

int Simulator::golden(const uint8_t* image) {
  first_unit(image);
  for (size_t u = 1; u < model_.units.size(); ++u) {
    dense_unit(int(u), states_[u - 1].golden.data(), true, states_[u].golden.data());
  }
  golden_class_ = classify(model_.units.back());
  table_unit_ = -1;
  return golden_class_;
}

int Simulator::stuck_channel(int u, int channel, int level) {
  if (!channel_changes(u, channel, level)) return golden_class_;
  const Unit& next = model_.units[u + 1];
  if (!fits_tables(next)) {
    spread_channel(u, channel, level);
    return propagate(u + 1);
  }
  build_tables(u + 1, channel);
  one_column(u + 1, level);
  return propagate(u + 2);
}

// From changed activations in front of unit u to the predicted class.
int Simulator::propagate(int u) {
  for (;; ++u) {
    const Unit& unit = model_.units[u];
    find_changes(u);
    if (changes_.count == 0) return golden_class_;
    if (choose_sparse(unit)) {
      sparse_unit(u);
    } else {
      dense_unit(u, states_[u - 1].faulty.data(), false, states_[u].faulty.data());
    }
    if (unit.last) return classify(unit);
  }
}

// The first maximum of the scores, from the accumulators in sums_.
int Simulator::classify(const Unit& unit) const {
  int best = 0;
  int64_t best_score = INT64_MIN;
  for (int m = 0; m < unit.outputs; ++m) {
    const int64_t score = int64_t(unit.score_step) * sums_[m] + unit.score_offset[m];
    if (score > best_score) best_score = score, best = m;
  }
  return best;
}

Simulator::Target Simulator::target(int u, uint64_t* out) {
  const Unit& unit = model_.units[u];
  if (unit.last) return {nullptr, 0};
  if (unit.pools.empty()) {
    return {out + unit.out.offset(0, 0), size_t(unit.out.frame_width()) * unit.out.pixel_words()};
  }
  return {states_[u].scratch.data(), size_t(unit.width) * unit.out.pixel_words()};
}

// Takes the planes in the scratch through the pools into `out`; nothing to do without pools.
void Simulator::pool(int u, uint64_t* out) {
  const Unit& unit = model_.units[u];
  const int words = unit.out.pixel_words();
  uint64_t* from = states_[u].scratch.data();
  uint64_t* spare = from + size_t(unit.pixels()) * words;
  int height = unit.height, width = unit.width;
  for (size_t i = 0; i < unit.pools.size(); ++i) {
    const Pool& pool = unit.pools[i];
    const int rows = (height - pool.kernel_y) / pool.stride_y + 1;
    const int columns = (width - pool.kernel_x) / pool.stride_x + 1;
    const bool final = i + 1 == unit.pools.size();
    uint64_t* to = final ? out + unit.out.offset(0, 0) : spare;
    const size_t pitch = size_t(final ? unit.out.frame_width() : columns) * words;
    for (int y = 0; y < rows; ++y) {
      for (int x = 0; x < columns; ++x) {
        uint64_t* pixel = to + y * pitch + size_t(x) * words;
        for (int w = 0; w < words; ++w) {
          uint64_t any = 0;
          for (int ky = 0; ky < pool.kernel_y; ++ky) {
            for (int kx = 0; kx < pool.kernel_x; ++kx) {
              any |= from[(size_t(y * pool.stride_y + ky) * width + x * pool.stride_x + kx) * words + w];
            }
          }
          pixel[w] = any;
        }
      }
    }
    std::swap(from, spare);
    height = rows, width = columns;
  }
}

}  // namespace fat
