// stories.h - tasks of stories and questions ('babi', 'stories') as the verb train makes memory networks of them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

#include "quaver/train/memory/train.h"
#include "shared.h"

namespace quaver {

struct MemoryTraining {
  SharedFlags shared;
  DataSource data;
  std::string task;
  std::filesystem::path out;         // several networks: NAME.qaN.safetensors
  std::filesystem::path warm_start;  // of --warm-start: float networks, several named as `out`'s are; empty: none
  std::size_t limit = 0;
  MemoryTrainOptions options;
};

// Trains one network a task, or one of all tasks (--tasks joint), in parallel, saves and reports them.
// should_stop: asked while training; then Error says how to go on.
void run_memory_training(const MemoryTraining& training, const std::function<bool()>& should_stop);

}  // namespace quaver
