#include "run.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "simulator.hpp"

namespace fat {

void run(const Model& model, const uint8_t* images, int64_t image_count, int64_t first_frame, const int64_t* labels,
         const std::vector<Fault>& faults, int threads, int32_t* golden, int64_t* correct, int64_t* changed,
         int32_t* classes, int64_t* top5, int64_t* outcomes, const std::vector<int>& watched) {
  const int64_t fault_count = int64_t(faults.size());
  const size_t image_bytes = size_t(model.channels) * model.height * model.width;
  std::atomic<int64_t> next{0};
  std::mutex merge;
  std::exception_ptr failure;

  auto work = [&] {
    try {
      Simulator simulator(model);
      if (top5) simulator.keep_streams();
      if (outcomes) simulator.compare_scores(watched);
      std::vector<OutcomeCounts> counts(outcomes ? fault_count : 0);
      std::vector<int64_t> right(fault_count), other(fault_count), among(fault_count);
      std::vector<std::pair<int64_t, Answer>> put_off;
      for (int64_t i; (i = next++) < image_count;) {
        const auto take = [&](int64_t f, const Answer& answer) {
          right[f] += answer.label == labels[i];
          other[f] += answer.label != golden[i];
          if (classes) classes[f * image_count + i] = answer.label;
          if (outcomes) counts[f].add(answer, golden[i], labels[i]);
        };
        golden[i] = simulator.golden(images + i * image_bytes);
        for (int64_t f = 0; f < fault_count; ++f) {
          const Answer answer = simulator.faulty(faults[f], first_frame + i);
          if (answer.waits >= 0) put_off.emplace_back(f, answer);
          else take(f, answer);
          if (top5) among[f] += simulator.ranked_before(labels[i]) < 5;
        }
        simulator.finish();
        for (const auto& [f, answer] : put_off) take(f, simulator.finished(answer));
        put_off.clear();
      }
      const std::lock_guard lock(merge);
      for (int64_t f = 0; f < fault_count; ++f) correct[f] += right[f], changed[f] += other[f];
      for (int64_t f = 0; top5 && f < fault_count; ++f) top5[f] += among[f];
      for (size_t f = 0; f < counts.size(); ++f) counts[f].add_to(outcomes + f * OutcomeCounts::kNames);
    } catch (...) {
      const std::lock_guard lock(merge);
      failure = std::current_exception();
    }
  };

  std::vector<std::thread> crew;
  const int64_t helpers = std::min<int64_t>(threads, image_count) - 1;
  for (int64_t t = 0; t < helpers; ++t) crew.emplace_back(work);
  work();
  for (auto& thread : crew) thread.join();
  if (failure) std::rethrow_exception(failure);
}

void trace(const Model& model, const uint8_t* image, int64_t frame, const std::vector<Fault>& faults,
           const std::vector<int32_t*>& streams) {
  Simulator simulator(model);
  simulator.keep_streams();
  simulator.golden(image);
  for (const Fault& fault : faults) simulator.faulty(fault, frame);
  for (size_t n = 0; n < streams.size(); ++n) simulator.stream(int(n) + 1, streams[n]);
}

}  // namespace fat
