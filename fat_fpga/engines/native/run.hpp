// Many images under many faults, on all cores.
#pragma once

#include <cstdint>

#include "model.hpp"

namespace fat {

struct StuckChannel {
  int32_t unit, channel, level;
};

// Images are uint8 [count][channels][height][width].
//   golden    [images]          fault-free classes
//   correct   [faults]          images classified as labelled, added to what is there
//   changed   [faults]          images whose class differs from the fault-free one, added to what is there
//   classes   [faults][images]  or null
void run(const Model& model, const uint8_t* images, int64_t image_count, const int64_t* labels,
         const StuckChannel* faults, int64_t fault_count, int threads, int32_t* golden, int64_t* correct,
         int64_t* changed, int32_t* classes);

}  // namespace fat
