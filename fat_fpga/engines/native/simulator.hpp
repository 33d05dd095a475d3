// One image in the program under one fault after another. A fault-free run keeps all accumulators and activations;
// a fault starts from them where it is, and only what it changes is computed, node by node, by whatever part of the
// simulator fits:
//
// - ColumnTables     a unit right behind stuck channels, or behind a single one that differs
// - ChannelCourse    a stuck channel behind which there is an addition, or another operator channel by channel
// - EditedChannels   channels of a node with changed weights, thresholds or accumulators; pixels behind strays
// - EditedUnit       a unit with many changed words, anew, by popcount
// - ChangedColumns   a unit behind changed planes: sums of weight columns; in Sliding, of several pixels in a vector
// - Packed           the same of few outputs: several pixels in a vector
// - Joins            ends of residual blocks: units, an addition and thresholds in one step
// - ChangedIntegers  a unit behind changed integers: the same, times what they changed by
// - Depthwise        units of as many groups as channels
// - Grouped          units of any other groups
// - Dense            units anew, by popcount
// - ByteProducts     units anew, by products of bytes
// - ByteCourse       whatever is left of the program, as levels in bytes
// - ByteQueues       the same of several faults together
// - Small            operators without weights
//
// Where nothing is left changed, the answer is the fault-free one.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "answer.hpp"
#include "byte_course.hpp"
#include "byte_products.hpp"
#include "byte_queues.hpp"
#include "changed_columns.hpp"
#include "changed_integers.hpp"
#include "channel_course.hpp"
#include "column_tables.hpp"
#include "dense.hpp"
#include "depthwise.hpp"
#include "edited_channels.hpp"
#include "edited_unit.hpp"
#include "grouped.hpp"
#include "image.hpp"
#include "joins.hpp"
#include "packed.hpp"
#include "small.hpp"
#include "trials.hpp"

namespace fat {

class Simulator {
 public:
  explicit Simulator(const Model& model);

  // Fault-free run of an image, uint8 [channels][height][width]; the predicted class.
  int golden(const uint8_t* image);

  // What a fault does to that image, number `frame` of the data set; or the number of the answer that `finished` has
  // when the faults of the image are through.
  Answer faulty(const Fault& fault, int64_t frame);

  // The faults of the image are through.
  void finish() { queues_.finish(); }

  // An answer that was put off.
  const Answer& finished(const Answer& answer) const { return queues_.answer(answer.waits); }

  // Answers say what becomes of the scores, too, and of the activations of these streams.
  void compare_scores(std::vector<int> watched) {
    compares_ = true, watched_ = std::move(watched);
    queues_.compare_scores();
  }

  // All streams under a fault are to be had, also where the class can do without them.
  void keep_streams() { every_stream_ = true; }

  // A stream, [channels][height][width], or the class scores for the number behind the last, as the latest run left it;
  // in the integers of the network.
  void stream(int number, int32_t* out) const;

  // How many classes the latest run ranks before a class: those of a higher score, and of equal scores those of a lower
  // number. All streams must be kept.
  int ranked_before(int64_t label) const;

 private:
  // A change of a stream that is present: one of the two.
  struct Present {
    int stream;
    const StreamChange* held;
    const Flip* flip;
  };

  // simulator.cpp: the course of a fault
  Answer walk(int n);
  Answer mixed(const Fault& fault, int64_t frame);
  Answer answer() const;
  uint8_t strays() const;
  Answer put_off() const;
  void update(int n, const NodeEdit* edit);
  void follow(int stream);
  bool course_possible(int n);
  bool course_pays(int n, double changes, bool counted);
  double changes_of(int stream) const;
  bool begins_course(int n);
  int run_course(int n);
  void update(const Node& node);
  void update_unit(int u);
  void update_edited(const NodeEdit& edit);
  bool whole_is_cheaper(const NodeEdit& edit, const Rect& area, int changes) const;
  void edited_unit(const NodeEdit& edit);
  void begin_joins();
  void leave_joins();
  bool packs(const Unit& unit) const;
  void update_planes(int u);
  bool update_packed(int u);
  bool update_tabled(int u);
  Rect list_planes(int u);
  void recompute(int u, const Rect& area);
  void products(int u, const Rect& area, Target to);
  void golden_unit(int u);

  // stuck.cpp: whole channels stuck, which need not be written into their stream
  Answer stuck_channels(const Fault& fault);
  Answer one_channel(const StreamChange& held);
  void follow_stuck(const Fault& fault);
  template <class Compute>
  Answer known(int stream, int channel, int level, Compute compute);
  bool behind_stuck(const Node& node);

  // streams.cpp: held activations, anywhere and as many as there are
  void hold(const StreamChange& change);
  void flip(const Flip& flip);

  const Model& model_;
  Image image_;
  Dense dense_;
  ByteProducts bytes_;
  ChangedColumns changed_;
  Packed packed_;
  Joins joins_;
  ChangedIntegers integers_;
  ColumnTables tables_;
  ChannelCourse course_;
  Depthwise depthwise_;
  Grouped grouped_;
  EditedChannels channels_;
  EditedUnit edited_;
  Small small_;
  ByteCourse byte_course_;
  Trials trials_;  // at each node: 0 to follow what changed, 1 for byte_course_
  ByteQueues queues_;
  std::vector<Present> present_;            // changes of streams, in the order of streams
  std::vector<int32_t> reached_;            // pixels that are computed anew
  int last_reader_ = -1;                    // the last node that reads what the present fault changed
  const Fault* stuck_ = nullptr;            // stuck channels, which their stream need not hold
  const Fault* latest_ = nullptr;           // the latest fault
  std::vector<std::vector<Answer>> known_;  // of the present image: of a channel stuck at an integer; label -1: not yet
  bool alone_ = false;  // the words of one channel are changed, and no unit behind them is followed yet
  bool every_stream_ = false;
  bool compares_ = false;     // whether answers are more than classes
  std::vector<int> watched_;  // streams
  int64_t other_key_ = 0;     // for Packed, of the latest fault that has nothing in common with others
  Answer course_answer_;      // under the latest fault that course_ followed
  int waiting_ = -1;          // the number of the answer of a fault that was put off
  bool written_ = false;      // whether the stream of stuck_ holds them
};

}  // namespace fat
