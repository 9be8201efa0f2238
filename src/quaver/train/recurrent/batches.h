// batches.h - from a Dataset to batches and their shards: order, normalization, augmentation. Internal to this floor.
//
// A shard is up to 32 sequences of a batch, in their order: the unit of arithmetic. What is computed of it, its loss
// and its gradients, depends on nothing else, and shards are added by a fixed binary tree (tree_sum.h), so that the
// results are the same bits whoever computes them, in whatever order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/data/dataset.h"
#include "quaver/metrics/metric.h"
#include "quaver/train/recurrent/packing.h"

namespace quaver {

inline constexpr std::size_t kSequencesPerShard = 32;  // two threads at batch 64, enough for a fast product

struct Shard {
  std::shared_ptr<const Packing> packing;
  std::vector<std::size_t> examples;  // in the data set, in the packing's order
  std::vector<float> values;          // [rows, features], normalised; or empty
  std::vector<std::int64_t> ids;      // [rows]; or empty
  // Of each sequence or, for targets of steps, of each row, as Truth has them.
  std::vector<std::int32_t> labels;
  std::vector<float> reals;

  Truth truth() const { return {.labels = labels, .reals = reals}; }
  std::size_t rows(Target target) const { return is_of_steps(target) ? packing->rows() : packing->sequences(); }
};

struct Augmentation {  // as TrainOptions says
  double input_noise = 0;
  double level_shift = 0;
  double time_stretch = 0;
  double time_mask = 0;
  double feature_shift = 0;
  double feature_mask = 0;
};

// A shuffled cover of the data set in batches of sequences of similar length, longest first: batches without padding
// are fast anyway, but a long sequence in a batch of short ones would walk its last steps alone. lengths: of each
// example, about.
std::vector<std::vector<std::size_t>> shuffled_batches(std::span<const std::size_t> lengths, std::size_t batch,
                                                       Random random);
// The same set in order of length: for scoring.
std::vector<std::vector<std::size_t>> sorted_batches(std::span<const std::size_t> lengths, std::size_t batch);

// The examples of shard `shard` of a batch.
std::span<const std::size_t> shard_of(std::span<const std::size_t> batch, std::size_t shard);
std::size_t shard_count(std::size_t sequences);

// Targets of steps are stretched with their frames. `random` is forked by example, so that an example's changes do not
// depend on its batch.
Shard make_shard(const Dataset& data, std::span<const std::size_t> examples, const FeatureStatistics& statistics,
                 const Augmentation& augmentation, const Random& random);
Shard make_shard(const Dataset& data, std::span<const std::size_t> examples, const FeatureStatistics& statistics);

}  // namespace quaver
