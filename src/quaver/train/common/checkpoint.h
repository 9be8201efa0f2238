// checkpoint.h - all that a stopped training needs to go on as if it had not been stopped. Internal to this floor.
//
// A safetensors file: "values", "average", "best_values", "first_moment", "second_moment" (F32, all parameters one
// after the other; average and moments are empty where training has none), "curve" (F32), the rest as metadata, with a
// checksum of all. Random numbers need no state of their own: every batch draws from the seed, the epoch and its place
// in the epoch. It lives as long as one training: another version of this program refuses it and says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quaver/train/common/score.h"

namespace quaver {

struct Checkpoint {
  std::vector<float> values;
  std::vector<float> average;
  std::vector<float> best_values;
  std::vector<float> first_moment;
  std::vector<float> second_moment;
  std::vector<float> curve;  // [epochs, 3]: loss of training, metric and loss of validation
  std::uint64_t steps = 0;   // updates so far
  std::size_t epoch = 0;     // whole epochs
  std::size_t batch = 0;     // batches of the epoch after them
  double epoch_loss = 0;     // sum over these batches' sequences
  std::size_t epoch_sequences = 0;
  std::size_t best_epoch = 0;  // counted from 1; 0: none yet
  Score best{};
  Score last{};  // of the last whole epoch
};

// `identity`: by name, what decides the bits of the training: its options and data.
void save_checkpoint(const Checkpoint& checkpoint, const std::map<std::string, std::string>& identity,
                     const std::filesystem::path& path);

// What a checkpoint of a training must fit.
struct CheckpointLimits {
  std::size_t parameters = 0;
  bool average = true;        // false: there is none, and the array is empty
  bool moments = true;        // false: plain descent, which has none
  std::size_t epochs = 0;     // of the whole training
  std::size_t batches = 0;    // of an epoch, each an update
  std::size_t sequences = 0;  // of an epoch; 0: it is saved between epochs alone
};

// Error (usage) when it is one of another identity: what differs. Error (bad input) when the file is no checkpoint, of
// another version, damaged, or says what no training of these limits can: the number, what it may be, and what to do.
Checkpoint load_checkpoint(const std::filesystem::path& path, const std::map<std::string, std::string>& identity,
                           const CheckpointLimits& limits);

// The whole epochs of the checkpoint that lies there, of any training; nothing where it is none, or another version's.
std::optional<std::size_t> checkpoint_epochs(const std::filesystem::path& path);

}  // namespace quaver
