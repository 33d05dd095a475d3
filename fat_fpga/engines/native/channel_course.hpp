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

  // Where a channel ends up.
  struct End {
    int stream, channel;
    bool repeats;   // as in the call before, all of it
    bool constant;  // it holds an integer there
    int32_t integer;
  };

  // From a channel that holds an integer on. Writes the last stream that has it, unless it holds one there, too, and,
  // if `every`, all before it.
  End follow(const StreamChange& held, bool every);

  // The integers that it holds there, and in how many places they are not the fault-free ones.
  const std::vector<int32_t>& integers() const { return integers_; }
  int changes();

  // Writes it where it ended up, where it differs from the fault-free channel.
  void write() { write(stream_); }

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

  int stream_ = 0, channel_ = 0;                 // where the channel is
  std::vector<int32_t> integers_, next_;         // of the channel [pixel]
  int latest_stream_ = -1, latest_channel_ = 0;  // where it ended up in the call before
  std::vector<int32_t> latest_;
  std::vector<Golden> golden_;  // of each stream
};

}  // namespace fat
