// Some channels of a node with other weights, thresholds or accumulator bits, and pixels of units behind activations
// that are no levels: from the fault-free accumulators, what changed in front, and what changed in the words.
#pragma once

#include <vector>

#include "image.hpp"
#include "near_thresholds.hpp"

namespace fat {

// How many thresholds an integer meets, in whatever order they stand.
inline int count_met(const int32_t* thresholds, int count, int64_t integer) {
  int met = 0;
  for (int t = 0; t < count; ++t) met += integer >= thresholds[t];
  return met;
}

class EditedChannels : Part {
 public:
  explicit EditedChannels(Image& image) : Part(image), near_(image) {}

  // A new image: what was derived from the last one is void.
  void forget() { near_.forget(); }

  // The channels of an edit, over all pixels, into the faulty stream of their node, which is up to date but for them;
  // in the last unit the image's scores. `changes`: about how many plane bits changed in front.
  void channels(const Fault& fault, const NodeEdit& edit, int changes);

  // What strays in front of a node change behind it, which is up to date but for them; `edit` of the node, or null.
  void behind_strays(const Fault& fault, const NodeEdit* edit, int n);

  // Cost of `channels` in units of adding 64 weights, where so many plane bits (or integers) changed in front.
  static double cost(const Unit& unit, const NodeEdit& edit, int changes);

 private:
  // An activation that differs from the fault-free one, in the network's integers.
  struct Difference {
    int y, x, channel;
    int32_t by;
    bool stray;  // by how much a stray differs from what the stream holds in its place
  };
  // A channel that is computed, and what is changed in it, or null.
  struct Channel {
    int number;
    const ChannelEdit* edit;
  };

  // edited_channels.cpp: which outputs have to be computed
  void threshold_channels(const Fault& fault, const NodeEdit& edit, const Node& node);
  void unit(const Fault& fault, int u, const Rect& area, int changes);
  bool near_is_enough(const Fault& fault, const Unit& unit, const ChannelEdit& edit) const;
  void near_channel(const Fault& fault, int u, const ChannelEdit& edit, const uint64_t* near, const Rect& done);
  void near_output(const Fault& fault, int u, const ChannelEdit& edit, int y, int x);
  bool counts(const Unit& unit, const Rect& area, int changes) const;

  // edited_sums.cpp: their sums. Of few channels those of a channel are side by side, of many those of a pixel.
  void lay_out(const Rect& area);
  int64_t* sum(size_t i, int pixel) { return sums_.data() + i * channel_step_ + size_t(pixel) * pixel_step_; }
  void begin(int u, const Rect& area);
  template <class Acc>
  void take_accumulators(int u, const Rect& area);
  void count_bits(const Unit& unit, const Rect& area);
  void take_window(const Unit& unit, const uint64_t* from);
  void list_differences(const Unit& unit, const Rect& outputs);
  void list_strays(const Unit& unit, const Rect& area);
  void add_differences(const Unit& unit, const Rect& area);
  void add_words(const Fault& fault, const Unit& unit, const Rect& area);
  void add_word(const WeightChange& change, const Unit& unit, const Rect& area, size_t i);

  // edited_outputs.cpp: what they make of them
  void decide(const Fault& fault, const Unit& unit, const Rect& area);
  void decide_row(const Unit& unit, int y, const Rect& area, size_t i, const int32_t* met_at);

  NearThresholds near_;
  std::vector<Channel> wanted_;
  std::vector<Difference> differences_;
  std::vector<int64_t> sums_;
  size_t pixel_step_ = 1, channel_step_ = 1;
  std::vector<int32_t> thresholds_;
  std::vector<uint64_t> differs_;  // of the outputs of a row: 1 where the stream held another one
  std::vector<uint64_t> window_;   // [plane][tap][word]
};

}  // namespace fat
