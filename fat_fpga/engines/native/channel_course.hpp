// A single changed channel behind which there are operators that work channel by channel: it is followed alone, over
// all its pixels, as far as they go.
#pragma once

#include "image.hpp"

namespace fat {

class ChannelCourse : Part {
 public:
  explicit ChannelCourse(Image& image) : Part(image), golden_(model_.streams.size()) {}

  // A new image: what was derived from the last one is void.
  void forget();

  // Whether the only reader of a stream works channel by channel.
  bool fit(int stream) const;

  // From a channel that holds an integer on. Writes the last stream that has it, and, if `every`, all before it; the
  // number of the last.
  int follow(const StreamChange& held, bool every);

 private:
  // One channel of a stream, fault-free [pixel].
  struct Golden {
    int channel = -1;
    std::vector<int32_t> integers;
  };

  const std::vector<int32_t>& golden(int stream, int channel);
  void step(const Node& node, int stream);
  void windows(const Node& node, const Stream& in);
  void write(int stream);

  int channel_ = 0;
  std::vector<int32_t> integers_, next_;  // of the channel [pixel]
  std::vector<Golden> golden_;            // of each stream
};

}  // namespace fat
