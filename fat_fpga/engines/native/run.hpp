// Many images under many faults, on all cores.
#pragma once

#include <cstdint>
#include <vector>

#include "fault.hpp"
#include "model.hpp"

namespace fat {

// Images are uint8 [count][channels][height][width], numbers `first_frame` and following of the data set.
//   golden    [images]          fault-free classes
//   correct   [faults]          images classified as labelled, added to what is there
//   changed   [faults]          images whose class differs from the fault-free one, added to what is there
//   classes   [faults][images]  or null
//   top5      [faults]          images whose label is among the five highest scores, added to what is there; or null.
//                               Each fault is then followed to the scores
//   outcomes  [faults][OutcomeCounts::kNames]  or null; added to what is there. Detected are images of which a stream
//                               that is watched has an activation that is none of its levels.
void run(const Model& model, const uint8_t* images, int64_t image_count, int64_t first_frame, const int64_t* labels,
         const std::vector<Fault>& faults, int threads, int32_t* golden, int64_t* correct, int64_t* changed,
         int32_t* classes, int64_t* top5, int64_t* outcomes, const std::vector<int>& watched);

// The stream of each node, [channels][height][width], and the class scores, of one image: fault-free if the list is
// empty, else under its last fault, having run all of them one after another.
void trace(const Model& model, const uint8_t* image, int64_t frame, const std::vector<Fault>& faults,
           const std::vector<int32_t*>& streams);

}  // namespace fat
