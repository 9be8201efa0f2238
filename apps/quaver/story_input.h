// story_input.h - the questions that a verb asks a memory network, from a task or a file of stories.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "quaver/data/babi.h"
#include "quaver/model/memory_network.h"
#include "quaver/report/memory_compare.h"
#include "shared.h"
#include "stories.h"

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

// spec: TASK[:split] of a task of stories, or a file in bAbI's format. limit: questions of each task at most, 0: all.
// What the network's memory and vocabulary lose is said. Error (bad input) for a file without questions, as
// parse_stories(), as load_story_tasks(); Error (usage) for a flag of tasks beside a file, or an unknown task or split.
AskedStories read_asked_stories(const std::string& spec, const MemoryNetwork& network, const StoryFlags& stories,
                                const DataFlags& data, std::size_t limit);

}  // namespace quaver
