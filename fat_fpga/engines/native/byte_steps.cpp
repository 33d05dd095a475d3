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

}  // namespace

void ByteCourse::products(const Unit& unit, const Course& course) {
  levels(unit.source);
  const Tiles set(course.places);
  const Tile *tile = course.tiles.data(), *end = tile + course.tiles.size();
  for (; end - tile >= 4; tile += 4) tiles<4>(unit, course, tile);
  for (; end - tile >= 2; tile += 2) tiles<2>(unit, course, tile);
  for (; end - tile >= 1; tile += 1) tiles<1>(unit, course, tile);
}

// `M` tiles of outputs.
template <int M>
void ByteCourse::tiles(const Unit& unit, const Course& course, const Tile* tile) {
  const LevelForm& form = unit.form;
  const uint8_t* from = levels(unit.source);
  const uint8_t* rows[M];
  for (int m = 0; m < M; ++m) rows[m] = from + tile[m].window;
  const int group = form.group(), places = course.places, together = kBlock / group;
  const size_t step = size_t(unit.stride_x) * form.in, vector = size_t(unit.kernel_y) * form.fours * kBlock;
  const auto some = [&](auto count, int first, int32_t* sums) {
    tile_products<M, decltype(count)::value>(rows, places, step, pitch(unit.source), unit.kernel_y, form.fours,
                                             form.weights.data() + first * vector, unit.byte_period, sums, group);
  };
  uint8_t* out = unit.last ? nullptr : bytes_[unit.behind].faulty.data();
  for (int g = 0; g < form.groups(); ++g) {
    const int first = g * group / kByteOutputs, count = group / kByteOutputs;
    if constexpr (M == 4) {
      for (int n = 0; n < count; ++n)
        some(std::integral_constant<int, 1>(), first + n, sums_.data() + n * kByteOutputs);
    } else if (count == 1) {
      some(std::integral_constant<int, 1>(), first, sums_.data());
    } else if (M == 1 && count == 4) {
      if constexpr (M == 1) some(std::integral_constant<int, 4>(), first, sums_.data());
    } else {
      for (int n = 0; n < count; n += 2)
        some(std::integral_constant<int, 2>(), first + n, sums_.data() + n * kByteOutputs);
    }
    if (unit.last) {
      std::copy_n(sums_.data(), group, image_.sums.data() + g * group);
      continue;
    }
    for (int m = 0; m < M; ++m) {
      const int32_t* sums = sums_.data() + size_t(m) * places * group;
      for (int i = 0; i < places; i += together, sums += kBlock) {
        uint8_t* to = out + course.outputs[tile[m].pixel + i] + g * kBlock;
        store(sums_to_levels(sums, form.steps, g), to, size_t(std::min(together, places - i)) * group);
      }
    }
  }
}

// A unit of as many groups as channels.
void ByteCourse::lanes(const Unit& unit) {
  const LevelForm& form = unit.form;
  const Stream& out = model_.streams[unit.behind];
  const size_t row = pitch(unit.source) * unit.dilation_y, column = size_t(form.in) * unit.dilation_x;
  const int together = kBlock / form.group(), to_next = std::max(form.in, kBlock);
  const uint8_t* from = levels(unit.source);
  for (int y = 0; y < unit.height; ++y) {
    for (int x = 0; x < unit.width; x += together) {
      const size_t place =
          size_t(y * unit.stride_y + unit.origin_y) * unit.in.frame_width() + x * unit.stride_x + unit.origin_x;
      uint8_t* to = bytes_[unit.behind].faulty.data() + out.place(y, x) * form.out;
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
void ByteCourse::join(const Node& node, const Course& course) {
  const Node& add = addition(node);
  const Stream& out = model_.streams[node.out];
  const int width = level_bytes(out.channels), groups = std::max(1, width / kBlock), row = out.width * width;
  const auto* first = reinterpret_cast<const int8_t*>(levels(add.inputs[0]));
  const auto* second = reinterpret_cast<const int8_t*>(levels(add.inputs[1]));
  const bool plain = course.by[0] == 1 && course.by[1] == 1;
  alignas(64) int8_t products[kBlock];
  for (int y = 0; y < out.height; ++y) {
    const int8_t *a = first + at(add.inputs[0], y, 0), *b = second + at(add.inputs[1], y, 0);
    uint8_t* to = bytes_[node.out].faulty.data() + at(node.out, y, 0);
    for (int i = 0, g = 0; i < row; i += kBlock, g = g + 1 == groups ? 0 : g + 1) {
      auto sums = Bytes64::zero();
      if (plain) {
        sums.add(a + i), sums.add(b + i);
      } else {
        for (int k = 0; k < kBlock; ++k) products[k] = int8_t(course.by[0] * a[i + k] + course.by[1] * b[i + k]);
        sums.add(products);
      }
      auto levels = Bytes64::zero();
      const int8_t* threshold = course.thresholds.data() + size_t(g) * node.steps * kBlock;
      for (int t = 0; t < node.steps; ++t, threshold += kBlock) levels.add_where(sums.above(threshold), 1);
      store(levels, to + i, size_t(row - i));
    }
  }
}

void ByteCourse::pool(const Node& node) {
  const int source = node.inputs[0];
  const Stream& out = model_.streams[node.out];
  const Windows& windows = node.windows;
  const int width = level_bytes(out.channels);
  const uint8_t* from = levels(source);
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      uint8_t* to = bytes_[node.out].faulty.data() + at(node.out, y, x);
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
