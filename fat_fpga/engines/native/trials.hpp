// Which of two ways to the same answer takes less time, found by trying. What it depends on (the network, the fault,
// the processor and what else it does) is too much for a formula; answers do not depend on it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#else
#include <chrono>
#endif

namespace fat {

class Trials {
 public:
  explicit Trials(size_t places) : pairs_(places * kSizes), rests_(places) {}

  // Times what is chosen until it goes out of scope.
  class Timed {
   public:
    explicit Timed(Trials& trials) : trials_(trials) { trials.open_.clear(); }
    ~Timed() { trials_.end(); }
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

   private:
    Trials& trials_;
  };

  // Whether way 0 is taken without a question, as it was the faster one so often: to ask costs more than what it finds.
  bool rests(int place) {
    Rest& rest = rests_[place];
    if (rest.left == 0) return false;
    --rest.left;
    return true;
  }

  // The way to go, 0 or 1, at a place where so much is to be done.
  int choose(int place, double size) {
    const int bucket = std::min(kSizes - 1, size < 1 ? 0 : std::ilogb(size));
    Pair& pair = pairs_[size_t(place) * kSizes + bucket];
    const Way& first = pair.ways[0];
    const Way& second = pair.ways[1];
    int way = second.average < first.average;
    // A way that is many times slower is neither timed as often at first nor tried again as soon: trials take a fixed
    // share.
    const bool both = first.count > 0 && second.count > 0;
    const double ratio = both ? pair.ways[1 - way].average / std::max(1.0, pair.ways[way].average) : 1;
    const int least = std::min(first.count, second.count);
    const bool early = least < kFirst && !(both && ratio > kHopeless && pair.ways[1 - way].count == least);
    const bool again = !early && ++pair.choices >= kAgain * std::min(ratio, kMostRatio);
    if (again) pair.choices = 0;
    if (early) way = second.count < first.count;
    else if (again) way = 1 - way;
    if (early || again) open_.clear();  // what was chosen before would be timed with what is only tried here
    open_.push_back({&pair.ways[way], now()});
    Rest& rest = rests_[place];
    if (!early && !again) rest.zeros = way == 0 ? rest.zeros + 1 : 0;
    if (rest.zeros == kZeros) rest = {0, kRest};
    return way;
  }

 private:
  static constexpr int kSizes = 24, kFirst = 4, kAgain = 512, kMemory = 64, kZeros = 256, kRest = 8192;
  static constexpr double kHopeless = 4, kMostRatio = 1000;

  struct Way {
    double average = 0;
    int count = 0;

    void add(double ticks) {
      ++count;
      if (count == 1) average = ticks;
      else if (count <= kFirst) average = std::min(average, ticks);  // the first ones pay for what is kept of an image
      else average += (std::min(ticks, 4 * average) - average) / std::min(count, kMemory);  // the thread may have slept
    }
  };
  struct Pair {
    Way ways[2];
    uint32_t choices = 0;
  };
  struct Rest {
    int zeros = 0;  // how often way 0 was the faster one since way 1 was
    int left = 0;
  };
  struct Open {
    Way* way;
    int64_t start;
  };

  static int64_t now() {
#if defined(__x86_64__)
    return int64_t(__rdtsc());
#else
    return std::chrono::steady_clock::now().time_since_epoch().count();
#endif
  }

  void end() {
    if (open_.empty()) return;
    const int64_t at = now();
    for (const Open& open : open_) open.way->add(double(at - open.start));
    open_.clear();
  }

  std::vector<Pair> pairs_;  // [place][size]
  std::vector<Rest> rests_;  // [place]
  std::vector<Open> open_;
};

}  // namespace fat
