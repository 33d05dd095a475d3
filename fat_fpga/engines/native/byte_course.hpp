// What is behind a fault, node by node, from levels in bytes to levels in bytes: whole streams anew, without a look at
// what changed in them. Where a fault changes much, that costs less than to find out what.
//
// The streams in planes are left as they are, but for those that are read behind the last node that it takes.
#pragma once

#include "image.hpp"

namespace fat {

class ByteCourse : Part {
 public:
  explicit ByteCourse(Image& image);

  // A new image: what was derived from the last one is void.
  void forget();

  // Whether it takes node n.
  bool takes(int n) const { return of_node_[n].taken; }

  // A new fault.
  void begin();

  // Whole channels of a stream that are stuck, and not written into it.
  void hold(const StreamChange& held);

  // One channel of a stream that holds these integers [row][column], and that the stream itself does not hold yet.
  void hold(int stream, int channel, const std::vector<int32_t>& integers);

  // What it costs to compute node n, in the unit of kDenseCost.
  double cost(int n) const { return of_node_[n].cost; }

  // Nodes from number n on behind what is changed; the number of the first that it does not take.
  int run(int n);

 private:
  struct Bytes {
    Aligned<uint8_t> golden, faulty;  // levels [place of the frame][channels, filled up]
    bool valid = false;               // golden, of the present image
    bool made = false;                // faulty, of the present fault
    bool held = false;                // of channels that the stream itself does not hold
  };
  // Windows that are computed together: where the first of them begins in the bytes of the stream in front, and its
  // number as an output.
  struct Tile {
    size_t window;
    int pixel;
  };
  struct Course {
    bool taken = false;
    double cost = 0;
    int places = 0;  // in a tile
    std::vector<Tile> tiles;
    std::vector<size_t> outputs;  // where the bytes of each output pixel are
    Aligned<int8_t> thresholds;   // of an addition with thresholds behind it: [group][step][64]
    int by[2] = {};               // of a level of each stream that is added
  };

  void set_unit(Course& course, const Unit& unit);
  void set_join(Course& course, const Node& thresholding);
  const Node& addition(const Node& thresholding) const { return model_.nodes[thresholding.inputs[0] - 1]; }
  bool join(const Node& node) const;
  bool differs(const Node& node) const;
  size_t pitch(int stream) const;  // bytes of a row of the frame
  size_t at(int stream, int y, int x) const;
  const uint8_t* golden(int stream);
  const uint8_t* levels(int stream);  // under the present fault
  void load(int stream, const uint64_t* planes, Aligned<uint8_t>& to);
  void keep(int stream);   // what is made; as nothing where it is as without a fault
  void write(int stream);  // into planes
  void step(const Node& node);

  // byte_steps.cpp: nodes
  void products(const Unit& unit, const Course& course);
  template <int M>
  void tiles(const Unit& unit, const Course& course, const Tile* tile);
  void lanes(const Unit& unit);
  void join(const Node& node, const Course& course);
  void pool(const Node& node);
  void sum(const Node& node);

  std::vector<Bytes> bytes_;     // of each stream
  std::vector<Course> of_node_;  // of each node
  Aligned<int32_t> sums_;        // of tiles [tile][place][outputs of a group]
};

}  // namespace fat
