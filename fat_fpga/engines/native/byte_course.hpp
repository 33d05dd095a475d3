// What is behind a fault, node by node, from levels in bytes to levels in bytes: whole streams anew, without a look at
// what changed in them. Where a fault changes much, that costs less than to find out what.
//
// The streams in planes are left as they are, but for those that are read behind the last node that it takes.
#pragma once

#include "byte_head.hpp"
#include "image.hpp"

namespace fat {

constexpr int kMostTogether = 16;  // faults that go on together
constexpr int kMostPlaces = 16;    // in a tile

class ByteCourse : Part {
 public:
  explicit ByteCourse(Image& image);

  // A new image: what was derived from the last one is void.
  void forget();

  // Whether it takes node n.
  bool takes(int n) const { return of_node_[n].taken; }

  // Whether node n, a unit behind planes, costs less in this way also where nothing of it is known yet.
  bool golden_cheaper(int n) const;

  // The whole of it without a fault, from the levels in front, into its planes; keeps the accumulators. To be called
  // before the first fault of an image.
  void golden(int n, Target to);

  // A new fault.
  void begin();

  // Whole channels of a stream that are stuck, and not written into it.
  void hold(const StreamChange& held);

  // One channel of a stream that holds these integers [row][column], and that the stream itself does not hold yet.
  void hold(int stream, int channel, const std::vector<int32_t>& integers);

  // What it costs to compute node n, in the unit of kDenseCost.
  double cost(int n) const { return of_node_[n].cost; }

  // Nodes from number n on behind what is changed; the number of the first that it does not take, or in front of which
  // the fault may wait for others.
  int run(int n);

  // How many faults may go on together from node n on, where all that they changed is the stream in front of it; 0
  // where not.
  int room(int n) const { return rooms_[n]; }

  // Whether the present fault may wait in front of node n: it has changed the stream there, and it has a room.
  bool waits(int n) const;

  // Bytes of a stream's frame.
  size_t size(int stream) const {
    return model_.streams[stream].frame_places() * level_bytes(model_.streams[stream].channels);
  }

  // Levels of a stream under the present fault, or under fault number k of those that went on together.
  const uint8_t* levels(int stream);
  const uint8_t* levels(int stream, int k) { return levels(stream) + k * size(stream); }

  // Nodes from number n on, which has a room, under `count` faults, from their levels in the stream in front of it; the
  // number of the next node that has a room for at least twice as many, or the number of nodes where all is done.
  int run_together(int n, const uint8_t* first, int count);

  // Accumulators of the last unit under fault number k.
  const int32_t* scores(int k) const { return scores_.data() + size_t(k) * model_.last().padded(); }

  static constexpr size_t kFurther = 4 * 64;  // bytes behind the end that vectors read and write
  static constexpr size_t kNowhere = SIZE_MAX;

 private:
  struct Bytes {
    Aligned<uint8_t> golden, faulty;  // levels [place of the frame][channels, filled up]
    bool valid = false;               // golden, of the present image
    bool made = false;                // faulty, of the present fault
    bool held = false;                // of channels that the stream itself does not hold
  };
  // Windows that are computed together: where the first of them begins in the bytes of the stream in front, its number
  // as an output, and whose fault it is.
  struct Tile {
    size_t window;
    int pixel, fault = 0;
  };
  struct Course {
    bool taken = false;
    double cost = 0;
    int places = 0;               // in a tile
    std::vector<Tile> tiles;      // of one fault; but where tiles go on from row to row and from fault to fault:
    bool flat = false;            // because the places of the stream in front are those of the outputs
    bool gathered = false;        // because windows are brought side by side
    bool framed = false;          // tiles go on through the frame of one fault, places that are no outputs included
    std::vector<size_t> windows;  // of each output pixel, where they begin
    std::vector<size_t> outputs;  // where the bytes of each output pixel are, or of each place of the frame: or nowhere
    Aligned<int8_t> thresholds;   // of an addition with thresholds behind it: [group][step][64]
    int by[2] = {};               // of a level of each stream that is added
  };

  void set_unit(Course& course, const Unit& unit);
  bool framed(const Unit& unit) const;
  void set_frame(Course& course, const Unit& unit);
  void set_join(Course& course, const Node& thresholding);
  const Node& addition(const Node& thresholding) const { return model_.nodes[thresholding.inputs[0] - 1]; }
  bool join(const Node& node) const;
  bool differs(const Node& node) const;
  size_t pitch(int stream) const;  // bytes of a row of the frame
  size_t at(int stream, int y, int x) const;
  const uint8_t* golden_levels(int stream);
  uint8_t* made(int stream, int k = 0);  // room for what is made under fault number k
  void set_rooms();
  void load(int stream, const uint64_t* planes, Aligned<uint8_t>& to);
  void keep(int stream);   // what is made; as nothing where it is as without a fault
  void write(int stream);  // into planes
  void step(const Node& node);

  // byte_steps.cpp: nodes, of all faults or of number k
  void products(const Unit& unit, const Course& course);
  int places(const Unit& unit, const Course& course) const;
  Tile tile(const Unit& unit, const Course& course, int number) const;
  const uint8_t* gather(const Unit& unit, const Course& course, const Tile& tile, int number);
  template <int M, int N>
  void tiles(const Unit& unit, const Course& course, const Tile* tile, int first);
  template <int M, int N>
  int rows(const Unit& unit, const Course& course, int from, int end, int first);
  void store_golden(const Unit& unit, const Course& course, const Tile& tile, const int32_t* sums, int block);
  template <class Acc>
  void store_golden(const Unit& unit, int pixel, const int32_t* sums, int block);
  void lanes(const Unit& unit, int k);
  void join(const Node& node, const Course& course, int k);
  void pool(const Node& node, int k);
  void sum(const Node& node);

  std::vector<Bytes> bytes_;     // of each stream
  std::vector<Course> of_node_;  // of each node
  std::vector<int> rooms_;       // of each node
  Aligned<uint8_t> gathered_;    // [tile][place][bytes of a window]
  Aligned<int32_t> sums_;        // of tiles [tile][place][outputs of a group]
  Aligned<int32_t> scores_;      // [fault][padded outputs of the last unit]
  ByteHead head_;
  Target golden_to_{nullptr, 0};    // where planes of a fault-free unit go, while one is computed
  int count_ = 1;                   // faults that go on together
  const uint8_t* given_ = nullptr;  // their levels in the stream that they came with
  int given_stream_ = -1;
};

}  // namespace fat
