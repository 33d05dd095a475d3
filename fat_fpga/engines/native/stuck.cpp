// Whole channels stuck. Units that read their stream in planes are followed by tables, or by a list of what one channel
// changes; only for other readers the stream is written.
#include <algorithm>

#include "simulator.hpp"

namespace fat {

constexpr int kMostKnown = 4096;  // levels of a stream of which the answers of stuck channels are kept

Answer Simulator::stuck_channels(const Fault& fault) {
  if (fault.streams[0].channels() == 1) return one_channel(fault.streams[0]);
  follow_stuck(fault);
  return walk(fault.streams[0].stream);
}

// The answer of a channel stuck at a level, if it is one: what other faults came to that left the same channel at the
// same level in the same stream is known, the rest is computed.
template <class Compute>
Answer Simulator::known(int stream, int channel, int level, Compute compute) {
  const Stream& from = model_.streams[stream];
  if (every_stream_ || from.levels.count > kMostKnown || level < 0 || level >= from.levels.count) return compute();
  std::vector<Answer>& answers = known_[stream];
  if (answers.empty()) answers.assign(size_t(from.channels) * from.levels.count, {});
  Answer& kept = answers[size_t(channel) * from.levels.count + size_t(level)];
  if (kept.label < 0 && kept.waits < 0) kept = compute();
  return kept;
}

// One channel that holds an integer.
Answer Simulator::one_channel(const StreamChange& held) {
  const auto index = [this](int stream, int32_t integer) { return model_.streams[stream].levels.index(integer); };
  if (!course_.fit(held.stream)) {
    const bool planes = latest_->form == Fault::Form::channels;
    return known(held.stream, held.channel, planes ? latest_->level : index(held.stream, held.value), [&] {
      if (!planes) {
        present_.push_back({held.stream, &held, nullptr});
        return walk(0);
      }
      follow_stuck(*latest_);
      return walk(held.stream);
    });
  }
  const ChannelCourse::End end = course_.follow(held, every_stream_);
  if (end.repeats) return course_answer_;
  const auto from_end = [&] {
    const int reader = model_.streams[end.stream].readers.empty() ? -1 : model_.streams[end.stream].readers[0];
    if (reader >= 0 && course_possible(reader) && !trials_.rests(reader) &&
        course_pays(reader, course_.changes(), true)) {
      byte_course_.begin();
      byte_course_.hold(end.stream, end.channel, course_.integers());
      const int next = run_course(reader);
      return waiting_ >= 0 ? put_off() : walk(next);
    }
    course_.write();
    follow(end.stream);
    return walk(end.stream);
  };
  if (!end.constant) return course_answer_ = from_end();
  return course_answer_ = known(end.stream, end.channel, index(end.stream, end.integer), from_end);
}

void Simulator::follow_stuck(const Fault& fault) {
  stuck_ = &fault, written_ = false;
  for (int reader : model_.streams[fault.streams[0].stream].readers) last_reader_ = std::max(last_reader_, reader);
}

// Whether a node read the stuck channels in a way of its own, and is done.
bool Simulator::behind_stuck(const Node& node) {
  const StreamChange& held = stuck_->streams[0];
  if (std::find(node.inputs.begin(), node.inputs.end(), held.stream) == node.inputs.end()) return false;
  if (node.kind == Kind::unit && model_.units[node.unit].reads_planes()) {
    const int u = node.unit;
    const Unit& unit = model_.units[u];
    const bool packed = joins_.has_unit(u) || packs(unit);
    if (!packed && tables_.fit(unit)) {
      if (tables_.unit(u, *stuck_) && unit.out.wide()) image_.take_front(u, unit.whole(), false);
      return true;
    }
    if (!packed && held.channels() == 1 && !written_) {
      changed_.list_channel(u, held.channel, stuck_->level);
      if (changed_.count() == 0) return true;
      if (changed_.cheapest(u, unit.whole()) == Update::sparse) {
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
