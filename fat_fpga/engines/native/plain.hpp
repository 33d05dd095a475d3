// Any fault, the plain way: whole nodes in the network's own integers, from the first changed place on. For what the
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
  using Integers = std::vector<int32_t>;  // [pixel][channel]

  const Integers& read(int stream);
  Integers compute(int n, const Fault& fault);
  Integers unit(int n, const Fault& fault);
  void products(const Unit& unit, const Integers& in, int top, int left);
  const int32_t* place(const Unit& unit, const Integers& in, int y, int x) const;

  Integers products_;                 // of one pixel [padded outputs]
  std::vector<Integers> fault_free_;  // by stream, of the present image and run
};

}  // namespace fat
