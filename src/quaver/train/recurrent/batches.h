// batches.h - from a Dataset to packed batches: order, normalization, augmentation. Internal to this floor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/data/dataset.h"
#include "quaver/train/recurrent/packing.h"

namespace quaver {

struct Batch {
  std::shared_ptr<const Packing> packing;
  std::vector<std::size_t> examples;  // in the data set, in the packing's order
  std::vector<float> values;          // [rows, features], normalised; or empty
  std::vector<std::int64_t> ids;      // [rows]; or empty
  std::vector<std::int64_t> labels;   // [sequences] or, for tags, [rows]
};

struct Augmentation {  // as TrainOptions says
  double input_noise = 0;
  double level_shift = 0;
  double time_stretch = 0;
  double time_mask = 0;
  double feature_mask = 0;
};

// A shuffled cover of the data set in batches of sequences of similar length: batches without padding are fast anyway,
// but a long sequence in a batch of short ones would walk its last steps alone.
std::vector<std::vector<std::size_t>> shuffled_batches(const Dataset& data, std::size_t batch, Random random);
// The same set in order of length: for scoring.
std::vector<std::vector<std::size_t>> sorted_batches(const Dataset& data, std::size_t batch);

// Tags are stretched with their frames. `random` is forked by example, so that an example's changes do not depend on
// its batch.
Batch make_batch(const Dataset& data, const std::vector<std::size_t>& examples, const FeatureStatistics& statistics,
                 const Augmentation& augmentation, const Random& random);
Batch make_batch(const Dataset& data, const std::vector<std::size_t>& examples, const FeatureStatistics& statistics);

}  // namespace quaver
