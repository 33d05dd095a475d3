// A unit behind any set of changed activations: add the weight columns of what changed to the fault-free
// accumulators, pixel by pixel.
#include "changed_columns.hpp"

#include <algorithm>

#include "simd.hpp"

namespace fat {

namespace {

constexpr int kFill = 7;          // void columns at the end of a list, so that it can be read eight at a time
constexpr size_t kFurther = 128;  // places that list_changes and append read and write behind the end of a list

// Costs in units of adding 64 weights, as kDenseCost is: they steer the choice between two ways of the same result.
// `python -m benchmarks.update` measures both ways and the choice, and is to be run when one of these is changed.
constexpr double kListing = 1.0;        // of listing one column
constexpr double kBitColumn = 1.5;      // of adding one column of bits, as many blocks as a register holds
constexpr double kBitMargin = 7.0;      // of deciding one block of a pixel in bit-planes
constexpr double kBitMarginZeros = 10;  // the same with weights of 0
constexpr double kWindow = 60;          // of a window with changes, where each has a list of its own
constexpr double kSpreading = 2.0;      // of reading 64 channels of a plane into bytes

}  // namespace

ChangedColumns::ChangedColumns(Image& image) : Part(image), sliding_(image), sliced_(model_.units.size()) {
  size_t frame = 0, entries = 0, columns = 0, usual = 0, width = 0;
  for (const Unit& unit : model_.units) {
    width = std::max(width, size_t(unit.width));
    if (!unit.reads_planes()) continue;
    const Stream& in = unit.in;
    const size_t row = size_t(unit.kernel_x) * in.planes * unit.inputs;  // of taps
    columns = std::max(columns, unit.width * (unit.kernel_y * row + kFill));
    usual = std::max(usual, 2 * row);
    frame = std::max(frame, size_t(in.frame_height()) * in.frame_width());
    entries = std::max(entries, size_t(in.height) * in.width * in.planes * in.channels);
  }
  counts_.resize(width + 1);
  sizes_.resize(counts_.size());
  changes_.start.resize(frame + 1);
  changes_.entries.resize(entries + usual + kFurther);
  changes_.entries16.resize(entries + usual + kFurther);
  columns_.resize(columns + usual + kFurther);
  columns16_.resize(2 * (columns + 16 * counts_.size() + usual + kFurther));
  for (size_t u = 0; u < model_.units.size(); ++u) few_.push_back(model_.units[u].reads_planes() ? few(int(u)) : 0);
}

void ChangedColumns::forget() {
  for (Sliced& kept : sliced_) kept.valid = false;
  sliding_.forget();
}

// What it costs to bring an area of outputs up to date behind so many changes, by each way.
ChangedColumns::Costs ChangedColumns::costs(int u, int changes, bool slid, const Rect& outputs) const {
  const Unit& unit = model_.units[u];
  const Rect seen = unit.windows().covered(outputs);
  const double places = seen.pixels(), pixels = outputs.pixels();
  const double uses = double(changes) * unit.taps() * pixels / places;
  const double sparse = slid ? sliding_.cost(u, changes, outputs)
                        : unit.bit_columns.empty()
                            ? uses * (unit.blocks() + kListing)
                            : uses * kBitColumn * ((unit.listed(unit.padded()) + kBitBlocks - 1) / kBitBlocks) +
                                  pixels * unit.blocks() * (unit.zeros ? kBitMarginZeros : kBitMargin);
  const double popcounts = kDenseCost * pixels * unit.dense_steps();
  const double bytes = kByteCost * pixels * unit.product_steps() + kSpreading * places * unit.in.pixel_words();
  return {sparse, popcounts, bytes};
}

Update ChangedColumns::cheapest(int u, int changes, bool slid, const Rect& outputs) const {
  const auto [sparse, popcount, bytes] = costs(u, changes, slid, outputs);
  if (sparse < std::min(popcount, bytes)) return Update::sparse;
  return bytes < popcount ? Update::bytes : Update::popcount;
}

double ChangedColumns::cost(int u, int changes, const Rect& outputs) const {
  const auto [sparse, popcount, bytes] = costs(u, changes, false, outputs);
  const double pixels = outputs.pixels(), windows = std::min(pixels, double(changes) * model_.units[u].taps());
  return windows / pixels * std::min({sparse, popcount, bytes}) + kWindow * windows;
}

Update ChangedColumns::cheapest(int u, const Rect& outputs) const {
  if (model_.update != Update::automatic) return model_.update;
  if (changes_.count <= few_[u] && outputs.pixels() == model_.units[u].pixels()) return Update::sparse;
  return cheapest(u, changes_.count, changes_.slid, outputs);
}

// The most changes of which it is known beforehand that they cost the least as columns, for a whole unit.
int ChangedColumns::few(int u) const {
  const Rect whole = model_.units[u].whole();
  const bool slid = sliding_.fit(u);
  const auto sparse = [&](int changes) {
    return cheapest(u, changes, slid, whole) == Update::sparse && cheapest(u, changes, false, whole) == Update::sparse;
  };
  int most = 0;
  for (int step = 1 << 20; step > 0; step /= 2) most += sparse(most + step) ? step : 0;
  return most;
}

void ChangedColumns::unit(int u, const Rect& area, Target to) {
  const Unit& unit = model_.units[u];
  if (changes_.slid && sliding_.unit(u, area, to)) return;
  if (!changes_.listed) list(u, area);
  if (unit.wide) pixels<int32_t>(u, area, to);
  else pixels<int16_t>(u, area, to);
}

// An area of unit u into its planes, or, for the last unit, into image_.sums.
template <class Acc>
void ChangedColumns::pixels(int u, const Rect& area, Target to) {
  const Unit& unit = model_.units[u];
  const Target golden = image_.golden_front(u);
  const int words = unit.last ? 0 : unit.words_out();
  if (unit.single()) {
    if (!unit.bit_columns.empty()) return bit_single(u, golden.first, to.first);
    std::fill_n(changes_.entries.data() + changes_.count, kFill, unit.listed_void());
    return pixel<Acc>(u, 0, changes_.entries.data(), changes_.count, golden.first, to.first);
  }
  const Rect seen = unit.windows().covered(area);
  const int places = (seen.y1 - seen.y0) * (seen.x1 - seen.x0);
  usual_ = int(1.3 * changes_.count / places * unit.kernel_x) / 16 + 1;
  for (int y = area.y0; y < area.y1; ++y) {
    if (!unit.bit_columns.empty()) {
      bit_row(u, y, area, golden, to);
      continue;
    }
    // A row at a time, so that what is listed has left the processor's store queue when it is read again.
    int32_t* end = columns_.data();
    for (int x = area.x0; x < area.x1; ++x) {
      int32_t* list = end;
      end = list_columns(unit, y, x, changes_.entries.data(), list);
      counts_[x] = int(end - list);
      for (int i = 0; i < kFill; ++i) *end++ = unit.listed_void();
    }
    const int32_t* list = columns_.data();
    for (int x = area.x0; x < area.x1; list += counts_[x++] + kFill) {
      const size_t at = size_t(x) * words;
      pixel<Acc>(u, y * unit.width + x, list, counts_[x], golden.first + y * golden.pitch + at,
                 to.first + y * to.pitch + at);
    }
  }
}

// One output pixel, all its blocks.
template <class Acc>
void ChangedColumns::pixel(int u, int pixel, const int32_t* list, int count, const uint64_t* golden, uint64_t* planes) {
  const Unit& unit = model_.units[u];
  if (count == 0 && !unit.last) {
    std::copy_n(golden, unit.words_out(), planes);
    return;
  }
  const int blocks = unit.blocks();
  int block = 0;
  while (kMaxGroup >= 8 && blocks - block >= 8) block = this->blocks<Acc, 8>(u, pixel, list, count, block, planes);
  while (kMaxGroup >= 4 && blocks - block >= 4) block = this->blocks<Acc, 4>(u, pixel, list, count, block, planes);
  while (blocks - block >= 2) block = this->blocks<Acc, 2>(u, pixel, list, count, block, planes);
  while (blocks - block >= 1) block = this->blocks<Acc, 1>(u, pixel, list, count, block, planes);
}

// One output pixel, `Group` blocks of 64 channels from `block` on; the block behind them.
template <class Acc, int Group>
int ChangedColumns::blocks(int u, int pixel, const int32_t* list, int count, int block, uint64_t* planes) {
  const Unit& unit = model_.units[u];
  const int padded = unit.padded();
  const Acc* golden = image_.accumulators<Acc>(u, pixel) + block * kBlock;
  const int period = unit.period;
  const int8_t* columns = unit.columns.data() + block * kBlock;
  const bool narrow = Group == 1 && unit.outputs - block * kBlock <= 32;

  Wide64<Acc> sums[Group];
  for (int g = 0; g < Group; ++g) sums[g] = Wide64<Acc>::load(golden + g * kBlock);
  if (period == 0) {  // single columns of large weights
    for (int i = 0; i < count; ++i) {
      for (int g = 0; g < Group; ++g) {
        auto delta = Bytes64::zero();
        delta.add(columns + list[i] + g * kBlock);
        sums[g].add(delta);
      }
    }
  }
  for (int from = 0; period > 0 && from < count; from += period) {
    Bytes64 delta[Group];
    for (auto& d : delta) d = Bytes64::zero();
    const int32_t* stop = list + std::min(count, from + period);
    for (const int32_t* column = list + from; column < stop; column += 4) {
      for (int i = 0; i < 4; ++i) {
        for (int g = 0; g < Group; ++g) delta[g].add(columns + column[i] + g * kBlock);
      }
    }
    for (int g = 0; g < Group; ++g) sums[g].add(delta[g]);
  }
  for (int g = 0; g < Group; ++g) {
    if (unit.last) {
      Acc out[kBlock];
      sums[g].store(out);
      std::copy_n(out, kBlock, image_.sums.data() + (block + g) * kBlock);
      continue;
    }
    for (int t = 0; t < unit.planes_out(); ++t) {
      const Acc* threshold = thresholds<Acc>(unit) + size_t(t) * padded + (block + g) * kBlock;
      planes[t * unit.blocks() + block + g] = narrow ? sums[g].at_least_low(threshold) : sums[g].at_least(threshold);
    }
  }
  return block + Group;
}

}  // namespace fat
