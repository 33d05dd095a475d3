// The nodes that ByteCourse takes.
#include <algorithm>
#include <cstring>

#include "byte_course.hpp"
#include "simd_levels.hpp"

namespace fat {

namespace {

// The first `count` of 64 levels.
inline void store(const Bytes64& levels, uint8_t* to, size_t count) {
  if (count >= size_t(kBlock)) {
    levels.store(reinterpret_cast<int8_t*>(to));
    return;
  }
  alignas(64) int8_t all[kBlock];
  levels.store(all);
  std::memcpy(to, all, count);
}

// In whole vectors, where there are.
inline void copy_bytes(const uint8_t* from, size_t count, uint8_t* to) {
  size_t i = 0;
  for (; i + kBlock <= count; i += kBlock) std::memcpy(to + i, from + i, kBlock);
  if (i < count) std::memcpy(to + i, from + i, count - i);
}

}  // namespace

void ByteCourse::products(const Unit& unit, const Course& course) {
  const bool on = course.flat || course.gathered;
  const int all = on ? (count_ * unit.pixels() + kMostPlaces - 1) / kMostPlaces : count_ * int(course.tiles.size());
  const Tiles set(places(unit, course), unit.form.fours);
  if (!unit.last) made(unit.behind);
  // Weights of 64 outputs at a time stay where they are read fast.
  const int vectors = unit.form.out / kByteOutputs;
  for (int first = 0; first < vectors; first += 4) {
    int from = 0;
    if (vectors == 1) from = rows<4, 1>(unit, course, from, all, first);
    else if (vectors == 2) from = rows<2, 2>(unit, course, from, all, first);
    else if (on || course.framed) from = rows<2, 4>(unit, course, from, all, first);
    if (vectors == 1) rows<1, 1>(unit, course, from, all, first);
    else if (vectors == 2) rows<1, 2>(unit, course, from, all, first);
    else rows<1, 4>(unit, course, from, all, first);
  }
}

void ByteCourse::golden(int n, Target to) {
  begin();
  golden_to_ = to;
  products(model_.units[model_.nodes[n].unit], of_node_[n]);
  golden_to_ = {nullptr, 0};
}

// The sums of a tile for 64 outputs [place][64].
void ByteCourse::store_golden(const Unit& unit, const Course& course, const Tile& tile, const int32_t* sums,
                              int block) {
  const int count = places(unit, course), width = course.framed ? unit.in.frame_width() : unit.width;
  for (int i = 0, at = tile.pixel; i < count; ++i, ++at, sums += kBlock) {
    if (at % width >= unit.width) continue;
    const int pixel = at / width * unit.width + at % width;
    if (unit.wide) store_golden<int32_t>(unit, pixel, sums, block);
    else store_golden<int16_t>(unit, pixel, sums, block);
  }
}

template <class Acc>
void ByteCourse::store_golden(const Unit& unit, int pixel, const int32_t* sums, int block) {
  const int u = model_.nodes[unit.behind - 1].unit;  // node n makes stream n + 1
  Acc* kept = image_.accumulators<Acc>(u, pixel) + block * kBlock;
  for (int i = 0; i < kBlock; ++i) kept[i] = Acc(sums[i]);
  const auto all = Wide64<Acc>::load(kept);
  const int y = pixel / unit.width, x = pixel % unit.width;
  uint64_t* planes = golden_to_.first + y * golden_to_.pitch + size_t(x) * unit.words_out() + block;
  for (int t = 0; t < unit.planes_out(); ++t)
    planes[t * unit.blocks()] = all.at_least(thresholds<Acc>(unit) + size_t(t) * unit.padded() + block * kBlock);
}

// In a tile.
int ByteCourse::places(const Unit& unit, const Course& course) const {
  return course.flat || course.gathered ? std::min(count_ * unit.pixels(), kMostPlaces) : course.places;
}

// Tile number i of all faults.
ByteCourse::Tile ByteCourse::tile(const Unit& unit, const Course& course, int number) const {
  if (course.flat || course.gathered) {
    const int total = count_ * unit.pixels();
    const int first = std::max(0, std::min(number * kMostPlaces, total - kMostPlaces));
    return {size_t(first) * unit.form.in, first % unit.pixels(), first / unit.pixels()};
  }
  const int of_one = int(course.tiles.size()), fault = number / of_one;
  Tile tile = course.tiles[number % of_one];
  tile.window += fault * size(unit.source), tile.fault = fault;
  return tile;
}

// Brings the windows of a tile side by side.
const uint8_t* ByteCourse::gather(const Unit& unit, const Course& course, const Tile& tile, int number) {
  const size_t bytes = unit.form.row_bytes(), row = pitch(unit.source), next = size(unit.source);
  uint8_t* to = gathered_.data() + size_t(number) * kMostPlaces * unit.kernel_y * bytes;
  const uint8_t *first = to, *from = levels(unit.source, tile.fault);
  const int count = places(unit, course), pixels = unit.pixels();
  for (int i = 0, pixel = tile.pixel; i < count; ++i, ++pixel) {
    if (pixel == pixels) pixel = 0, from += next;
    const uint8_t* window = from + course.windows[pixel];
    for (int ky = 0; ky < unit.kernel_y; ++ky, window += row, to += bytes) copy_bytes(window, bytes, to);
  }
  return first;
}

// As many tiles as there are from `from` on, `M` at a time; the number of the next one.
template <int M, int N>
int ByteCourse::rows(const Unit& unit, const Course& course, int from, int end, int first) {
  Tile some[M];
  for (; end - from >= M; from += M) {
    for (int m = 0; m < M; ++m) some[m] = tile(unit, course, from + m);
    tiles<M, N>(unit, course, some, first);
  }
  return from;
}

// `M` tiles of `N` times 16 outputs.
template <int M, int N>
void ByteCourse::tiles(const Unit& unit, const Course& course, const Tile* tile, int first) {
  const LevelForm& form = unit.form;
  const uint8_t* from = levels(unit.source);
  const uint8_t* rows[M];
  for (int m = 0; m < M; ++m) rows[m] = course.gathered ? gather(unit, course, tile[m], m) : from + tile[m].window;
  constexpr int kGroup = N * kByteOutputs,
                kPlaces = kBlock / kGroup;  // outputs, and places whose outputs fill a vector
  const int places = this->places(unit, course);
  const size_t window = size_t(unit.kernel_y) * form.row_bytes(), vector = window * kByteOutputs;
  const size_t step = course.gathered ? window : size_t(unit.stride_x) * form.in;
  const size_t down = course.gathered ? size_t(form.row_bytes()) : pitch(unit.source);
  constexpr int kStep = M == 1 ? N : std::min(N, 4 / M);
  for (int n = 0; n < N; n += kStep)
    tile_products<M, kStep>(rows, places, step, down, unit.kernel_y, form.fours,
                            form.weights.data() + (first + n) * vector, unit.byte_period,
                            sums_.data() + n * kByteOutputs, kGroup);
  if (golden_to_.first != nullptr) {
    for (int m = 0; m < M; ++m)
      store_golden(unit, course, tile[m], sums_.data() + size_t(m) * places * kGroup, first / 4);
    return;
  }
  if (unit.last) {
    for (int m = 0; m < M; ++m) {
      const int32_t* sums = sums_.data() + size_t(m) * places * kGroup;
      for (int i = 0; i < (course.flat ? places : 1); ++i)
        std::copy_n(sums + i * kGroup, kGroup,
                    scores_.data() + size_t(tile[m].fault + i) * unit.padded() + first * kByteOutputs);
    }
    return;
  }
  uint8_t* out = bytes_[unit.behind].faulty.data() + first * kByteOutputs;
  const int pixels = unit.pixels(), group = first / 4;
  const size_t next = size(unit.behind), *outputs = course.outputs.data();
  for (int m = 0; m < M; ++m) {
    const int32_t* sums = sums_.data() + size_t(m) * places * kGroup;
    uint8_t* of = out + tile[m].fault * next;
    int pixel = tile[m].pixel;
    if (course.framed) {  // those that are outputs: some side by side in each row
      for (int i = 0, end = 0; i < places; i = end) {
        for (end = i; end < places && (outputs[pixel + end] == kNowhere) == (outputs[pixel + i] == kNowhere);) ++end;
        if (outputs[pixel + i] == kNowhere) continue;
        each_levels(sums + i * kGroup, end - i, form.steps, group, [&](int k, const Bytes64& levels) {
          levels.store(reinterpret_cast<int8_t*>(of + outputs[pixel + i + k]));
        });
      }
      continue;
    }
    each_levels(sums, (places + kPlaces - 1) / kPlaces, form.steps, group, [&](int i, const Bytes64& levels) {
      if (pixel >= pixels) pixel -= pixels, of += next;
      uint8_t* to = of + outputs[pixel];
      if (kPlaces == 1) levels.store(reinterpret_cast<int8_t*>(to));
      else store(levels, to, size_t(std::min(kPlaces, places - i * kPlaces)) * kGroup);
      pixel += kPlaces;
    });
  }
}

// A unit of as many groups as channels.
void ByteCourse::lanes(const Unit& unit, int k) {
  const LevelForm& form = unit.form;
  const Stream& out = model_.streams[unit.behind];
  const size_t row = pitch(unit.source) * unit.dilation_y, column = size_t(form.in) * unit.dilation_x;
  const int together = kBlock / form.group(), to_next = std::max(form.in, kBlock);
  const uint8_t* from = levels(unit.source, k);
  uint8_t* first = made(unit.behind, k);
  for (int y = 0; y < unit.height; ++y) {
    for (int x = 0; x < unit.width; x += together) {
      const size_t place =
          size_t(y * unit.stride_y + unit.origin_y) * unit.in.frame_width() + x * unit.stride_x + unit.origin_x;
      uint8_t* to = first + out.place(y, x) * form.out;
      for (int g = 0; g < form.groups(); ++g) {
        const auto sums = lane_products(from + place * form.in + g * kBlock, row, column, unit.kernel_y, unit.kernel_x,
                                        form.weights.data() + g * kBlock, to_next);
        store(to_levels(sums, form.steps, g), to + g * kBlock,
              size_t(std::min(together, unit.width - x)) * form.group());
      }
    }
  }
}

// Thresholds of the sums of two streams.
void ByteCourse::join(const Node& node, const Course& course, int k) {
  const Node& add = addition(node);
  const Stream& out = model_.streams[node.out];
  const int width = level_bytes(out.channels), groups = std::max(1, width / kBlock), row = out.width * width;
  const auto* first = reinterpret_cast<const int8_t*>(levels(add.inputs[0], k));
  const auto* second = reinterpret_cast<const int8_t*>(levels(add.inputs[1], k));
  uint8_t* made_of = made(node.out, k);
  const bool plain = course.by[0] == 1 && course.by[1] == 1;
  alignas(64) int8_t products[kBlock];
  for (int y = 0; y < out.height; ++y) {
    const int8_t *a = first + at(add.inputs[0], y, 0), *b = second + at(add.inputs[1], y, 0);
    uint8_t* to = made_of + at(node.out, y, 0);
    for (int i = 0, g = 0; i < row; i += kBlock, g = g + 1 == groups ? 0 : g + 1) {
      auto sums = Bytes64::zero();
      if (plain) {
        sums.add(a + i), sums.add(b + i);
      } else {
        for (int c = 0; c < kBlock; ++c) products[c] = int8_t(course.by[0] * a[i + c] + course.by[1] * b[i + c]);
        sums.add(products);
      }
      auto levels = Bytes64::zero();
      const int8_t* threshold = course.thresholds.data() + size_t(g) * node.steps * kBlock;
      for (int t = 0; t < node.steps; ++t, threshold += kBlock) levels.add_where(sums.above(threshold), 1);
      store(levels, to + i, size_t(row - i));
    }
  }
}

void ByteCourse::pool(const Node& node, int k) {
  const int source = node.inputs[0];
  const Stream& out = model_.streams[node.out];
  const Windows& windows = node.windows;
  const int width = level_bytes(out.channels);
  const uint8_t* from = levels(source, k);
  uint8_t* first = made(node.out, k);
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      uint8_t* to = first + at(node.out, y, x);
      std::fill_n(to, width, uint8_t(0));
      for (int ky = 0; ky < windows.kernel_y; ++ky) {
        const uint8_t* place = from + at(source, y * windows.stride_y + ky, x * windows.stride_x);
        for (int kx = 0; kx < windows.kernel_x; ++kx, place += width) {
          for (int i = 0; i < width; ++i) to[i] = std::max(to[i], place[i]);
        }
      }
    }
  }
}

// Sums over windows, into integers.
void ByteCourse::sum(const Node& node) {
  const int source = node.inputs[0];
  const Stream &in = model_.streams[source], &out = model_.streams[node.out];
  const Windows& windows = node.windows;
  const int width = level_bytes(in.channels), taps = windows.kernel_y * windows.kernel_x;
  const uint8_t* from = levels(source);
  image_.settle(node.out, out.whole());
  alignas(64) int32_t sums[kBlock];
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      int32_t* to = states_[node.out].faulty_integers.data() + out.place(y, x) * out.channels;
      for (int c = 0; c < out.channels; c += kBlock) {
        std::fill_n(sums, kBlock, 0);
        for (int ky = 0; ky < windows.kernel_y; ++ky) {
          const uint8_t* place = from + at(source, y * windows.stride_y + ky, x * windows.stride_x) + c;
          for (int kx = 0; kx < windows.kernel_x; ++kx, place += width) {
            for (int i = 0; i < kBlock; ++i) sums[i] += place[i];
          }
        }
        const int count = std::min(kBlock, out.channels - c);
        for (int i = 0; i < count; ++i) to[c + i] = taps * in.levels.base + in.levels.step * sums[i];
      }
    }
  }
}

}  // namespace fat
