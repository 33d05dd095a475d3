// Units of several groups, depthwise ones among them: an input reaches the outputs of its own group alone.
#pragma once

#include "image.hpp"

namespace fat {

class Grouped : Part {
 public:
  explicit Grouped(Image& image);

  // The whole of a unit without a fault; keeps the accumulators.
  void golden(int u, Target to);

  // The stream behind unit u, or, of the last unit, the image's sums, from what changed in front; whether anything did.
  bool update(int u);

 private:
  template <class Acc>
  void golden_pixels(int u, Target to);
  template <class Acc>
  bool scatter(int u, Aligned<Acc>& sums);
  template <class Acc>
  void scatter_lanes(int u, Aligned<Acc>& sums);
  template <class Acc>
  Acc* touch(int u, int pixel, int block, Aligned<Acc>& sums);
  template <class Acc>
  void gather(int u, const Aligned<Acc>& sums);
  void decide(int u, int pixel, int block, const uint64_t* planes);

  Aligned<int16_t> sums16_;  // accumulators under the fault [pixel][padded outputs], where they are touched
  Aligned<int32_t> sums32_;
  std::vector<uint8_t> touched_;  // [pixel][block]
  std::vector<int32_t> list_;     // what is touched: pixel * blocks + block
  std::vector<int32_t> indices_;  // of the stream in front [frame place][channel]
  std::vector<uint64_t> planes_;  // of one block
};

}  // namespace fat
