// stories.h - tasks of stories and questions ('babi', 'stories') as the verbs train and evaluate memory networks.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "given_flags.h"
#include "quaver/data/babi.h"
#include "quaver/train/memory/train.h"
#include "shared.h"

namespace quaver {

bool is_story_task(const std::string& task);

// The stories of "train", "validation" or "test"; Error (usage) that lists these.
std::vector<Story> StoryTask::*story_split(const std::string& name);

// What was lost on the way from text to numbers, on standard error, once for each kind.
void say_losses(const std::string& what, const CodedStories& data, std::size_t memory);

// Flags of verbs that read stories.
struct StoryFlags {
  std::string tasks = "1", set = "en-10k";
  std::size_t questions = 1000;

  void add_to(CLI::App& verb);
};

// Error (usage) unless it is a task of sequences or of stories: lists all.
void require_known_task(const std::string& task);

// Error (usage) for a flag of DataFlags or StoryFlags that has no effect on what is read. spec: TASK[:split] or a file.
void require_useful_data_flags(const GivenFlags& given, const std::string& spec);

struct MemoryTraining {
  SharedFlags shared;
  DataFlags data;
  StoryFlags stories;
  std::string task;
  std::filesystem::path out;         // several networks: NAME.qaN.safetensors
  std::filesystem::path warm_start;  // of --warm-start: float networks, several named as `out`'s are; empty: none
  std::size_t limit = 0;
  MemoryTrainOptions options;
};

// Trains one network a task, or one of all tasks (--tasks joint), in parallel, saves and reports them.
// should_stop: asked while training; then Error says how to go on.
void run_memory_training(const MemoryTraining& training, const std::function<bool()>& should_stop);

struct MemoryEvaluation {
  SharedFlags shared;
  DataFlags data;
  StoryFlags stories;
  std::string model, task, split;
  std::size_t limit = 0;
};
void run_memory_evaluation(const MemoryEvaluation& evaluation);

}  // namespace quaver
