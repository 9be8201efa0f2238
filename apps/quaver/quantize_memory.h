// quantize_memory.h - memory networks under the verb quantize.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "quaver/quantize/memory.h"
#include "shared.h"
#include "stories.h"

namespace quaver {

struct MemoryQuantization {
  SharedFlags shared;
  DataFlags data;
  StoryFlags stories;
  std::filesystem::path in, out;           // of several tasks: NAME.safetensors stands for NAME.qaN.safetensors
  std::optional<MemoryNetwork> network{};  // what `in` holds, but of several tasks
  MemoryScheme scheme;
  std::string calib;      // TASK or TASK:split, of stories
  std::size_t limit = 0;  // questions to calibrate on, spread over the split; 0: all
  MemoryCalibrateOptions calibration;
  bool strict = false;  // with any warning nothing is written
};

// What --strict says when there were warnings.
std::string strict_failure(std::size_t warnings, const std::filesystem::path& out);

// More than one network: a list of tasks.
bool names_several(const StoryFlags& stories);

// Calibrates, saves and reports; the errors of both on the validation split stand beside each other. Error (failed)
// when it is strict and there was a warning.
void run_memory_quantization(const MemoryQuantization& quantization);

}  // namespace quaver
