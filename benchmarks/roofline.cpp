// What one core can do, for benchmarks/roofline.py: a line "name value" for each figure, values per second of CPU.
//
//   byte_additions    additions of bytes, one operand of each read from L1
//   bit_additions     bits counted by carry-save adders, read from L1: eight vectors by seven full adders
//   three_input       three-input logic on whole vectors, in registers, as operations on single bits
//   l1 l2 l3 memory   bytes read from there, one after the other
// Each is the best of several short runs. WIDTH is the bytes of a vector.

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <vector>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#ifndef WIDTH
#define WIDTH 64
#endif

namespace {

typedef uint8_t Bytes __attribute__((vector_size(WIDTH)));
typedef uint64_t Words __attribute__((vector_size(WIDTH)));
constexpr size_t kNear = 24 << 10;  // bytes that surely fit into the nearest cache
constexpr size_t kMi = 1 << 20;
constexpr size_t kStep = 16;                    // vectors that an iteration reads
constexpr size_t kSums = WIDTH == 64 ? 16 : 8;  // as many as there are registers for
constexpr int kRuns = 15;
constexpr double kShortest = 0.01;  // seconds of a run

double now() {
  timespec found;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &found);
  return double(found.tv_sec) + 1e-9 * double(found.tv_nsec);
}

// A value is wanted in a register, and what was read from memory must be read again, at no cost.
template <typename V>
inline void want(V value) {
#if defined(__x86_64__)
  asm volatile("" : : "v"(value) : "memory");
#else
  asm volatile("" : : "w"(value) : "memory");
#endif
}

// How often a second `once` does one of `amount` things: the best of several runs that are long enough.
template <typename Once>
double rate(size_t amount, Once once) {
  double best = 0;
  long repeats = 1;
  for (int run = 0; run < kRuns;) {
    const double start = now();
    for (long n = 0; n < repeats; ++n) once();
    const double seconds = now() - start;
    if (seconds < kShortest) {
      repeats *= 2;
    } else {
      best = std::max(best, double(amount) * double(repeats) / seconds);
      ++run;
    }
  }
  return best;
}

inline Words sum(Words a, Words b, Words c) {
#if defined(__AVX512F__) && WIDTH == 64
  return Words(_mm512_ternarylogic_epi64(__m512i(a), __m512i(b), __m512i(c), 0x96));
#else
  return a ^ b ^ c;
#endif
}

inline Words carry(Words a, Words b, Words c) {
#if defined(__AVX512F__) && WIDTH == 64
  return Words(_mm512_ternarylogic_epi64(__m512i(a), __m512i(b), __m512i(c), 0xe8));
#else
  return (a & b) | (c & (a ^ b));
#endif
}

// Adds two bits to a digit; the carry is what is left for the next one.
inline Words full_adder(Words& digit, Words in, Words more) {
  const Words left = carry(digit, in, more);
  digit = sum(digit, in, more);
  return left;
}

double byte_additions(const Bytes* data, size_t vectors) {
  Bytes sums[kSums] = {};
  return rate(vectors * WIDTH, [&, data] {
    for (size_t i = 0; i < vectors; i += kSums)
      for (size_t k = 0; k < kSums; ++k) sums[k] += data[i + k];
    for (const Bytes& one : sums) want(one);
  });
}

double bit_additions(const Words* data, size_t vectors) {
  Words ones{}, twos{}, fours{}, eights{};
  return rate(vectors * WIDTH * 8, [&, data] {
    for (const Words* in = data; in < data + vectors; in += 8) {
      const Words a = full_adder(ones, in[0], in[1]), b = full_adder(ones, in[2], in[3]);
      const Words c = full_adder(ones, in[4], in[5]), d = full_adder(ones, in[6], in[7]);
      const Words e = full_adder(twos, a, b), f = full_adder(twos, c, d);
      eights ^= full_adder(fours, e, f);
    }
    for (const Words& one : {ones, twos, fours, eights}) want(one);
  });
}

double three_input() {
  constexpr size_t kChains = 8, kLength = 4096;
  return rate(kChains * kLength * WIDTH * 8, [one = Words{} + uint64_t(now() * 1e9)] {
    Words values[kChains];
    for (size_t k = 0; k < kChains; ++k) values[k] = one * uint64_t(k);
    for (size_t n = 0; n < kLength; ++n)
      for (size_t k = 0; k < kChains; ++k) values[k] = sum(values[k], values[(k + 1) % kChains], one);
    for (const Words& value : values) want(value);
  });
}

double loads(const Bytes* data, size_t vectors) {
  return rate(vectors * WIDTH, [=] {
    for (size_t i = 0; i < vectors; i += kStep)
      for (size_t k = 0; k < kStep; ++k) want(data[i + k]);
  });
}

size_t cache(int name, size_t otherwise) { return sysconf(name) > 0 ? size_t(sysconf(name)) : otherwise; }

}  // namespace

int main() {
  const size_t second = cache(_SC_LEVEL2_CACHE_SIZE, kMi), third = cache(_SC_LEVEL3_CACHE_SIZE, 32 * kMi);
  const size_t far = std::clamp(2 * third, 256 * kMi, 1024 * kMi);
  std::vector<uint8_t> room(far + WIDTH, 1);
  const auto* data = reinterpret_cast<const Bytes*>((uintptr_t(room.data()) + WIDTH - 1) / WIDTH * WIDTH);
  const auto vectors = [](size_t bytes) { return bytes / WIDTH / kStep * kStep; };
  printf("byte_additions %.6g\n", byte_additions(data, vectors(kNear)));
  printf("bit_additions %.6g\n", bit_additions(reinterpret_cast<const Words*>(data), vectors(kNear)));
  printf("three_input %.6g\n", three_input());
  printf("l1 %.6g\n", loads(data, vectors(kNear)));
  printf("l2 %.6g\n", loads(data, vectors(second / 2)));
  printf("l3 %.6g\n", loads(data, vectors(std::min(4 * second, third / 2))));
  printf("memory %.6g\n", loads(data, vectors(far)));
}
