// Operators without weights behind changed streams: additions, concatenations, thresholdings, sums and maxima. Only
// what changed in front is computed anew.
#pragma once

#include "image.hpp"

namespace fat {

class Small : Part {
 public:
  explicit Small(Image& image) : Part(image) {}

  // The fault-free stream of an image.
  void golden(const Node& node);

  // The stream under the present fault, from what it changed in front; `changed` of the stream says where it differs.
  void update(const Node& node);

 private:
  void golden_row(int stream, int y, std::vector<int32_t>& row) const;
  void golden_add(const Node& node);
  void golden_levels(const Node& node);
  void add(const Node& node);
  void add_planes(const Node& node, int stream, int factor);
  void add_integers(const Node& node, int stream, int factor);
  void threshold(const Node& node);
  void pool(const Node& node);
  void sums(const Node& node);
  void sum_planes(const Node& node);
  void maxima(const Node& node);
};

}  // namespace fat
