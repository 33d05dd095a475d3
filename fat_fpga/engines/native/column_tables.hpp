// A unit right behind stuck channels, or behind a single channel that changed in whatever way: only those channels'
// weight columns count. Which taps of a window changed is a small bit pattern for each row of the kernel, and the sum
// of the columns of every pattern is tabulated once per channel and image.
#pragma once

#include "image.hpp"

namespace fat {

class ColumnTables : Part {
 public:
  explicit ColumnTables(Image& image);

  // A new image: what was derived from the last one is void.
  void forget();

  // Whether a unit can be followed by tables.
  bool fit(const Unit& unit) const;

  // The planes of unit u, which reads the stream of the stuck channels; false if nothing changes, and then nothing is
  // written.
  bool unit(int u, const Fault& fault);

  // An area of the planes of unit u behind a single channel that differs, within a changed area of its stream.
  void one_channel(int u, int channel, const Rect& changed, const Rect& outputs);

  // What that costs, in the unit of kDenseCost.
  double cost(int u, const Rect& outputs) const;

 private:
  // How the outputs of an area are looked up: by patterns of so many planes of each group, of which the first ones were
  // raised where they changed, and the others lowered.
  struct Pass {
    int planes, raised;
    Rect area;
    uint32_t others = 0;  // further levels, as bits, that they are made at in the same pass,
    int level = 0;        // and the level of the pass itself
  };

  // Where a row of pixels looks up sums of columns: the patterns of its taps, and their table.
  struct Lookup {
    const uint8_t* patterns;
    const int8_t* table;
  };

  // What is kept for a unit: tables of some channels in front of it.
  struct Tabled {
    int channel = 0, channels = 0, step = 0;    // no channels: of none
    int group = 1;                              // channels that share a table
    uint32_t known = 0;                         // levels, as bits, at which `others` has the unit's planes
    std::vector<uint8_t> golden_rows;           // of those channels, fault-free: bitmap [channel][plane][row]
    std::vector<uint8_t> inside;                // which columns of the frame are no padding: bitmap
    Aligned<int8_t> sums;                       // of columns [group][tap row][subset of taps][padded outputs]
    std::vector<int8_t> all_raised;             // sum of all columns in them [padded outputs]
    std::vector<std::vector<uint64_t>> others;  // the unit's planes under the channels stuck at another level, by level
  };

  // Thresholds of a unit less its fault-free accumulators.
  struct Margins {
    Aligned<int8_t> bytes;  // within a byte [pixel][plane][padded outputs]
    bool valid = false;     // of the present image
  };

  // column_tables.cpp: tables, and what changed
  void build(int u, int first, int channels, int step);
  void gather_rows(int u, const uint64_t* planes, int channel, int y0, int y1, uint8_t* rows) const;
  bool channel_changes(int u, const Fault& fault);
  Pass differences(int u, const Rect& changed);
  bool difference(int u, int plane, bool raised, const Rect& changed, uint8_t* rows) const;
  void make_patterns(int u, const Pass& pass);

  // lookups.cpp: the unit's outputs from them
  void look_up(int u, const Pass& pass);
  const int8_t* margins(int u);
  void take_known(int u, int level);
  int lookups(int u, int planes) const;
  template <class Sink>
  void each_row(int u, const Pass& pass, Sink sink);
  void margin_pixels(int u, const Pass& pass);
  template <int Fixed, int Raised, int PlanesOut, int More>
  void margin_rows(int u, const Pass& pass);
  template <int Fixed, int Raised>
  void margin_pixels(int u, const Pass& pass);
  template <class Acc>
  void table_pixels(int u, const Pass& pass);

  std::vector<uint8_t> rows_;      // which places of channels changed: bitmap [channel][plane][row of the frame]
  std::vector<uint8_t> faulty_;    // a channel under the present fault: bitmap [plane][row]
  size_t row_bytes_ = 0;           // of a row of these, a multiple of 8
  std::vector<Tabled> tabled_;     // of each unit
  std::vector<uint8_t> patterns_;  // subsets of taps that changed [group][plane][row of the frame][output column]
  std::vector<Lookup> lookups_;    // of one row of pixels
  std::vector<Margins> margins_;   // of each unit
  // Further levels that outputs are made at in the same pass: what sums of columns have more than at the level before
  // [padded outputs], and where planes go.
  std::vector<int8_t> steps_;
  std::vector<uint64_t*> further_;
};

}  // namespace fat
