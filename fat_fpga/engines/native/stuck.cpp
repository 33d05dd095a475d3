// Whole channels stuck. Units that read their stream in planes are followed by tables, or by a list of what one channel
// changes; only for other readers the stream is written.
#include <algorithm>

#include "simulator.hpp"

namespace fat {

// From where on nodes are to be updated.
int Simulator::stuck_channels(const Fault& fault) {
  const StreamChange& held = fault.streams[0];
  if (held.channels() == 1 && course_.fit(held.stream)) {
    const int last = course_.follow(held, every_stream_);
    follow(last);
    return last;
  }
  stuck_ = &fault, written_ = false;
  for (int reader : model_.streams[held.stream].readers) last_reader_ = std::max(last_reader_, reader);
  return held.stream;
}

// Whether a node read the stuck channels in a way of its own, and is done.
bool Simulator::behind_stuck(const Node& node) {
  const StreamChange& held = stuck_->streams[0];
  if (std::find(node.inputs.begin(), node.inputs.end(), held.stream) == node.inputs.end()) return false;
  if (node.kind == Kind::unit && model_.units[node.unit].reads_planes()) {
    const int u = node.unit;
    const Unit& unit = model_.units[u];
    if (tables_.fit(unit)) {
      if (tables_.unit(u, *stuck_) && unit.out.wide()) image_.take_front(u, unit.whole(), false);
      return true;
    }
    if (held.channels() == 1 && !written_) {
      changed_.list_channel(u, held.channel, stuck_->level);
      if (changed_.count() == 0) return true;
      if (changed_.cheaper(unit, unit.whole())) {
        recompute(u, unit.whole());
        return true;
      }
    }
  }
  if (!written_) hold(held);
  written_ = true;
  return false;
}

}  // namespace fat
