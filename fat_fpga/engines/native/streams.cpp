// Changes of streams: boxes of held activations, and flipped bits.
#include <algorithm>

#include "simulator.hpp"

namespace fat {

// Writes them over what the stream holds under the present fault.
void Simulator::hold(const StreamChange& change) {
  const Stream& stream = model_.streams[change.stream];
  Image::State& state = image_.states[change.stream];
  if (state.changed.empty()) image_.settle(change.stream, {});
  const Rect& area = change.area;
  auto& strays = state.strays;
  const auto covered = [&change](const Stray& stray) {
    return change.area.has(stray.y, stray.x) && stray.channel >= change.channel && stray.channel < change.channel_end &&
           (stray.channel - change.channel) % change.channel_step == 0;
  };
  strays.erase(std::remove_if(strays.begin(), strays.end(), covered), strays.end());
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

// The bits of one activation, from what the stream holds under the present fault.
void Simulator::flip(const Flip& flip) {
  const int64_t value = flip.bits.apply(image_.integer(flip.stream, flip.row, flip.column, flip.channel));
  image_.put_any(flip.stream, flip.row, flip.column, flip.channel, value);
}

}  // namespace fat
