#include "byte_queues.hpp"

#include <algorithm>

namespace fat {

ByteQueues::ByteQueues(Image& image, ByteCourse& course, Trials& trials)
    : Part(image), course_(course), trials_(trials), queues_(model_.nodes.size()) {}

int ByteQueues::wait(int n, uint8_t seen) {
  const int number = int(answers_.size());
  answers_.emplace_back();
  enter(n, {number, seen, trials_.put_off()}, course_.levels(model_.nodes[n].inputs[0]));
  return number;
}

void ByteQueues::enter(int n, Waiting fault, const uint8_t* levels) {
  Queue& queue = queues_[n];
  const size_t size = course_.size(model_.nodes[n].inputs[0]);
  queue.levels.resize(course_.room(n) * size + ByteCourse::kFurther);
  std::copy_n(levels, size, queue.levels.data() + queue.faults.size() * size);
  queue.faults.push_back(std::move(fault));
  if (int(queue.faults.size()) >= course_.room(n)) run(n);
}

void ByteQueues::run(int n) {
  const std::vector<Waiting> faults = std::move(queues_[n].faults);
  queues_[n].faults.clear();
  const int count = int(faults.size());
  Trials::Stretch stretch(trials_, queues_[n].ticks);
  const int end = course_.run_together(n, queues_[n].levels.data(), count);
  queues_[n].ticks = stretch.ticks();
  const double ticks = queues_[n].ticks / count;
  // Those who enter another queue may fill it, and what is computed there then leaves these bytes, but not what the
  // course knows of them.
  const int source = end < int(model_.nodes.size()) ? model_.nodes[end].inputs[0] : kImage;
  const uint8_t* levels = end < int(model_.nodes.size()) ? course_.levels(source) : nullptr;
  for (int k = 0; k < count; ++k) {
    Waiting fault = faults[k];
    fault.timed.add(ticks);
    if (end < int(model_.nodes.size())) {
      enter(end, fault, levels + k * course_.size(source));
      continue;
    }
    fault.timed.end();
    std::copy_n(course_.scores(k), model_.last().padded(), image_.sums.data());
    image_.classify();
    answers_[fault.number] = image_.answer(compares_);
    answers_[fault.number].seen |= fault.seen;
  }
}

void ByteQueues::finish() {
  for (int n = 0; n < int(queues_.size()); ++n) {
    if (!queues_[n].faults.empty()) run(n);
  }
}

}  // namespace fat
