// Residual blocks: units, the addition of what they make, and the thresholds behind it, in one step. What lies between
// is held in bytes, and as streams it is not made.
#pragma once

#include "packed.hpp"

namespace fat {

class Joins : Part {
 public:
  Joins(Image& image, Packed& packed);

  // A new image: what was derived from the last one is void.
  void forget();

  // Whether there are any.
  bool any() const { return !joins_.empty(); }

  // A new fault. `allowed`: it changes no words, and leaves no activation that is no level.
  void begin(bool allowed);

  // The fault changes a stream at its own place: a block that it lies within is not taken.
  void leave(int stream);

  // Whether unit u is the end of a branch of a block that is taken.
  bool has_unit(int u) const { return taken_ && of_unit_[u].join >= 0 && joins_[of_unit_[u].join].taken; }

  // Such a unit behind changes of its source; the number of the thresholds, which are to be updated, or -1.
  int unit(int u);

  // Whether a branch has come to the end of a block whose thresholds, node n or a later one, have not been decided.
  bool pending(int n) const;

  // The addition or the thresholds of a block that is taken: whether node n is one of them. `reader` becomes the number
  // of the thresholds where the addition is reached by a change.
  bool node(int n, int& reader);

 private:
  // A stream that is added.
  struct Input {
    int stream = 0, unit = -1, by = 0;  // by: of a level, in what is added
    Aligned<int8_t> golden, faulty;     // by times levels [row][packed pixels][lanes]
    bool valid = false;                 // golden, of the present image
    Rect changed;                       // of a unit, where `faulty` holds
  };
  struct Join {
    int add, thresholding, lanes, channels, height, width;
    Input inputs[2];
    Aligned<int8_t> thresholds;  // [step][64]: what they are above is met
    bool taken = false;

    int pixels() const { return kBlock / lanes; }
    int pitch() const { return (width + pixels() - 1) / pixels() * kBlock; }
  };
  struct Place {
    int join = -1, input = 0;
  };

  void find(int add);
  void thresholds(Join& join);
  const int8_t* golden(const Join& join, Input& input);
  void spread(const Join& join, const Input& input, const uint64_t* planes, int y, int x, int8_t* to) const;

  Packed& packed_;
  std::vector<Join> joins_;
  std::vector<Place> of_unit_;  // of each unit
  std::vector<int> of_node_;    // of each node, its join, or -1
  bool taken_ = false;
};

}  // namespace fat
