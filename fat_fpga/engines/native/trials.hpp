// Which of two ways to the same answer takes less time, found by trying. What it depends on (the network, the fault,
// the processor and what else it does) is too much for a formula; answers do not depend on it.
#pragma once

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#else
#include <chrono>
#endif

namespace fat {

class Trials {
  static constexpr int kSizes = 24, kFirst = 4, kAgain = 512, kMemory = 64, kZeros = 256, kRest = 8192;
  static constexpr double kHopeless = 4, kMostRatio = 1000;

  struct Way {
    double average = 0;
    int count = 0;

    void add(double ticks) {
      ++count;
      if (count == 1) average = ticks;
      else if (count <= kFirst) average = std::min(average, ticks);  // the first ones pay for what is kept of an image
      else average += (std::min(ticks, 2 * average) - average) / std::min(count, kMemory);  // the thread may have slept
    }
  };
  struct Open {
    Way* way;
    int64_t start;
  };

 public:
  static int64_t now() {
#if defined(__x86_64__)
    return int64_t(__rdtsc());
#else
    return std::chrono::steady_clock::now().time_since_epoch().count();
#endif
  }

  // `by_chance`: ways are not timed but drawn, so that tests meet every combination of them.
  Trials(size_t places, bool by_chance) : pairs_(places * kSizes), rests_(places), by_chance_(by_chance) {}

  // Ticks that a longer stretch took without those for which the thread slept: what is computed together takes so long
  // that it often does so on a busy machine.
  class Stretch {
   public:
    // `before`: ticks that the like took before. Of a short one nothing is taken off, as to ask takes long.
    Stretch(Trials& trials, double before)
        : trials_(trials), asks_(before > kLong), awake_(asks_ ? awake() : 0), start_(now()) {}
    double ticks() {
      const double all = double(now() - start_), without = asks_ ? double(awake() - awake_) : 0;
      if (without <= 0) return all;
      trials_.rate_ = std::min(trials_.rate_, all / without);
      return std::min(all, without * trials_.rate_);
    }

   private:
    static int64_t awake() {
#if defined(CLOCK_THREAD_CPUTIME_ID)
      timespec time;
      if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0) return time.tv_sec * 1000000000LL + time.tv_nsec;
#endif
      return 0;
    }

    static constexpr double kLong = 200000;

    Trials& trials_;
    bool asks_;
    int64_t awake_, start_;
  };

  // What was chosen for something that is put off, and the ticks that it has taken so far.
  class PutOff {
   public:
    void add(double ticks) { ticks_ += ticks; }
    void end() {
      for (int i = 0; i < count_; ++i) open_[i].way->add(ticks_ + double(open_[i].start));
    }

   private:
    friend class Trials;
    static constexpr int kMost = 4;
    Open open_[kMost];  // the latest, each with what it has taken itself
    int count_ = 0;
    double ticks_ = 0;
  };

  // Puts off what is being timed.
  PutOff put_off() {
    PutOff off;
    const int64_t at = now();
    for (size_t i = open_.size() - std::min<size_t>(open_.size(), PutOff::kMost); i < open_.size(); ++i)
      off.open_[off.count_++] = {open_[i].way, at - open_[i].start};
    open_.clear();
    return off;
  }

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

  // The way to go, 0 or 1, at a place where so much is to be done. Only where that had to be counted a rest saves
  // something.
  int choose(int place, double size, bool counted) {
    if (by_chance_) return int(random_() >> 16 & 1);
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
    if (counted && !early && !again) rest.zeros = way == 0 ? rest.zeros + 1 : 0;
    if (rest.zeros == kZeros) rest = {0, kRest};
    return way;
  }

 private:
  struct Pair {
    Way ways[2];
    uint32_t choices = 0;
  };
  struct Rest {
    int zeros = 0;  // how often way 0 was the faster one since way 1 was
    int left = 0;
  };
  void end() {
    if (open_.empty()) return;
    const int64_t at = now();
    for (const Open& open : open_) open.way->add(double(at - open.start));
    open_.clear();
  }

  std::vector<Pair> pairs_;  // [place][size]
  std::vector<Rest> rests_;  // [place]
  std::vector<Open> open_;
  bool by_chance_;
  std::minstd_rand random_;
  double rate_ = INFINITY;  // ticks of a nanosecond, or more
};

}  // namespace fat
