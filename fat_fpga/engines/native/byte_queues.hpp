// Faults that go on from the same node by ByteCourse wait in front of it for each other, and are computed together:
// what is read of the weights is read once for all of them, and where streams are small, their places fill the tiles.
#pragma once

#include "answer.hpp"
#include "byte_course.hpp"
#include "trials.hpp"

namespace fat {

class ByteQueues : Part {
 public:
  ByteQueues(Image& image, ByteCourse& course, Trials& trials);

  // Answers are more than classes.
  void compare_scores() { compares_ = true; }

  // A new image; nothing may wait any more.
  void forget() { answers_.clear(); }

  // The present fault, which `course` has brought to node n, waits there, and with it what `trials` times of it.
  // `seen`: what its answer says besides the scores. The number of the answer.
  int wait(int n, uint8_t seen);

  // Computes whatever waits.
  void finish();

  // An answer, when all is finished.
  const Answer& answer(int number) const { return answers_[number]; }

 private:
  struct Waiting {
    int number;
    uint8_t seen;
    Trials::PutOff timed;
  };
  struct Queue {
    std::vector<Waiting> faults;
    Aligned<uint8_t> levels;  // of each, in front of the node
    double ticks = 0;         // that the latest ones took together
  };

  void enter(int n, Waiting fault, const uint8_t* levels);
  void run(int n);

  ByteCourse& course_;
  Trials& trials_;
  std::vector<Queue> queues_;    // in front of each node
  std::vector<Answer> answers_;  // of the present image
  bool compares_ = false;
};

}  // namespace fat
