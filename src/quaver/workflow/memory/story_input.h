// story_input.h - stories as memory networks take them: lines of a text, and the questions of a task or a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "quaver/data/babi.h"
#include "quaver/model/memory/memory_network.h"
#include "quaver/report/error/memory_compare.h"
#include "quaver/workflow/data_source.h"
#include "quaver/workflow/listener.h"

namespace quaver {

// Questions with the memory they live in. Moves, never copies: views point into it.
struct AskedStories {
  std::string source;              // "babi:test qa1", "story.txt"
  std::vector<CodedStories> data;  // one a task
  std::vector<AnsweredQuestion> questions;

  AskedStories() = default;
  AskedStories(AskedStories&&) = default;
  AskedStories& operator=(AskedStories&&) = default;

  std::vector<MemoryQuestion> unanswered() const;
};

// The stories of "train", "validation" or "test"; Error (usage) that lists these.
std::vector<Story> StoryTask::*story_split(const std::string& name);

// What is asked in them, with the facts before it; views of `data`.
std::vector<MemoryQuestion> questions_of(const CodedStories& data);

// Warns of what was lost on the way from text to numbers, once for each kind. what: "qa1", "story.txt".
void warn_of_losses(const std::string& what, const CodedStories& data, std::size_t memory, Listener& listener);

// spec: TASK[:split] of a task of stories, babi:FOLDER (its test files), or a file in bAbI's format. limit: questions
// of each task at most, 0: all. Warns of what the network's memory and vocabulary lose. Error (bad input) for a file
// without questions, as parse_stories(), as load_story_tasks(); Error (usage) for an unknown task or split.
AskedStories read_asked_stories(const std::string& spec, const MemoryNetwork& network, const DataSource& data,
                                std::size_t limit, Listener& listener);

}  // namespace quaver
