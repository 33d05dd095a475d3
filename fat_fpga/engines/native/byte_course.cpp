#include "byte_course.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "simd_levels.hpp"

namespace fat {

namespace {

// Bytes of a stream under all faults that go on together: where there are many weights, as many as the second-level
// cache has room for, so that the weights are read seldom; else what the first-level cache has.
constexpr size_t kTogether = size_t(1) << 19, kTogetherNear = 40 << 10, kManyWeights = 48 << 10;

// Costs in the unit of kDenseCost, of 64 bytes: to bring them into levels, and for each threshold; to read and to
// compare them; for each tap where there are as many groups as channels.
constexpr double kLevels = 10, kStep = 2, kReading = 3, kTap = 3;

double cost_of(const Unit& unit, int tiles) {
  const LevelForm& form = unit.form;
  const double out = double(unit.pixels()) * form.out / kBlock, in = double(unit.in.frame_places()) * form.in / kBlock;
  const double products =
      form.lanes ? out * unit.taps() * kTap
                 : tiles * (form.out / kByteOutputs) * unit.kernel_y * ((form.fours + 15) / 16) * kTileCost;
  return products + out * (kLevels + kStep * unit.planes_out()) + in * kReading;
}
}  // namespace

ByteCourse::ByteCourse(Image& image)
    : Part(image),
      bytes_(model_.streams.size()),
      of_node_(model_.nodes.size()),
      rooms_(model_.nodes.size()),
      sums_((4 * kMostPlaces + 4) * kBlock),
      scores_(size_t(kMostTogether) * model_.last().padded()) {
  for (size_t n = 0; n < model_.nodes.size(); ++n) {
    const Node& node = model_.nodes[n];
    Course& course = of_node_[n];
    const Stream& in = model_.streams[node.inputs[0]];
    const bool in_planes = !in.wide(), to_planes = node.kind == Kind::unit || !model_.streams[node.out].wide();
    switch (node.kind) {
      case Kind::unit:
        course.taken = model_.units[node.unit].form.fits;
        if (course.taken) {
          set_unit(course, model_.units[node.unit]);
          course.cost = cost_of(model_.units[node.unit], int(course.tiles.size()));
        }
        break;
      case Kind::pool:
        course.taken = in_planes && to_planes;
        break;
      case Kind::sum:
        course.taken = in_planes && !to_planes;
        break;
      case Kind::thresholding:
        if (join(node)) set_join(course, node);
        if (course.taken) of_node_[node.inputs[0] - 1].taken = true;
        break;
      default:
        break;
    }
  }
  for (size_t s = 0; s + 1 < model_.streams.size(); ++s) {  // the last one is the sums
    const bool planes = !model_.streams[s].wide();
    if (planes) load(int(s), states_[s].golden.data(), bytes_[s].faulty);  // for its padding, which stays
  }
  set_rooms();
}

// From the end to the front: a node whose source is all that it and those behind it read of what is in front of them.
void ByteCourse::set_rooms() {
  int n = int(model_.nodes.size()) - 1;
  if (model_.nodes[n].kind != Kind::unit || !model_.units[model_.nodes[n].unit].last) return;
  if (!takes(n)) {
    if (n == 0 || model_.nodes[n - 1].kind != Kind::sum || model_.nodes[n].inputs[0] != n) return;
    head_.set(model_, model_.nodes[--n]);
    if (!head_.fits()) return;
  }
  int earliest = INT32_MAX, room = kMostTogether;  // the first stream that they read
  size_t before = 0;                               // weights of the node behind
  for (; n > 0 && takes(n); --n) {
    const Node& node = model_.nodes[n];
    const size_t weights = node.kind == Kind::unit ? model_.units[node.unit].form.weights.size() : 0;
    const size_t most = std::max(weights, before) > kManyWeights ? kTogether : kTogetherNear;
    before = weights;
    for (int in : node.inputs) {
      earliest = std::min(earliest, in);
      if (!model_.streams[in].wide()) room = std::clamp(int(most / size(in)), 1, room);
    }
    // Streams that are made in front of node n have numbers up to n.
    if (node.kind == Kind::unit && earliest == n && !model_.streams[n].wide()) rooms_[n] = room;
  }
}

// Rows of windows, or where places follow each other from row to row, all of them.
void ByteCourse::set_unit(Course& course, const Unit& unit) {
  if (unit.form.lanes) return;
  for (int p = 0; p < unit.pixels() && !unit.last; ++p)
    course.outputs.push_back(unit.out.place(p / unit.width, p % unit.width) * unit.form.out);
  const Stream& in = unit.in;
  const bool bare = unit.taps() == 1 && unit.stride_x == 1 && unit.stride_y == 1;
  const bool flat = course.flat = bare && int(in.frame_places()) == unit.pixels() && unit.form.out >= kBlock;
  const bool apart = unit.form.out >= kBlock && !unit.last;  // places fill vectors one by one
  const bool narrow = kFullTiles && !flat && apart && unit.width < kMostPlaces && unit.pixels() > unit.width;
  if (narrow && framed(unit)) return set_frame(course, unit);
  course.gathered = narrow;
  for (int p = 0; p < unit.pixels() && course.gathered; ++p) {
    const int y = p / unit.width * unit.stride_y + unit.origin_y, x = p % unit.width * unit.stride_x + unit.origin_x;
    course.windows.push_back((size_t(y) * in.frame_width() + x) * unit.form.in);
  }
  if (course.gathered)
    gathered_.resize(std::max(gathered_.size(), 4 * kMostPlaces * size_t(unit.kernel_y) * unit.form.row_bytes()));
  const bool on = flat || course.gathered;
  const int width = on ? unit.pixels() : unit.width, height = on ? 1 : unit.height;
  course.places = std::min(width, kMostPlaces);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; x += course.places) {
      const int first = std::min(x, width - course.places);  // the last tile has some places of the one before
      const size_t place =
          size_t(y * unit.stride_y + unit.origin_y) * in.frame_width() + first * unit.stride_x + unit.origin_x;
      course.tiles.push_back({place * unit.form.in, y * unit.width + first});
    }
  }
}

