#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <string>
#include <tuple>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "fault_list.hpp"
#include "model.hpp"
#include "run.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class T, int Rank>
using Array = nb::ndarray<const T, nb::ndim<Rank>, nb::c_contig, nb::device::cpu>;
template <class T, int Rank>
using Out = nb::ndarray<T, nb::ndim<Rank>, nb::c_contig, nb::device::cpu>;
using Two = std::tuple<int, int>;
using Three = std::tuple<int, int, int>;
using Four = std::tuple<int, int, int, int>;

fat::Levels levels(const Two& pair) { return {std::get<0>(pair), std::get<1>(pair), 0}; }

fat::Stream stream(Three shape, Four frame, int planes, int pad_index, int largest, Three spaced) {
  fat::Stream stream;
  std::tie(stream.channels, stream.height, stream.width) = shape;
  std::tie(stream.top, stream.left, stream.bottom, stream.right) = frame;
  stream.planes = planes, stream.pad_index = pad_index, stream.largest = largest;
  std::tie(stream.levels.base, stream.levels.step, stream.levels.count) = spaced;
  return stream;
}

void add_unit(fat::Model& model, int source, const fat::Stream& out, Array<int8_t, 4> weights, int groups, Two stride,
              Two dilation, Four padding, std::optional<Array<int32_t, 2>> thresholds,
              std::optional<Array<int32_t, 2>> integer_thresholds, Array<int32_t, 1> offset, Two in_levels,
              Two out_levels) {
  fat::UnitSpec spec{};
  spec.source = source;
  spec.weights = weights.data();
  spec.outputs = int(weights.shape(0));
  spec.kernel_y = int(weights.shape(1));
  spec.kernel_x = int(weights.shape(2));
  spec.group_inputs = int(weights.shape(3));
  spec.groups = groups;
  std::tie(spec.stride_y, spec.stride_x) = stride;
  std::tie(spec.dilation_y, spec.dilation_x) = dilation;
  std::tie(spec.top, spec.left, spec.bottom, spec.right) = padding;
  spec.thresholds = thresholds ? thresholds->data() : nullptr;
  spec.integer_thresholds = integer_thresholds ? integer_thresholds->data() : nullptr;
  spec.levels = thresholds ? int(thresholds->shape(1)) + 1 : 0;
  spec.offset = offset.data();
  spec.in_levels = levels(in_levels);
  spec.out_levels = levels(out_levels);
  model.add(spec, out);
}

void add_windows(fat::Model& model, fat::Kind kind, int source, const fat::Stream& out, Two kernel, Two stride) {
  fat::Node node;
  node.kind = kind;
  node.inputs = {source};
  std::tie(node.windows.kernel_y, node.windows.kernel_x) = kernel;
  std::tie(node.windows.stride_y, node.windows.stride_x) = stride;
  model.add(node, out);
}

void add_join(fat::Model& model, fat::Kind kind, std::vector<int> sources, const fat::Stream& out,
              std::vector<int> factors) {
  fat::Node node;
  node.kind = kind;
  node.inputs = std::move(sources);
  node.factors.assign(factors.begin(), factors.end());
  model.add(node, out);
}

void add_thresholding(fat::Model& model, int source, const fat::Stream& out, Array<int32_t, 2> thresholds, Two spaced) {
  fat::Node node;
  node.kind = fat::Kind::thresholding;
  node.inputs = {source};
  node.steps = int(thresholds.shape(1));
  node.thresholds.assign(thresholds.data(), thresholds.data() + thresholds.size());
  node.levels = levels(spaced);
  model.add(node, out);
}

void set_ranks(fat::Model& model, Array<int32_t, 2> ranks, int64_t low) {
  model.ranks.assign(ranks.data(), ranks.data() + ranks.size());
  model.rank_count = int(ranks.shape(1));
  model.rank_low = low;
}

void set_affine(fat::Model& model, Array<int32_t, 1> factors, Array<int32_t, 1> offsets) {
  model.factors.assign(factors.data(), factors.data() + factors.size());
  model.offsets.assign(offsets.data(), offsets.data() + offsets.size());
}

void run(const fat::Model& model, Array<uint8_t, 4> images, int64_t first_frame, Array<int64_t, 1> labels,
         const fat::FaultList& faults, int threads, Out<int32_t, 1> golden, Out<int64_t, 1> correct,
         Out<int64_t, 1> changed, std::optional<Out<int32_t, 2>> classes, std::optional<Out<int64_t, 1>> top5,
         std::optional<Out<int64_t, 2>> outcomes, const std::vector<int>& watched) {
  const nb::gil_scoped_release release;
  fat::run(model, images.data(), int64_t(images.shape(0)), first_frame, labels.data(), faults.faults, threads,
           golden.data(), correct.data(), changed.data(), classes ? classes->data() : nullptr,
           top5 ? top5->data() : nullptr, outcomes ? outcomes->data() : nullptr, watched);
}

#if defined(FAT_FPGA_AMX)

// Whether this process may use AMX: the processor has it, and the kernel gives leave.
bool tiles_allowed() {
#if defined(__x86_64__) && defined(__linux__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  constexpr unsigned kTile = 1u << 24, kInt8 = 1u << 25;
  if ((d & kTile) == 0 || (d & kInt8) == 0) return false;
  constexpr int kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
#else
  return false;
#endif
}

#endif

