// The few vector operations that the simulator needs, each on 64 output channels at once.
//
//   Bytes64        64 int8 sums of weight columns
//   Wide64<Acc>    64 accumulators, int16 or int32
//   popcounts      64 binary dot products
//
// kDenseCost is the cost of one popcount step (64 outputs, one word) in units of adding 64 weights.
#pragma once

#if defined(__AVX512VPOPCNTDQ__) && defined(__AVX512VBMI2__) && defined(__AVX512BW__)
#include "simd_avx512.hpp"
#elif defined(__AVX2__)
#include "simd_avx2.hpp"
#else
#include "simd_portable.hpp"
#endif

#ifndef FAT_BIT_COLUMNS
#define FAT_BIT_COLUMNS 0
#endif
