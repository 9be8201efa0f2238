// story_input.h - stories as memory networks take them: lines of a text, and the questions of a task or a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
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

// Lines of a text whose length nobody has promised: an endless one ends at the first line beyond kMaxStoryLine bytes.
class StoryLines {
 public:
  // source: as messages call it.
  StoryLines(std::istream& in, std::string source);

  // False at the end. Error (bad input) with the line's place when it is too long, or the text cannot be read.
  bool next(std::string& line);                   // without its end
  std::size_t number() const { return number_; }  // of the line that next() gave, from 1
  const std::string& source() const { return source_; }
  std::string where() const;  // "SOURCE:LINE"
  // All lines that follow. Error (bad input) when their words would take more than max_memory.
  std::string rest(std::uint64_t max_memory);

 private:
  std::istream& in_;
  std::string source_;
  std::size_t number_ = 0;
  std::vector<char> buffer_;
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
