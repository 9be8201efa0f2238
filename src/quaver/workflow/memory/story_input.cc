#include "quaver/workflow/memory/story_input.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/workflow/text_lines.h"

namespace quaver {
namespace {

std::vector<Story> first_questions(std::vector<Story> stories, std::size_t limit) {
  std::size_t left = limit;
  for (Story& story : stories) {
    if (story.questions.size() > left) story.questions.resize(left);
    left -= story.questions.size();
  }
  return stories;
}

}  // namespace

std::vector<MemoryQuestion> AskedStories::unanswered() const {
  std::vector<MemoryQuestion> all;
  for (const AnsweredQuestion& question : questions) all.push_back(question.question);
  return all;
}

std::vector<Story> StoryTask::*story_split(const std::string& name) {
  static const std::map<std::string, std::vector<Story> StoryTask::*> splits{
      {"train", &StoryTask::train}, {"validation", &StoryTask::validation}, {"test", &StoryTask::test}};
  require_known("split", name, {"train", "validation", "test"});
  return splits.at(name);
}

std::vector<MemoryQuestion> questions_of(const CodedStories& data) {
  std::vector<MemoryQuestion> questions;
  for (const CodedStories::Question& question : data.questions())
    questions.push_back({.facts = question.facts, .words = question.words});
  return questions;
}

void warn_of_losses(const std::string& what, const CodedStories& data, std::size_t memory, Listener& listener) {
  const CodedStories::Counts& counts = data.counts();
  if (counts.stories_cut > 0)
    listener.warn(concat(what, ": ", counts.stories_cut, " of ", data.questions().size(),
                         " questions are asked of stories longer than the memory of ", memory,
                         " facts; the oldest facts (", counts.facts_dropped, " in all) are left out"));
  if (counts.words_unknown > 0)
    listener.warn(concat(what, ": ", counts.words_unknown, " words were never seen in training; they count as absent"));
  if (counts.answers_unknown > 0)
    listener.warn(concat(what, ": ", counts.answers_unknown,
                         " answers were never seen in training; these questions count as wrong"));
  if (counts.empty_memories > 0)
    listener.warn(concat(what, ": ", counts.empty_memories, " questions are asked before any fact"));
}

AskedStories read_asked_stories(const std::string& spec, const MemoryNetwork& network, const DataSource& data,
                                std::size_t limit, Listener& listener) {
  const std::size_t colon = parse_data_spec(spec) ? std::string::npos : spec.find(':');
  const std::string task = spec.substr(0, colon);
  const Vocabulary vocabulary(network.words);
  AskedStories asked;
  const auto add = [&](const std::string& label, std::span<const Story> read) {
    asked.data.emplace_back(read, vocabulary, network.shape.memory);
    warn_of_losses(label, asked.data.back(), network.shape.memory, listener);
  };
  if (is_story_task(task)) {
    const std::string split = colon == std::string::npos ? "test" : spec.substr(colon + 1);
    const auto of_split = story_split(split);
    asked.source = concat(task, ":", split);
    for (const StoryTask& one : load_story_tasks(task, data.of_stories(limit))) {
      asked.source += concat(" qa", one.number);
      add(concat("qa", one.number), one.*of_split);
    }
  } else {
    if (!std::filesystem::exists(spec))
      throw_usage(concat("--input ", spec, ": there is no such file, nor is it a task of stories (",
                         join(story_task_names(), ", "), ") that memory networks answer"));
    if (std::filesystem::is_directory(spec))
      throw_bad_input(concat(spec, ": this is a folder, expected a file of stories in bAbI's format"));
    std::ifstream file(spec, std::ios::binary);
    if (!file) throw_bad_input(concat(spec, ": cannot be read, expected a file of stories in bAbI's format"));
    const std::vector<Story> read = parse_stories(TextLines(file, spec).rest(data.max_memory), spec);
    asked.source = spec;
    add(spec, limit == 0 ? read : first_questions(read, limit));
  }
  for (const CodedStories& coded : asked.data)
    for (const CodedStories::Question& question : coded.questions())
      asked.questions.push_back({{.facts = question.facts, .words = question.words}, question.answer});
  if (asked.questions.empty()) throw_bad_input(concat(asked.source, ": there is no question in it"));
  return asked;
}

}  // namespace quaver
