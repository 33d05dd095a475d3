#include "simulator.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "simd.hpp"

namespace fat {

Simulator::Simulator(const Model& model)
    : model_(model),
      image_(model),
      dense_(image_),
      bytes_(image_),
      changed_(image_),
      packed_(image_),
      joins_(image_, packed_),
      integers_(image_),
      tables_(image_),
      course_(image_),
      depthwise_(image_),
      grouped_(image_),
      channels_(image_),
      edited_(image_, dense_),
      small_(image_),
      byte_course_(image_),
      trials_(model.nodes.size(), model.by_chance),
      queues_(image_, byte_course_, trials_),
      known_(model.streams.size()) {}

int Simulator::golden(const uint8_t* image) {
  image_.begin();
  byte_course_.forget();
  image_.quantise(image);
  image_.states[kImage].dirty = model_.streams[kImage].whole();
  for (const Node& node : model_.nodes) {
    if (node.kind == Kind::unit) golden_unit(node.unit);
    else small_.golden(node);
  }
  image_.classify();
  image_.golden_class = image_.label;
  image_.golden_raw = image_.raw, image_.golden_scores = image_.scores;
  image_.begin();
  tables_.forget(), changed_.forget(), packed_.forget(), joins_.forget(), course_.forget(), channels_.forget();
  for (auto& answers : known_) answers.clear();
  queues_.forget();
  stuck_ = latest_ = nullptr;
  return image_.golden_class;
}

void Simulator::golden_unit(int u) {
  const Unit& unit = model_.units[u];
  const int n = model_.node_of[u];
  const Target to = image_.golden_front(u);
  if (depthwise_.fit(unit)) depthwise_.golden(u, to);
  else if (unit.groups > 1) grouped_.golden(u, to);
  else if (unit.in.wide()) dense_.from_integers(u, to);
  else if (byte_course_.golden_cheaper(n)) byte_course_.golden(n, to);
  else if (bytes_.cheaper(unit)) bytes_.golden(u, to);
  else dense_.from_planes(u, image_.states[unit.source].golden.data(), unit.whole(), to, true);
  if (unit.last) return;
  if (unit.out.wide()) image_.take_front(u, unit.whole(), true);
  image_.states[unit.behind].dirty = unit.whole();
}

Answer Simulator::faulty(const Fault& fault, int64_t frame) {
  const Trials::Timed timed(trials_);
  image_.begin();
  stuck_ = nullptr, latest_ = &fault, last_reader_ = -1;
  alone_ = fault.edits.size() == 1 && fault.edits[0].channels.size() == 1;
  // Levels of the same channel follow each other, and leave much the same behind them.
  const bool channels = !fault.passed.empty();
  packed_.begin(channels ? int64_t(fault.streams[0].stream) << 32 | fault.streams[0].channel : --other_key_);
  present_.clear();
  switch (fault.form) {
    case Fault::Form::nothing:
      return answer();
    case Fault::Form::channels:
      return stuck_channels(fault);
    case Fault::Form::held:
      if (!fault.passed.empty() && fault.streams[0].channels() == 1) return one_channel(fault.streams[0]);
      break;
    case Fault::Form::mixed:
      break;
  }
  return mixed(fault, frame);
}

// Whatever is changed in streams and words.
Answer Simulator::mixed(const Fault& fault, int64_t frame) {
  auto held = fault.streams.begin();
  auto [flip, end] = fault.flips_of(frame);
  while (held != fault.streams.end() || flip != end) {
    const bool is_held = flip == end || (held != fault.streams.end() &&
                                         std::tie(held->stream, held->order) < std::tie(flip->stream, flip->order));
    if (is_held) present_.push_back({held->stream, &*held, nullptr}), ++held;
    else present_.push_back({flip->stream, nullptr, flip}), ++flip;
  }
  return walk(0);
}

// From what is changed in the streams that are present, and the words of the latest fault, to the answer: nodes from
// number `n` on.
Answer Simulator::walk(int n) {
  begin_joins();
  auto next = present_.begin();
  const auto hold_at = [&](int stream) {
    for (; next != present_.end() && next->stream == stream; ++next) {
      if (next->held != nullptr) hold(*next->held);
      else flip(*next->flip);
    }
    follow(stream);
  };
  hold_at(kImage);
  auto edit = latest_->edits.begin();
  const auto edits_end = latest_->edits.end();
  for (;; ++n) {
    if (n > last_reader_) {  // nothing is changed any more
      if (next == present_.end() && edit == edits_end) break;
      n = std::min(next == present_.end() ? INT32_MAX : next->stream - 1, edit == edits_end ? INT32_MAX : edit->node);
    }
    if (next == present_.end() && edit == edits_end && begins_course(n)) {
      byte_course_.begin();
      if (stuck_ != nullptr && !written_) byte_course_.hold(stuck_->streams[0]);
      n = run_course(n) - 1;
      if (waiting_ >= 0) return put_off();
      continue;
    }
    const bool edited = edit != edits_end && edit->node == n;
    update(n, edited ? &*edit : nullptr);
    if (edited) ++edit;
    hold_at(model_.nodes[n].out);
  }
  return answer();
}

// Whether what is left of the program, from a unit on, may be computed from levels in bytes. Units with one bit for a
// weight are followed in less time; what has changed in front of them is not even counted.
bool Simulator::course_possible(int n) {
  if (every_stream_ || model_.nodes[n].kind != Kind::unit || !byte_course_.takes(n)) return false;
  if (model_.update == Update::bytes) return true;
  const Unit& unit = model_.units[model_.nodes[n].unit];
  return model_.update == Update::automatic && (unit.zeros || (unit.bit_columns.empty() && !unit.last));
}

// Whether that costs less than to follow so many changed activations in front of a unit. Where it could, it is tried:
// they become more or fewer on their way.
bool Simulator::course_pays(int n, double changes, bool counted) {
  constexpr double kSpread = 10, kFollowing = 2;
  if (model_.update == Update::bytes) return true;
  const Unit& unit = model_.units[model_.nodes[n].unit];
  const double uses = changes * unit.taps() / (unit.stride_y * unit.stride_x);
  const double vectors = unit.groups > 1 ? 1 : unit.lanes > 0 ? unit.lanes / double(kBlock) : unit.blocks();
  if (!model_.by_chance && kSpread * uses * (vectors + kFollowing) < byte_course_.cost(n)) return false;
  return trials_.choose(n, changes, counted) == 1;
}

// How many bits of planes of a stream are changed, by some of its rows.
double Simulator::changes_of(int stream) const {
  const Stream& of = model_.streams[stream];
  const Image::State& state = image_.states[stream];
  const Rect area = state.changed;
  const int every = std::max(1, (area.y1 - area.y0) / 6);
  int bits = 0;
  for (int y = area.y0 + every / 2; y < area.y1; y += every) {
    const size_t first = of.offset(y, area.x0), count = size_t(area.x1 - area.x0) * of.pixel_words();
    for (size_t i = first; i < first + count; ++i) bits += popcount(state.golden[i] ^ state.faulty[i]);
  }
  return double(every) * bits;
}

// Whether all that is left of the program, from a unit on, is to be computed from levels in bytes.
bool Simulator::begins_course(int n) {
  if (!course_possible(n) || joins_.pending(n)) return false;
  const Node& node = model_.nodes[n];
  const int source = node.inputs[0];
  const bool stuck = stuck_ != nullptr && !written_ && stuck_->streams[0].stream == source;
  if (!stuck && image_.states[source].changed.empty()) return false;
  for (size_t s = 0; s + 1 < model_.streams.size(); ++s) {
    const Image::State& state = image_.states[s];
    const Stream& stream = model_.streams[s];
    const bool read = !stream.readers.empty() && stream.readers.back() >= n;
    if (read && !state.changed.empty() && (stream.wide() || !state.strays.empty())) return false;
  }
  if (!stuck) return !trials_.rests(n) && course_pays(n, changes_of(source), true);
  const Unit& unit = model_.units[node.unit];
  const bool tabulated = model_.update == Update::automatic && tables_.fit(unit) && !packs(unit);
  const double share = stuck_->streams[0].channels() * 0.5;
  return !tabulated && course_pays(n, share * unit.in.planes * unit.in.height * unit.in.width, false);
}

// The number of the node to go on with; or the fault waits for others.
int Simulator::run_course(int n) {
  n = byte_course_.run(n);
  const bool waits = n < int(model_.nodes.size()) && byte_course_.waits(n);
  waiting_ = waits ? queues_.wait(n, strays()) : -1;
  for (size_t s = 0; s + 1 < model_.streams.size() && !waits; ++s) follow(int(s));
  if (!waits) leave_joins();
  return n;
}

// Of a fault that waits for others.
Answer Simulator::put_off() const {
  Answer answer;
  answer.waits = waiting_;
  return answer;
}

// What the latest run has come to.
Answer Simulator::answer() const {
  Answer answer = image_.answer(compares_);
  answer.seen |= strays();
  return answer;
}

// What an answer says of the streams that are watched.
uint8_t Simulator::strays() const {
  const bool any = std::any_of(watched_.begin(), watched_.end(),
                               [this](int stream) { return !image_.states[stream].strays.empty(); });
  return any ? Answer::no_level : 0;
}

// Whether blocks may go in one step under the latest fault. What it changes within one needs the streams there.
void Simulator::begin_joins() {
  if (!joins_.any()) return;
  const bool sparse = model_.update == Update::automatic || model_.update == Update::sparse;
  const bool levels =
      std::all_of(present_.begin(), present_.end(), [](const Present& at) { return at.flip == nullptr; });
  joins_.begin(sparse && levels && !every_stream_ && latest_->edits.empty());
  for (const Present& at : present_) joins_.leave(at.stream);
  if (stuck_ != nullptr) joins_.leave(stuck_->streams[0].stream);
  leave_joins();
}

// Blocks a part of which is written already, as by a course in bytes that ended within them, do not go in one step.
void Simulator::leave_joins() {
  if (!joins_.any()) return;
  for (size_t s = 0; s + 1 < model_.streams.size(); ++s) {
    if (!image_.states[s].changed.empty()) joins_.leave(int(s));
  }
}

// A node behind what is changed, or with changed words.
void Simulator::update(int n, const NodeEdit* edit) {
  const Node& node = model_.nodes[n];
  if (edit == nullptr) update(node);
  else if (node.kind == Kind::unit && model_.units[node.unit].reads_planes()) update_edited(*edit);
  else update(node), channels_.channels(*latest_, *edit, 0);
  const bool strays = std::any_of(node.inputs.begin(), node.inputs.end(),
                                  [this](int stream) { return !image_.states[stream].strays.empty(); });
  if (strays) channels_.behind_strays(*latest_, edit, n);
}

// A unit behind planes with changed words: anew, or what changes of it.
void Simulator::update_edited(const NodeEdit& edit) {
  const int u = model_.nodes[edit.node].unit;
  const Rect area = list_planes(u);
  const int changes = area.empty() ? 0 : changed_.count();
  if (whole_is_cheaper(edit, area, changes)) return edited_unit(edit);
  if (changes > 0) recompute(u, area);
  channels_.channels(*latest_, edit, changes);
}

bool Simulator::whole_is_cheaper(const NodeEdit& edit, const Rect& area, int changes) const {
  if (model_.update != Update::automatic) return model_.update == Update::popcount;
  const int u = model_.nodes[edit.node].unit;
  const Unit& unit = model_.units[u];
  return (changes > 0 && changed_.cheapest(u, area) == Update::popcount) ||
         EditedChannels::cost(unit, edit, changes) >= EditedUnit::cost(unit, edit);
}

void Simulator::edited_unit(const NodeEdit& edit) {
  const int u = model_.nodes[edit.node].unit;
  const Unit& unit = model_.units[u];
  if (!unit.last) image_.settle(unit.behind, unit.whole());
  edited_.unit(*latest_, edit, image_.faulty_front(u));
  if (!unit.last && unit.out.wide()) image_.take_front(u, unit.whole(), false);
}

// A stream may be changed: those who read it are to be updated.
void Simulator::follow(int stream) {
  if (image_.states[stream].changed.empty()) return;
  for (int reader : model_.streams[stream].readers) last_reader_ = std::max(last_reader_, reader);
}

// A node behind what is changed.
void Simulator::update(const Node& node) {
  if (stuck_ != nullptr && behind_stuck(node)) return;
  if (joins_.node(node.out - 1, last_reader_)) return;
  const bool any = std::any_of(node.inputs.begin(), node.inputs.end(),
                               [this](int stream) { return !image_.states[stream].changed.empty(); });
  if (!any) return;
  if (node.kind == Kind::unit) update_unit(node.unit);
  else small_.update(node);
}

void Simulator::update_unit(int u) {
  const Unit& unit = model_.units[u];
  const Rect& changed = image_.states[unit.source].changed;
  if (unit.groups > 1 && !depthwise_.fit(unit)) {
    if (grouped_.update(u) && unit.last) image_.classify();
    return;
  }
  if (unit.reads_planes()) return update_planes(u);
  const Rect area = unit.windows().touching(changed.moved(unit.in.top, unit.in.left));
  if (area.empty()) return;
  const bool lanes = depthwise_.fit(unit);
  if (!(lanes ? depthwise_.find(u, area) : integers_.find(u, changed) > 0)) return;
  if (!unit.last) image_.settle(unit.behind, area);
  if (lanes) depthwise_.update(u, area, image_.faulty_front(u));
  else integers_.unit(u, area, image_.faulty_front(u));
  if (unit.last) image_.classify();
  else if (unit.out.wide()) image_.take_front(u, area, false);
}

void Simulator::update_planes(int u) {
  if (joins_.has_unit(u)) {
    last_reader_ = std::max(last_reader_, joins_.unit(u));
    return;
  }
  const Unit& unit = model_.units[u];
  if (model_.update == Update::automatic && dense_.counts_scores(unit)) {
    dense_.scores(unit, image_.states[unit.source].faulty.data());
    image_.classify();
    return;
  }
  const bool alone = std::exchange(alone_, false) || model_.by_chance;
  if (packs(unit) && update_packed(u)) return;
  if (alone && update_tabled(u)) return;
  const Rect area = list_planes(u);
  if (!area.empty() && changed_.count() > 0) recompute(u, area);
}

// Whether a unit goes through Packed: where several pixels share a vector, and in networks of residual blocks, where a
// fault has much in common with the one before.
bool Simulator::packs(const Unit& unit) const {
  if (model_.update != Update::automatic && model_.update != Update::sparse) return false;
  return unit.narrow() || (unit.lanes > 0 && joins_.any());
}

// A unit of few outputs with several pixels in a vector; false where all products cost less.
bool Simulator::update_packed(int u) {
  const Unit& unit = model_.units[u];
  const Rect area = packed_.take_up(u, image_.states[unit.source].changed);
  if (area.empty()) return true;
  image_.settle(unit.behind, area);
  packed_.planes(u, area, image_.faulty_front(u));
  return true;
}

// A unit behind a single channel that differs, by tables of its columns; false where there is no such channel, or
// another way costs less.
bool Simulator::update_tabled(int u) {
  const Unit& unit = model_.units[u];
  if (model_.update != Update::automatic || !tables_.fit(unit)) return false;
  if (changed_.slides(u) && !model_.by_chance) return false;  // which takes as long
  const Rect& changed = image_.states[unit.source].changed;
  const Rect area = unit.windows().touching(changed.moved(unit.in.top, unit.in.left));
  if (area.empty()) return false;
  const double cost = tables_.cost(u, area);
  const auto pays = [&](int bits) { return cost < changed_.cost(u, bits, area); };
  if (!model_.by_chance && !pays(changed.pixels() * unit.in.planes)) return false;
  const auto [channel, bits] = image_.only_channel(unit.source);
  if (channel < 0 || !(model_.by_chance ? bits % 2 == 0 : pays(bits))) return false;
  image_.settle(unit.behind, area);
  tables_.one_channel(u, channel, changed, area);
  if (unit.out.wide()) image_.take_front(u, area, false);
  return true;
}

// Lists what changed in the planes in front of a unit; the area behind it, empty where that is sure to be nothing.
Rect Simulator::list_planes(int u) {
  const Unit& unit = model_.units[u];
  const Rect& changed = image_.states[unit.source].changed;
  const Rect area = unit.windows().touching(changed.moved(unit.in.top, unit.in.left));
  if (!area.empty()) changed_.find(u, changed, area);
  return area;
}

// An area of a unit behind the changes that are listed, by the cheaper way.
void Simulator::recompute(int u, const Rect& area) {
  const Unit& unit = model_.units[u];
  const Target to = image_.faulty_front(u);
  if (!unit.last) image_.settle(unit.behind, area);
  const Update way = changed_.cheapest(u, area);
  if (way == Update::sparse) changed_.unit(u, area, to);
  else if (way == Update::bytes) products(u, area, to);
  else dense_.from_planes(u, image_.states[unit.source].faulty.data(), area, to, false);
  if (unit.last) image_.classify();
  else if (unit.out.wide()) image_.take_front(u, area, false);
}

// An area of a unit anew where its windows have a change.
void Simulator::products(int u, const Rect& area, Target to) {
  const Unit& unit = model_.units[u];
  if (!unit.last) image_.copy_front(u, area, to);
  changed_.reached(u, area, reached_);
  bytes_.load(u, area);
  bytes_.pixels(u, reached_, to);
}

int Simulator::ranked_before(int64_t label) const {
  const auto& scores = image_.reached ? image_.scores : image_.golden_scores;
  if (label < 0 || label >= int64_t(scores.size())) return int(scores.size());
  int before = 0;
  for (int64_t c = 0; c < int64_t(scores.size()); ++c) {
    before += scores[c] > scores[label] || (scores[c] == scores[label] && c < label);
  }
  return before;
}

void Simulator::stream(int number, int32_t* out) const {
  const int sums = int(model_.streams.size()) - 1;
  if (number >= sums) {
    const auto& golden = number == sums ? image_.golden_raw : image_.golden_scores;
    const auto& scores = number == sums ? image_.raw : image_.scores;
    const auto& shown = image_.reached ? scores : golden;
    std::copy(shown.begin(), shown.end(), out);
    return;
  }
  const Stream& stream = model_.streams[number];
  const int pixels = stream.height * stream.width;
  const std::vector<int32_t> integers = image_.integers_of(number);
  for (int c = 0; c < stream.channels; ++c) {
    for (int p = 0; p < pixels; ++p) out[size_t(c) * pixels + p] = integers[size_t(p) * stream.channels + c];
  }
  if (latest_ == nullptr) return;
  for (const HeldChannels& held : latest_->passed) {  // not all of which hold them
    if (held.stream != number) continue;
    const StreamChange& change = latest_->streams[0];
    for (int c = change.channel; c < change.channel_end; c += change.channel_step) {
      std::fill_n(out + size_t(c) * pixels, pixels, held.value);
    }
  }
}

}  // namespace fat