// Whether all places of the frame from the first output to the last one are few more than there are outputs: then
// windows are read where they stand, and need neither the time nor the nearest cache that copies of them would.
bool ByteCourse::framed(const Unit& unit) const {
  constexpr double kMore = 1.3;
  const int all = (unit.height - 1) * unit.in.frame_width() + unit.width;
  const int tiles = (all + kMostPlaces - 1) / kMostPlaces;
  const bool fills = all >= kMostPlaces && tiles * kMostPlaces <= kMore * unit.pixels();
  return unit.stride_x == 1 && unit.stride_y == 1 && fills;
}

void ByteCourse::set_frame(Course& course, const Unit& unit) {
  const int width = unit.in.frame_width(), all = (unit.height - 1) * width + unit.width;
  const std::vector<size_t> outputs = std::move(course.outputs);
  course.framed = true, course.places = kMostPlaces;
  course.outputs.assign(size_t(all), kNowhere);
  for (int p = 0; p < unit.pixels(); ++p) course.outputs[p / unit.width * width + p % unit.width] = outputs[p];
  const size_t origin = size_t(unit.origin_y) * width + unit.origin_x;
  for (int place = 0; place < all; place += kMostPlaces) {
    const int first = std::min(place, all - kMostPlaces);  // the last tile has some places of the one before
    course.tiles.push_back({(origin + first) * unit.form.in, first});
  }
}

// Whether thresholds are behind an addition of levels, which nothing else reads.
bool ByteCourse::join(const Node& node) const {
  const Stream& sums = model_.streams[node.inputs[0]];
  const bool next = node.inputs[0] == node.out - 1 && node.inputs[0] != kImage;
  if (!next || model_.streams[node.out].wide() || sums.readers.size() != 1) return false;
  const Node& add = addition(node);
  if (add.kind != Kind::add) return false;
  return std::none_of(add.inputs.begin(), add.inputs.end(), [this](int in) { return model_.streams[in].wide(); });
}

void ByteCourse::set_join(Course& course, const Node& node) {
  const Node& add = addition(node);
  const Stream& out = model_.streams[node.out];
  int base = 0, most = 0;
  for (int k = 0; k < 2; ++k) {
    const Stream& in = model_.streams[add.inputs[k]];
    course.by[k] = add.factors[k] * in.levels.step;
    base += add.factors[k] * in.levels.base, most += std::abs(course.by[k]) * in.planes;
  }
  if (most > INT8_MAX) return;
  course.taken = true;
  const int width = level_bytes(out.channels), groups = std::max(1, width / kBlock);
  course.thresholds.assign(size_t(groups) * node.steps * kBlock, INT8_MAX);
  for (int g = 0; g < groups; ++g) {
    for (int lane = 0; lane < kBlock; ++lane) {
      const int channel = g * kBlock + lane % width;
      if (channel >= out.channels) continue;
      for (int t = 0; t < node.steps; ++t) {
        const int64_t above = int64_t(node.by_step[size_t(t) * out.channels + channel]) - base - 1;
        course.thresholds[(size_t(g) * node.steps + t) * kBlock + lane] =
            int8_t(std::clamp<int64_t>(above, INT8_MIN, INT8_MAX));
      }
    }
  }
}

