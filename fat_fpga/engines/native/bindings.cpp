#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <string>
#include <tuple>

#include "model.hpp"
#include "run.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class T, int Rank>
using Array = nb::ndarray<const T, nb::ndim<Rank>, nb::c_contig, nb::device::cpu>;
template <class T, int Rank>
using Out = nb::ndarray<T, nb::ndim<Rank>, nb::c_contig, nb::device::cpu>;
using Four = std::tuple<int, int, int, int>;

void add_unit(fat::Model& model, Array<int8_t, 4> weights, std::tuple<int, int> stride, Four padding, int pad_index,
              std::optional<Array<int32_t, 2>> thresholds, Array<int32_t, 1> score_offset, int score_step,
              std::vector<Four> pools) {
  fat::UnitSpec spec{};
  spec.weights = weights.data();
  spec.outputs = int(weights.shape(0));
  spec.kernel_y = int(weights.shape(1));
  spec.kernel_x = int(weights.shape(2));
  spec.inputs = int(weights.shape(3));
  std::tie(spec.stride_y, spec.stride_x) = stride;
  std::tie(spec.top, spec.left, spec.bottom, spec.right) = padding;
  spec.pad_index = pad_index;
  spec.thresholds = thresholds ? thresholds->data() : nullptr;
  spec.levels = thresholds ? int(thresholds->shape(1)) + 1 : 0;
  spec.score_offset = score_offset.data();
  spec.score_step = score_step;
  for (const auto& [ky, kx, sy, sx] : pools) spec.pools.push_back({ky, kx, sy, sx});
  model.add(spec);
}

void run(const fat::Model& model, Array<uint8_t, 4> images, Array<int64_t, 1> labels, Array<int32_t, 2> faults,
         int threads, Out<int32_t, 1> golden, Out<int64_t, 1> correct, Out<int64_t, 1> changed,
         std::optional<Out<int32_t, 2>> classes) {
  const auto* list = reinterpret_cast<const fat::StuckChannel*>(faults.data());
  static_assert(sizeof(fat::StuckChannel) == 3 * sizeof(int32_t));
  const nb::gil_scoped_release release;
  fat::run(model, images.data(), int64_t(images.shape(0)), labels.data(), list, int64_t(faults.shape(0)), threads,
           golden.data(), correct.data(), changed.data(), classes ? classes->data() : nullptr);
}

// Instruction sets that this processor runs and that have a module, best first.
std::vector<std::string> supported() {
  std::vector<std::string> names;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("bmi2"))
    names.push_back("avx512");
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt"))
    names.push_back("avx2");
#endif
  names.push_back("portable");
  return names;
}

}  // namespace

NB_MODULE(MODULE_NAME, m) {
  nb::enum_<fat::Update>(m, "Update")
      .value("automatic", fat::Update::automatic)
      .value("sparse", fat::Update::sparse)
      .value("popcount", fat::Update::popcount);
  m.def("supported", &supported, "Instruction sets that this processor runs, best first.");
  nb::class_<fat::Model>(m, "Model")
      .def(
          "__init__",
          [](fat::Model* self, Array<int32_t, 2> table, int height, int width) {
            new (self) fat::Model(int(table.shape(0)), height, width, table.data());
          },
          "table"_a, "height"_a, "width"_a)
      .def_rw("update", &fat::Model::update)
      .def("add_unit", &add_unit, "weights"_a, "stride"_a, "padding"_a, "pad_index"_a, "thresholds"_a.none(),
           "score_offset"_a, "score_step"_a, "pools"_a)
      .def("run", &run, "images"_a, "labels"_a, "faults"_a, "threads"_a, "golden"_a, "correct"_a, "changed"_a,
           "classes"_a.none());
}
