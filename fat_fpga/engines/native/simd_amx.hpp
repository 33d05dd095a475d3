// AMX: products of tiles, 16 places by 64 inputs with 64 inputs by 16 outputs.
#pragma once

#include <immintrin.h>

#include <cstdint>

#define FAT_TILES 1

namespace fat {

constexpr int kFours = 16;         // of inputs that a row of a kernel of more is filled up to a multiple of
constexpr bool kFullTiles = true;  // whether 16 places cost as much as fewer
constexpr double kTileCost = 16;   // of 16 places by 64 inputs by 16 outputs, in the unit of kDenseCost

// Sets the tiles up for `places` in a row, at most 16, and rows of a kernel of so many fours of inputs: sums in tiles 0
// to 3, weights in 4 and 5, levels in 6 and 7. Of a row of fewer than 64 inputs no more is read, as most places are not
// where a cache line begins, and two lines take longer.
struct Tiles {
  Tiles(int places, int fours) {
    struct alignas(64) Configuration {
      uint8_t palette = 1, start = 0, reserved[14] = {};
      uint16_t bytes[16] = {};
      uint8_t rows[16] = {};
    } configuration;
    fours = fours < kFours ? fours : kFours;
    for (int i = 0; i < 8; ++i) {
      const bool weights = i == 4 || i == 5, levels = i >= 6;
      configuration.bytes[i] = uint16_t(levels ? 4 * fours : 64);
      configuration.rows[i] = uint8_t(weights ? fours : places);
    }
    asm volatile("" : : "r"(&configuration) : "memory");  // GCC 12 takes the first 8 bytes for all that is read
    _tile_loadconfig(&configuration);
  }
  ~Tiles() { _tile_release(); }
};

// Sums of products of `M` rows of `places` windows, `step` bytes from one to the next, with `N` times 16 outputs'
// weights, into sums[row][place][to_next].
template <int M, int N>
inline void tile_products(const uint8_t* const* rows, int places, size_t step, size_t pitch, int kernel_rows, int fours,
                          const int8_t* weights, int, int32_t* sums, size_t to_next) {
  static_assert((M == 4 && N == 1) || (M == 2 && N <= 2) || (M == 1 && (N == 4 || N <= 2)), "four tiles of sums");
  const size_t vector = size_t(kernel_rows) * fours * 64, row = size_t(places) * to_next, next = 4 * to_next;
  asm volatile("" : : : "memory");  // GCC 12 does not know that tiles are loaded from memory
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int ky = 0; ky < kernel_rows; ++ky) {
    for (int at = 0; at < 4 * fours; at += 64, weights += 64 * (fours < kFours ? fours : kFours)) {
      const size_t from = ky * pitch + at;
      _tile_loadd(4, weights, 64);
      _tile_loadd(6, rows[0] + from, step);
      _tile_dpbusd(0, 6, 4);
      if constexpr (M == 4) {
        _tile_loadd(7, rows[1] + from, step);
        _tile_dpbusd(1, 7, 4);
        _tile_loadd(6, rows[2] + from, step);
        _tile_dpbusd(2, 6, 4);
        _tile_loadd(7, rows[3] + from, step);
        _tile_dpbusd(3, 7, 4);
      }
      if constexpr (N >= 2) {
        _tile_loadd(5, weights + vector, 64);
        _tile_dpbusd(1, 6, 5);
      }
      if constexpr (M == 2) {
        _tile_loadd(7, rows[1] + from, step);
        _tile_dpbusd(2, 7, 4);
        if constexpr (N == 2) _tile_dpbusd(3, 7, 5);
      }
      if constexpr (N == 4) {
        _tile_loadd(4, weights + 2 * vector, 64);
        _tile_dpbusd(2, 6, 4);
        _tile_loadd(5, weights + 3 * vector, 64);
        _tile_dpbusd(3, 6, 5);
      }
    }
  }
  _tile_stored(0, sums, next);
  if constexpr (M == 4) {
    _tile_stored(1, sums + row, next);
    _tile_stored(2, sums + 2 * row, next);
    _tile_stored(3, sums + 3 * row, next);
  }
  if constexpr (N >= 2) _tile_stored(1, sums + 16, next);
  if constexpr (M == 2) {
    _tile_stored(2, sums + row, next);
    if constexpr (N == 2) _tile_stored(3, sums + row + 16, next);
  }
  if constexpr (N == 4) {
    _tile_stored(2, sums + 32, next);
    _tile_stored(3, sums + 48, next);
  }
}

}  // namespace fat
