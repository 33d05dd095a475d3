// Any fault, the plain way: whole units in the network's own integers, from the first changed place on. For what the
// planes cannot hold (a flipped bit can give a value that is no level) and for changed arithmetic behind other faults.
#pragma once

#include "image.hpp"

namespace fat {

class Plain : Part {
 public:
  explicit Plain(Image& image) : Part(image) {}

  // From the fault to the predicted class.
  int run(const Fault& fault, int64_t frame);

 private:
  std::vector<int32_t> unit(int u, const std::vector<int32_t>& in, const Fault& fault, int64_t frame);
};

}  // namespace fat
