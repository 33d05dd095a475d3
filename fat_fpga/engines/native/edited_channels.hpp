// Some channels of a node with other weights, thresholds or accumulator bits, and pixels of units behind activations
// that are no levels: from the fault-free accumulators, what changed in front, and what changed in the words.
#pragma once

#include <vector>

#include "image.hpp"

namespace fat {

class EditedChannels : Part {
 public:
  explicit EditedChannels(Image& image) : Part(image) {}

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

  void threshold_channels(const Fault& fault, const NodeEdit& edit, const Node& node);
  void unit(const Fault& fault, int u, const Rect& area, int changes);
  template <class Acc>
  void begin(int u, const Rect& area);
  void count_bits(const Unit& unit, const Rect& area);
  void list_differences(const Unit& unit, const Rect& outputs);
  void list_strays(const Unit& unit, const Rect& area);
  void add_differences(const Unit& unit, const Rect& area);
  void add_words(const Fault& fault, const Unit& unit, const Rect& area);
  void add_word(const WeightChange& change, const Unit& unit, const Rect& area, size_t i);
  void decide(const Fault& fault, const Unit& unit, const Rect& area);
  void decide_row(const Unit& unit, int y, const Rect& area, size_t i, const int32_t* met_at);
  bool counts(const Unit& unit, const Rect& area, int changes) const;

  std::vector<Channel> wanted_;
  std::vector<Difference> differences_;
  std::vector<int64_t> sums_;  // [pixel of the area][wanted channel]
  std::vector<int32_t> thresholds_;
  std::vector<uint64_t> window_;  // [plane][tap][word]
};

}  // namespace fat