void ByteCourse::forget() {
  for (Bytes& bytes : bytes_) bytes.valid = false;
}

bool ByteCourse::golden_cheaper(int n) const {
  const Unit& unit = model_.units[model_.nodes[n].unit];
  if (!kFullTiles || !takes(n) || unit.form.lanes || unit.last || unit.form.out < kBlock) return false;
  if (model_.update == Update::popcount || model_.update == Update::bytes) return model_.update == Update::bytes;
  return cost(n) < unit.pixels() * std::min(kDenseCost * unit.dense_steps(), kByteCost * unit.product_steps());
}

void ByteCourse::begin() {
  for (Bytes& bytes : bytes_) bytes.made = bytes.held = false;
}

size_t ByteCourse::pitch(int stream) const {
  const Stream& of = model_.streams[stream];
  return size_t(of.frame_width()) * level_bytes(of.channels);
}

size_t ByteCourse::at(int stream, int y, int x) const {
  const Stream& of = model_.streams[stream];
  return of.place(y, x) * level_bytes(of.channels);
}

void ByteCourse::load(int stream, const uint64_t* planes, Aligned<uint8_t>& to) {
  const Stream& of = model_.streams[stream];
  const int width = level_bytes(of.channels), words = of.words();
  const size_t places = of.frame_places();
  to.resize(std::max(to.size(), places * width + kFurther));
  // What is written behind a place of few channels is written again by the next; but behind the frame is the padding of
  // the next fault's.
  uint8_t *place = to.data(), *end = place + places * width;
  for (; place + kBlock <= end; place += width, planes += of.pixel_words()) {
    for (int w = 0; w < words; ++w) spread_levels(planes + w, of.planes, words, place + w * kBlock);
  }
  for (; place < end; place += width, planes += of.pixel_words()) {
    alignas(64) uint8_t levels[kBlock];
    spread_levels(planes, of.planes, words, levels);
    std::copy_n(levels, width, place);
  }
}

const uint8_t* ByteCourse::golden_levels(int stream) {
  Bytes& bytes = bytes_[stream];
  if (!bytes.valid) load(stream, states_[stream].golden.data(), bytes.golden);
  bytes.valid = true;
  return bytes.golden.data();
}

const uint8_t* ByteCourse::levels(int stream) {
  if (stream == given_stream_) return given_;
  Bytes& bytes = bytes_[stream];
  if (!bytes.made) {
    if (states_[stream].changed.empty()) return golden_levels(stream);
    load(stream, states_[stream].faulty.data(), bytes.faulty);
    bytes.made = true;
  }
  return bytes.faulty.data();
}

void ByteCourse::hold(const StreamChange& held) {
  const Stream& of = model_.streams[held.stream];
  Bytes& bytes = bytes_[held.stream];
  const uint8_t* from = golden_levels(held.stream);
  std::copy_n(from, size(held.stream), bytes.faulty.data());
  const auto level = uint8_t((held.value - of.levels.base) / of.levels.step);
  const int width = level_bytes(of.channels);
  for (int c = held.channel; c < held.channel_end; c += held.channel_step) {
    for (int y = 0; y < of.height; ++y) {
      uint8_t* place = bytes.faulty.data() + at(held.stream, y, 0) + c;
      for (int x = 0; x < of.width; ++x) place[size_t(x) * width] = level;
    }
  }
  bytes.made = bytes.held = true;
}

void ByteCourse::hold(int stream, int channel, const std::vector<int32_t>& integers) {
  const Stream& of = model_.streams[stream];
  Bytes& bytes = bytes_[stream];
  const uint8_t* from = golden_levels(stream);
  std::copy_n(from, size(stream), bytes.faulty.data());
  const int width = level_bytes(of.channels);
  const int32_t* integer = integers.data();
  for (int y = 0; y < of.height; ++y) {
    uint8_t* place = bytes.faulty.data() + at(stream, y, 0) + channel;
    for (int x = 0; x < of.width; ++x, ++integer, place += width)
      *place = uint8_t(of.levels.step == 1 ? *integer - of.levels.base : (*integer - of.levels.base) / of.levels.step);
  }
  bytes.made = true;
}

bool ByteCourse::differs(const Node& node) const {
  return std::any_of(node.inputs.begin(), node.inputs.end(),
                     [this](int in) { return bytes_[in].made || !states_[in].changed.empty(); });
}

