// One channel of one unit computed with other weights, other thresholds or a changed bit in its accumulators, from the
// fault-free accumulators: no other channel of that unit is touched.
#pragma once

#include "image.hpp"

namespace fat {

class OneChannel : Part {
 public:
  explicit OneChannel(Image& image);

  // The unit's faulty output; the area of it that differs. In the last unit the image's scores, and no area.
  Rect unit(const Fault& fault);

 private:
  Rect write(int u, int channel);
  int64_t changed_accumulator(const Fault& fault, int u, int channel, int y, int x) const;

  std::vector<uint8_t> levels_[2];  // the channel's level indices [pixel], in front of and behind a pool
};

}  // namespace fat
