// data_source.h - where a task's data comes from, as requests say it: what is not set has a default, and what is set
// must matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "quaver/core/memory_limit.h"
#include "quaver/data/babi.h"
#include "quaver/data/own/own_data.h"
#include "quaver/data/tasks.h"
#include "quaver/files/command_files.h"

namespace quaver {

struct DataSource {
  std::optional<std::filesystem::path> data_dir{};  // else the environment's QUAVER_DATA, else ../shared/data
  std::optional<std::uint64_t> data_seed{};         // of generated data, and of splits of one's own; else 1
  // Of tasks of stories.
  std::optional<std::string> tasks{};            // numbers and ranges, "all" or "joint"; else "1"
  std::optional<std::string> set{};              // of babi: "en" or "en-10k"; else "en-10k"
  std::optional<std::size_t> questions{};        // to generate; else 1000
  std::uint64_t max_memory = kDefaultMaxMemory;  // bytes of one input, decoded
  OwnDataOptions own{};  // of a KIND:PATH; seed, limit, max_memory and progress are not looked at

  // limit: sequences, or questions of each split, at most; 0: all.
  TaskOptions of_sequences(std::size_t limit = 0) const;
  StoryOptions of_stories(std::size_t limit = 0) const;

  bool joint() const { return tasks == "joint"; }  // all tasks for one network
  // A list of tasks, each for a network of its own.
  bool names_several() const;
};

// The file or folder of a KIND:PATH is read; what else the text may name is not looked at.
void reads_own_data(CommandFiles& files, const std::string& spec);

// Error (usage) unless it is a task of sequences or of stories: lists all.
void require_known_task(const std::string& task);

// RefusedField for one of DataSource that has no effect on what is read. spec: TASK[:split], KIND:PATH or a file.
void require_useful(const DataSource& data, const std::string& spec);

}  // namespace quaver