int ByteCourse::run(int n) {
  const int count = int(model_.nodes.size());
  int end = n;
  for (; end < count && takes(end); ++end) {
    const Node& node = model_.nodes[end];
    if (waits(end)) return end;
    const bool joins = node.kind == Kind::thresholding;
    if (node.kind != Kind::add && differs(joins ? addition(node) : node)) step(node);
  }
  for (int stream = 0; stream < int(model_.streams.size()) - 1; ++stream) {
    const std::vector<int>& readers = model_.streams[stream].readers;
    const bool read = std::any_of(readers.begin(), readers.end(), [end](int reader) { return reader >= end; });
    if (bytes_[stream].made && !bytes_[stream].held && states_[stream].changed.empty() && read) write(stream);
  }
  return end;
}

bool ByteCourse::waits(int n) const {
  const int source = model_.nodes[n].inputs[0];
  return rooms_[n] > 0 && (bytes_[source].made || !states_[source].changed.empty());
}

int ByteCourse::run_together(int n, const uint8_t* first, int count) {
  begin();
  count_ = count, given_ = first, given_stream_ = model_.nodes[n].inputs[0];
  bytes_[given_stream_].made = true;
  const int nodes = int(model_.nodes.size());
  int end = n;
  for (; end < nodes && (end == n || rooms_[end] < 2 * count); ++end) {
    const Node& node = model_.nodes[end];
    if (node.kind == Kind::add) continue;
    if (node.kind == Kind::sum && head_.fits()) {
      const uint8_t* from = levels(node.inputs[0]) + at(node.inputs[0], 0, 0);
      for (int k = 0; k < count; ++k, from += size(node.inputs[0]))
        head_.run(from, pitch(node.inputs[0]), scores_.data() + size_t(k) * model_.last().padded());
      end = nodes;
      break;
    }
    step(node);
  }
  count_ = 1, given_ = nullptr, given_stream_ = -1;
  return end;
}

// Of as many faults as go on together.
uint8_t* ByteCourse::made(int stream, int k) {
  Aligned<uint8_t>& to = bytes_[stream].faulty;
  const size_t of = size(stream), had = (to.size() - kFurther) / of;
  if (had < size_t(count_)) {
    to.resize(kMostTogether * of + kFurther);  // what is not used is not touched either
    for (size_t k = had; k < kMostTogether; ++k) std::copy_n(to.data(), of, to.data() + k * of);  // for its padding
  }
  return to.data() + k * of;
}

void ByteCourse::step(const Node& node) {
  const Course& course = of_node_[node.out - 1];
  if (node.kind == Kind::sum) return sum(node);
  if (node.kind == Kind::pool) {
    for (int k = 0; k < count_; ++k) pool(node, k);
  } else if (node.kind == Kind::thresholding) {
    for (int k = 0; k < count_; ++k) join(node, course, k);
  } else {
    const Unit& unit = model_.units[node.unit];
    if (!unit.form.lanes) products(unit, course);
    for (int k = 0; k < count_ && unit.form.lanes; ++k) lanes(unit, k);
    if (unit.last) {
      if (given_ != nullptr) return;
      std::copy_n(scores_.data(), unit.padded(), image_.sums.data());
      image_.classify();
      return;
    }
  }
  if (given_ == nullptr) keep(node.out);
  else bytes_[node.out].made = true;
}

void ByteCourse::keep(int stream) {
  const Stream& of = model_.streams[stream];
  const uint8_t* before = golden_levels(stream);
  const uint8_t* after = bytes_[stream].faulty.data();
  const size_t width = size_t(of.width) * level_bytes(of.channels);
  bytes_[stream].made = false;
  for (int y = 0; y < of.height && !bytes_[stream].made; ++y)
    bytes_[stream].made = std::memcmp(before + at(stream, y, 0), after + at(stream, y, 0), width) != 0;
}

void ByteCourse::write(int stream) {
  const Stream& of = model_.streams[stream];
  image_.settle(stream, of.whole());
  const int width = level_bytes(of.channels), words = of.words();
  alignas(64) int8_t above[kBlock];
  for (int t = 0; t < of.planes; ++t) {
    std::fill_n(above, kBlock, int8_t(t));
    for (int y = 0; y < of.height; ++y) {
      const auto* from = reinterpret_cast<const int8_t*>(bytes_[stream].faulty.data() + at(stream, y, 0));
      uint64_t* to = states_[stream].faulty.data() + of.offset(y, 0) + size_t(t) * words;
      for (int x = 0; x < of.width; ++x, from += width, to += of.pixel_words()) {
        for (int w = 0; w < words; ++w) {
          const int left = of.channels - w * kBlock;
          auto levels = Bytes64::zero();
          levels.add(from + w * kBlock);
          to[w] = levels.above(above) & (left >= kBlock ? ~uint64_t(0) : (uint64_t(1) << left) - 1);
        }
      }
    }
  }
}

}  // namespace fat
