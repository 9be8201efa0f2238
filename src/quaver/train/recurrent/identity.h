// identity.h - what decides the bits of a training. Internal to this floor.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "quaver/train/recurrent/train.h"

namespace quaver {

// Options by name, and the hashes of the data. Two runs with the same of these give the same.
std::map<std::string, std::string> training_identity(std::uint64_t train_data, std::uint64_t validation_data,
                                                     const TrainOptions& options);
// The options alone, each at its default.
std::map<std::string, std::string> default_identity();

}  // namespace quaver
