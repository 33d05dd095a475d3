#include "byte_course.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "simd_levels.hpp"

namespace fat {

namespace {
constexpr int kMostPlaces = 16;      // in a tile
constexpr size_t kFurther = 4 * 64;  // bytes behind the end that vectors read and write

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
    : Part(image), bytes_(model_.streams.size()), of_node_(model_.nodes.size()), sums_((4 * kMostPlaces + 4) * kBlock) {
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
}

// Rows of windows, or where places follow each other from row to row, all of them.
void ByteCourse::set_unit(Course& course, const Unit& unit) {
  if (unit.form.lanes) return;
  for (int p = 0; p < unit.pixels() && !unit.last; ++p)
    course.outputs.push_back(unit.out.place(p / unit.width, p % unit.width) * unit.form.out);
  const Stream& in = unit.in;
  const bool bare = unit.taps() == 1 && unit.stride_x == 1 && unit.stride_y == 1;
  const bool flat = bare && in.frame_width() == unit.width && unit.form.out >= kBlock;
  const int width = flat ? unit.pixels() : unit.width, height = flat ? 1 : unit.height;
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
  to.resize(places * width + kFurther);
  uint8_t* place = to.data();  // what is written behind a place of few channels is written again by the next
  for (size_t p = 0; p < places; ++p, place += width, planes += of.pixel_words()) {
    for (int w = 0; w < words; ++w) spread_levels(planes + w, of.planes, words, place + w * kBlock);
  }
}

const uint8_t* ByteCourse::golden(int stream) {
  Bytes& bytes = bytes_[stream];
  if (!bytes.valid) load(stream, states_[stream].golden.data(), bytes.golden);
  bytes.valid = true;
  return bytes.golden.data();
}

const uint8_t* ByteCourse::levels(int stream) {
  Bytes& bytes = bytes_[stream];
  if (!bytes.made) {
    if (states_[stream].changed.empty()) return golden(stream);
    load(stream, states_[stream].faulty.data(), bytes.faulty);
    bytes.made = true;
  }
  return bytes.faulty.data();
}

void ByteCourse::hold(const StreamChange& held) {
  const Stream& of = model_.streams[held.stream];
  Bytes& bytes = bytes_[held.stream];
  const uint8_t* from = golden(held.stream);
  std::copy_n(from, bytes.golden.size(), bytes.faulty.data());
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
  const uint8_t* from = golden(stream);
  std::copy_n(from, bytes.golden.size(), bytes.faulty.data());
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

void ByteCourse::step(const Node& node) {
  const Course& course = of_node_[node.out - 1];
  if (node.kind == Kind::sum) return sum(node);
  if (node.kind == Kind::pool) {
    pool(node);
  } else if (node.kind == Kind::thresholding) {
    join(node, course);
  } else {
    const Unit& unit = model_.units[node.unit];
    if (unit.form.lanes) lanes(unit);
    else products(unit, course);
    if (unit.last) {
      image_.classify();
      return;
    }
  }
  keep(node.out);
}

void ByteCourse::keep(int stream) {
  const Stream& of = model_.streams[stream];
  const uint8_t* before = golden(stream);
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
