// Held activations: boxes of streams.
#include <algorithm>

#include "simulator.hpp"

namespace fat {

// Writes them over what the stream holds under the present fault.
void Simulator::hold(const StreamChange& change) {
  const Stream& stream = model_.streams[change.stream];
  Image::State& state = image_.states[change.stream];
  if (state.changed.empty()) image_.settle(change.stream, {});
  const Rect& area = change.area;
  const int words = stream.words(), masked = int(change.mask.size());
  const int level = stream.wide() ? 0 : (change.value - stream.levels.base) / stream.levels.step;
  for (int y = area.y0; y < area.y1; ++y) {
    if (stream.wide()) {
      int32_t* pixel = state.faulty_integers.data() + stream.place(y, area.x0) * stream.channels;
      for (int x = area.x0; x < area.x1; ++x, pixel += stream.channels) {
        for (int c = change.channel; c < change.channel_end; c += change.channel_step) pixel[c] = change.value;
      }
      continue;
    }
    uint64_t* plane = state.faulty.data() + stream.offset(y, area.x0);
    for (int x = area.x0; x < area.x1; ++x) {
      for (int t = 0; t < stream.planes; ++t, plane += words) {
        for (int w = 0; w < masked; ++w) {
          plane[w] = t < level ? plane[w] | change.mask[w] : plane[w] & ~change.mask[w];
        }
      }
    }
  }
  state.changed.include(area);
  state.dirty.include(area);
}

// Whether a flipped bit gives another of the levels of its stream; the change then holds it. What the nodes behind keep
// of streams, and how wide their sums are, counts on levels.
bool Simulator::as_held(StreamChange& flip) const {
  const Stream& stream = model_.streams[flip.stream];
  const int64_t value = flip.bits.apply(image_.golden_integer(flip.stream, flip.area.y0, flip.area.x0, flip.channel));
  flip.frame = -1;
  flip.value = int(value);
  return stream.levels.has(value);
}

}  // namespace fat