// Instruction sets that this processor runs and that have a module, best first.
std::vector<std::string> supported() {
  std::vector<std::string> names;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512vbmi2") &&
      __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("bmi2")) {
#if defined(FAT_FPGA_AMX)
    if (tiles_allowed()) names.push_back("amx");
#endif
    names.push_back("avx512");
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt"))
    names.push_back("avx2");
#elif defined(__aarch64__) && !defined(_MSC_VER)
  names.push_back("neon");
#endif
  names.push_back("portable");
  return names;
}

}  // namespace

NB_MODULE(MODULE_NAME, m) {
  nb::enum_<fat::Update>(m, "Update")
      .value("automatic", fat::Update::automatic)
      .value("sparse", fat::Update::sparse)
      .value("popcount", fat::Update::popcount)
      .value("bytes", fat::Update::bytes);
  m.def("supported", &supported, "Instruction sets that this processor runs, best first.");
  nb::class_<fat::FaultList>(m, "FaultList")
      .def(nb::init<>())
      .def("begin", &fat::FaultList::begin)
      .def("hold", &fat::FaultList::hold, "stream"_a, "channels"_a, "rows"_a, "columns"_a, "value"_a)
      .def("flip", &fat::FaultList::flip, "stream"_a, "index"_a, "frame"_a, "masks"_a, "scale"_a)
      .def("weight", &fat::FaultList::weight, "node"_a, "index"_a, "delta"_a)
      .def("threshold", &fat::FaultList::threshold, "node"_a, "channel"_a, "index"_a, "value"_a)
      .def(
          "weights",
          [](fat::FaultList& list, int node, Array<int32_t, 2> indices, Array<int32_t, 1> deltas) {
            list.weights_of(node, indices.data(), deltas.data(), deltas.shape(0));
          },
          "node"_a, "indices"_a, "deltas"_a)
      .def(
          "thresholds",
          [](fat::FaultList& list, int node, Array<int32_t, 2> indices, Array<int32_t, 1> values) {
            list.thresholds_of(node, indices.data(), values.data(), values.shape(0));
          },
          "node"_a, "indices"_a, "values"_a)
      .def(
          "accumulators",
          [](fat::FaultList& list, int node, Array<int32_t, 1> channels, Array<int64_t, 2> masks,
             fat::FaultList::Scale scale) {
            list.accumulators_of(node, channels.data(), masks.data(), scale, channels.shape(0));
          },
          "node"_a, "channels"_a, "masks"_a, "scale"_a)
      .def(
          "flips",
          [](fat::FaultList& list, int stream, Array<int64_t, 1> frames, Array<int32_t, 2> indices,
             Array<int64_t, 2> masks, fat::FaultList::Scale scale) {
            list.flips_of(stream, frames.data(), indices.data(), masks.data(), scale, frames.shape(0));
          },
          "stream"_a, "frames"_a, "indices"_a, "masks"_a, "scale"_a)
      .def("prepare", &fat::FaultList::prepare, "model"_a)
      .def("accumulator", &fat::FaultList::accumulator, "node"_a, "channel"_a, "masks"_a, "scale"_a);
  nb::enum_<fat::Kind>(m, "Kind")
      .value("pool", fat::Kind::pool)
      .value("sum", fat::Kind::sum)
      .value("add", fat::Kind::add)
      .value("concat", fat::Kind::concat);
  nb::class_<fat::Stream>(m, "Stream")
      .def(
          "__init__",
          [](fat::Stream* self, Three shape, Four frame, int planes, int pad_index, int largest, Three spaced) {
            new (self) fat::Stream(stream(shape, frame, planes, pad_index, largest, spaced));
          },
          "shape"_a, "frame"_a, "planes"_a, "pad_index"_a, "largest"_a, "levels"_a);
  nb::class_<fat::Model>(m, "Model")
      .def(
          "__init__",
          [](fat::Model* self, const fat::Stream& image, Array<int32_t, 2> table) {
            new (self) fat::Model(image, table.data());
          },
          "image"_a, "table"_a)
      .def_rw("update", &fat::Model::update)
      .def_rw("by_chance", &fat::Model::by_chance)
      .def("add_unit", &add_unit, "source"_a, "out"_a, "weights"_a, "groups"_a, "stride"_a, "dilation"_a, "padding"_a,
           "thresholds"_a.none(), "integer_thresholds"_a.none(), "offset"_a, "in_levels"_a, "out_levels"_a)
      .def("add_windows", &add_windows, "kind"_a, "source"_a, "out"_a, "kernel"_a, "stride"_a)
      .def("add_join", &add_join, "kind"_a, "sources"_a, "out"_a, "factors"_a)
      .def("add_thresholding", &add_thresholding, "source"_a, "out"_a, "thresholds"_a, "levels"_a)
      .def("set_ranks", &set_ranks, "ranks"_a, "low"_a)
      .def("set_affine", &set_affine, "factors"_a, "offsets"_a)
      .def("run", &run, "images"_a, "first_frame"_a, "labels"_a, "faults"_a, "threads"_a, "golden"_a, "correct"_a,
           "changed"_a, "classes"_a.none(), "top5"_a.none(), "outcomes"_a.none(), "watched"_a)
      .def(
          "trace",
          [](const fat::Model& model, Array<uint8_t, 3> image, int64_t frame, const fat::FaultList& faults,
             std::vector<Out<int32_t, 3>> streams) {
            std::vector<int32_t*> out;
            for (const auto& stream : streams) out.push_back(stream.data());
            fat::trace(model, image.data(), frame, faults.faults, out);
          },
          "image"_a, "frame"_a, "faults"_a, "streams"_a);
}
