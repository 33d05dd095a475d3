// Which cells errors hit, and what they do to words in memory: the same as fat_fpga/faults/draws.py and
// fat_fpga/modules/formats/base.py do with numpy and PyTorch, one hit after the other.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class T, int Rank>
using Array = nb::ndarray<const T, nb::ndim<Rank>, nb::c_contig, nb::device::cpu>;
using Ints = nb::ndarray<nb::numpy, int64_t, nb::ndim<1>>;
using Block = std::array<uint64_t, 4>;

// High and low half of a product.
void multiply(uint64_t a, uint64_t b, uint64_t& high, uint64_t& low) {
#ifdef __SIZEOF_INT128__
  const auto product = static_cast<unsigned __int128>(a) * b;
  high = uint64_t(product >> 64), low = uint64_t(product);
#else
  const uint64_t half = 0xFFFFFFFF, a1 = a >> 32, a0 = a & half, b1 = b >> 32, b0 = b & half;
  const uint64_t middle = a0 * b1 + (a0 * b0 >> 32), other = a1 * b0 + (middle & half);
  high = a1 * b1 + (middle >> 32) + (other >> 32), low = a * b;
#endif
}

// Philox 4x64-10 (Salmon et al. 2011), the words that numpy gives for this key and counter.
Block philox(uint64_t key0, uint64_t key1, uint64_t number, uint64_t counter) {
  Block words{number + 1, 0, counter, 0};
  for (int round = 0; round < 10; ++round) {
    uint64_t high0, low0, high1, low1;
    multiply(0xD2E7470EE14C6C93, words[0], high0, low0);
    multiply(0xCA5A826395121157, words[2], high1, low1);
    words = {high1 ^ words[1] ^ key0, low1, high0 ^ words[3] ^ key1, low0};
    key0 += 0x9E3779B97F4A7C15, key1 += 0xBB67AE8584CAA73B;
  }
  return words;
}

Ints array(const std::vector<int64_t>& values) {
  auto* memory = new int64_t[values.size() + 1];
  std::copy(values.begin(), values.end(), memory);
  nb::capsule owner(memory, [](void* own) noexcept { delete[] static_cast<int64_t*>(own); });
  return Ints(memory, {values.size()}, owner);
}

// Cells that fail, each with the probability whose log1p(-rate) is `scale`: for each key, for each counter.
// Nothing where a distance is so near to an integer that another logarithm could round it otherwise.
nb::object draw(Array<uint64_t, 2> keys, Array<int64_t, 1> counters, double scale, Array<int64_t, 1> cells,
                double nearness) {
  const size_t count = keys.shape(0), each = counters.shape(0);
  if (keys.shape(1) != 2 || cells.shape(0) != count) throw std::invalid_argument("keys [K, 2] and cells [K]");
  std::vector<int64_t> lanes, places, ends(count);
  for (size_t k = 0; k < count; ++k) {
    const int64_t most = cells.data()[k];
    const uint64_t key0 = keys.data()[2 * k], key1 = keys.data()[2 * k + 1];
    for (size_t c = 0; c < each && most > 0; ++c) {
      int64_t place = -1;
      for (uint64_t number = 0; place < most; ++number) {
        for (const uint64_t word : philox(key0, key1, number, uint64_t(counters.data()[c]))) {
          const double uniform = (double(word >> 11) + 0.5) * 0x1p-53;
          const double distance = std::log(uniform) / scale, whole = std::floor(distance);
          if (whole <= double(most) && std::abs(distance - std::nearbyint(distance)) <= nearness * distance)
            return nb::none();
          place += int64_t(std::min(whole, double(most))) + 1;
          if (place >= most) break;
          lanes.push_back(int64_t(k * each + c)), places.push_back(place);
        }
      }
    }
    ends[k] = int64_t(places.size());
  }
  return nb::make_tuple(array(lanes), array(places), array(ends));
}

// Words become word & keep ^ flip. A word is number `cell` of row `row`; of row -1, of every row.
template <class Word>
void change(Word* words, int64_t rows, int64_t size, const int64_t* row, const int64_t* cell, const int64_t* keep,
            const int64_t* flip, size_t hits) {
  for (size_t i = 0; i < hits; ++i) {
    const int64_t first = row[i] < 0 ? 0 : row[i], last = row[i] < 0 ? rows : row[i] + 1;
    for (int64_t own = first; own < last; ++own) {
      Word& word = words[own * size + cell[i]];
      word = Word((word & Word(keep[i])) ^ Word(flip[i]));
    }
  }
}

void edit(uintptr_t address, int width, int64_t rows, int64_t size, Array<int64_t, 1> row, Array<int64_t, 1> cell,
          Array<int64_t, 1> keep, Array<int64_t, 1> flip) {
  const size_t hits = row.shape(0);
  if (cell.shape(0) != hits || keep.shape(0) != hits || flip.shape(0) != hits)
    throw std::invalid_argument("row, cell, keep and flip are of one length");
  for (size_t i = 0; i < hits; ++i) {
    const int64_t r = row.data()[i], c = cell.data()[i];
    if (r < -1 || r >= rows || c < 0 || c >= size)
      throw std::out_of_range("no cell " + std::to_string(c) + " in row " + std::to_string(r) + ": there are " +
                              std::to_string(rows) + " rows of " + std::to_string(size));
    if (r >= 0) __builtin_prefetch(reinterpret_cast<const char*>(address) + (r * size + c) * width, 1);
  }
  const auto all = [&](auto* words) {
    change(words, rows, size, row.data(), cell.data(), keep.data(), flip.data(), hits);
  };
  switch (width) {
    case 1:
      return all(reinterpret_cast<uint8_t*>(address));
    case 2:
      return all(reinterpret_cast<uint16_t*>(address));
    case 4:
      return all(reinterpret_cast<uint32_t*>(address));
    case 8:
      return all(reinterpret_cast<uint64_t*>(address));
    default:
      throw std::invalid_argument("words are of 1, 2, 4 or 8 bytes, got " + std::to_string(width));
  }
}

}  // namespace

NB_MODULE(_hits, module) {
  module.doc() = "Hits of errors at a rate, and changes of words in memory.";
  module.def("draw", &draw, "keys"_a, "counters"_a, "scale"_a, "cells"_a, "nearness"_a,
             nb::sig("def draw(keys: NDArray[numpy.uint64], counters: NDArray[numpy.int64], scale: float, "
                     "cells: NDArray[numpy.int64], nearness: float) -> "
                     "tuple[NDArray[numpy.int64], NDArray[numpy.int64], NDArray[numpy.int64]] | None"),
             "Lanes ``key * counters + counter``, cells that are hit, and where each key ends; None where a logarithm "
             "of another library could round a distance otherwise.");
  module.def("edit", &edit, "address"_a, "width"_a, "rows"_a, "size"_a, "row"_a, "cell"_a, "keep"_a, "flip"_a,
             "Words at an address of memory, [rows, size] of so many bytes each, become ``word & keep ^ flip``. A row "
             "of -1 is every row. IndexError where a word is not there.");
}
