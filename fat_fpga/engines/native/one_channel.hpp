// One channel of one node computed with other weights, other thresholds or a changed bit in its accumulators, from the
// fault-free accumulators: no other channel of that node is touched.
#pragma once

#include "image.hpp"

namespace fat {

class OneChannel : Part {
 public:
  explicit OneChannel(Image& image) : Part(image) {}

  // The node's faulty stream; in the last unit the image's scores.
  void node(const Fault& fault);

 private:
  void activate(const Fault& fault, const Node& node, const int32_t* thresholds, int count, Levels levels);
  int64_t accumulator(const Fault& fault, const Node& node, int y, int x) const;

  std::vector<int32_t> thresholds_;
};

}  // namespace fat
