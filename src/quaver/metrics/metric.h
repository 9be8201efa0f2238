// metric.h - how good predictions are, as values: sums over predictions, and the figures that follow from them.
//
// A row is what a model says of one sequence or one step: `width` scores (the class of the largest is named; softmax
// makes them probabilities), `width` scores of labels that hold or not (sigmoid makes each a probability), or `width`
// real numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/metrics/target.h"

namespace quaver {

// What is true of some rows.
struct Truth {
  std::span<const std::int32_t> labels{};  // [rows], each in [0, width); of kLabels [rows, width], each 0 or 1
  std::span<const float> reals{};          // [rows, width]; of real targets alone
};

// Sums over rows, in double, from which every metric of the target follows.
class Tally {
 public:
  Tally(Target target, std::size_t width);

  // outputs: [rows, width]. truth: of these rows.
  void add(std::span<const float> outputs, const Truth& truth);
  // What a model that ends in an argmax says, [rows], of a target that names a class: loss and the metrics of
  // probabilities are then unknown.
  void add_named(std::span<const std::int64_t> named, std::span<const std::int32_t> labels);

  // What another one of the same target and width has seen, after what this one has.
  void merge(const Tally& other);

  Target target() const { return target_; }
  std::size_t width() const { return width_; }
  std::uint64_t rows() const { return rows_; }
  std::uint64_t correct() const { return correct_; }  // rows whose class, or labels of rows that, the scores name
  bool has_loss() const { return has_loss_; }
  // Mean over rows of the cross entropy (a class), the sum over labels of theirs (labels), both in nats; mean over
  // numbers of the squared error (reals).
  double loss() const;
  double mean_absolute_error() const;  // of reals

  // How often a class, or a label, held and was named.
  struct Counts {
    std::uint64_t held = 0;
    std::uint64_t named = 0;
    std::uint64_t both = 0;
  };
  std::span<const Counts> counts() const { return counts_; }  // [width]; empty for reals

 private:
  void add_class(std::span<const float> scores, std::int32_t label);
  void add_labels(std::span<const float> scores, std::span<const std::int32_t> labels);
  void count(std::size_t named, std::int32_t label);

  Target target_;
  std::size_t width_;
  std::uint64_t rows_ = 0, correct_ = 0;
  double loss_ = 0, absolute_ = 0;
  bool has_loss_ = true;
  std::vector<Counts> counts_;
};

// The row of one metric.
struct Metric {
  std::string_view name;  // "accuracy"
  std::string_view unit;  // "%", or "" for a plain number
  bool higher_is_better;
  bool needs_scores;  // an argmax's classes are not enough
  bool (*suits)(Target);
  double (*value)(const Tally&);
};

// accuracy             percent of rows whose class is named                                    class, tags
// macro_f1             percent: mean over the classes that hold or are named of 2 both / (held + named)   class, tags
// cross_entropy        mean, in nats                                                           class, tags
// perplexity           exp of the mean cross entropy in nats                                   tags
// bits_per_character   mean cross entropy in bits                                              tags
// nats_per_frame       mean over steps of the sum over labels of the cross entropy             labels
// micro_f1             percent: 2 both / (held + named) over all labels, named at 1/2 and more  labels
// mse, mae             mean squared, mean absolute error over all numbers                      reals, real-steps
std::span<const Metric> metrics();

// Error (usage) that lists the metrics that suit the target; of an empty name the first that does.
const Metric& find_metric(std::string_view name, Target target);
std::vector<std::string> metric_names();

}  // namespace quaver
