// A unit behind any set of changed activations: the weight columns of what changed are added to the fault-free
// accumulators.
#pragma once

#include "image.hpp"
#include "sliding.hpp"

namespace fat {

class ChangedColumns : Part {
 public:
  explicit ChangedColumns(Image& image);

  // A new image: what was derived from the last one is void.
  void forget();

  // Counts what differs in front of unit u, within a changed area of the stream, for an area of outputs.
  void find(int u, const Rect& changed, const Rect& outputs);

  // Lists what one channel, stuck at a level in front of unit u, changes in the whole frame.
  void list_channel(int u, int channel, int level);

  // How many are counted or listed.
  int count() const { return changes_.count; }

  // What brings an area of outputs up to date behind them at the least cost.
  Update cheapest(int u, const Rect& outputs) const;

  // Whether several pixels of unit u go together, in a vector that slides.
  bool slides(int u) const { return sliding_.fit(u); }

  // What it costs, in the unit of kDenseCost, behind so many changes where each pixel goes alone. Those without a
  // change in their window are left out.
  double cost(int u, int changes, const Rect& outputs) const;

  // Pixels of an area of outputs whose windows have a change.
  void reached(int u, const Rect& area, std::vector<int32_t>& pixels);

  // An area of unit u into its planes, or, for the last unit, into the image's sums. What was counted is listed first.
  void unit(int u, const Rect& area, Target to);

 private:
  // Changed activations in front of a unit, by pixel of the frame. An entry is the offset, within a row of
  // taps, of the weight column to add: (column of the frame * inputs + input) * column stride, and one
  // half of the stride more where the activation was lowered. In front of a single pixel it is the offset of
  // the column among all of them.
  struct Changes {
    std::vector<int32_t> start;  // of each pixel's entries, and one more
    std::vector<int32_t> entries;
    std::vector<uint16_t> entries16;  // where columns are bits, and their offsets short
    int count = 0;
    bool listed = false;  // or only counted
    bool slid = false;    // or listed in sliding_
    Rect area;            // of the frame, where they are
  };

  // changed_lists.cpp: what is to be added
  void list(int u, const Rect& outputs);
  template <class Entry>
  void list(int u, const Rect& seen, const Rect& area, Entry* entries);
  template <class Entry>
  void list_single(int u, Entry* entries);
  template <class Entry>
  void list_channel(int u, int channel, int level, Entry* entries);
  template <class Entry>
  Entry* list_columns(const Unit& unit, int y, int x, const Entry* entries, Entry* list);

  // changed_columns.cpp: what it comes to
  struct Costs {
    double sparse, popcount, bytes;
  };
  Costs costs(int u, int changes, bool slid, const Rect& outputs) const;
  Update cheapest(int u, int changes, bool slid, const Rect& outputs) const;
  int few(int u) const;
  template <class Acc>
  void pixels(int u, const Rect& area, Target to);
  template <class Acc>
  void pixel(int u, int pixel, const int32_t* list, int count, const uint64_t* golden, uint64_t* planes);
  template <class Acc, int Group>
  int blocks(int u, int pixel, const int32_t* list, int count, int block, uint64_t* planes);

  // bit_columns.cpp: the same where all weights are -1, 0 or +1
  struct Listed {  // columns of a pixel, and of the one beside it
    const uint16_t *first, *second;
    int size;          // of both lists, filled up
    int count, other;  // before that
  };
  // Margins of the fault-free accumulators of a unit in bit-planes.
  struct Sliced {
    Aligned<uint64_t> planes;
    bool valid = false;  // of the present image
  };
  void slice(int u);
  void bit_row(int u, int y, const Rect& area, Target golden, Target to);
  void bit_single(int u, const uint64_t* golden, uint64_t* out);
  void bit_listed(int u, int pixel, int lanes, const Listed& listed, const uint64_t* golden, uint64_t* out);
  void bit_pair(int u, int pixel, bool both, const Listed& listed, uint64_t* out);
  template <bool Zeros>
  void bit_pixel(int u, int pixel, const Listed& listed, uint64_t* out);
  template <bool Zeros>
  void bit_sums(int u, int pixel, const Listed& listed, uint64_t* out);

  Sliding sliding_;
  std::vector<int> few_;  // changes in front of each unit that are always added as columns, where it is whole
  Changes changes_;
  std::vector<int32_t> columns_;     // offsets of the weight columns that a row of pixels adds, pixel by pixel
  std::vector<uint16_t> columns16_;  // the same where columns are bits, of two pixels side by side in halves
  std::vector<int32_t> counts_;      // how many for each pixel
  std::vector<int32_t> sizes_;       // the same, filled up
  std::vector<Sliced> sliced_;       // of each unit
  int usual_ = 1;                    // vectors of 16 that a row of taps usually adds
};

}  // namespace fat
