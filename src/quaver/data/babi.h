// babi.h - stories with questions, in the text format of the bAbI tasks (Weston et al. 2015, "Towards AI-Complete
// Question Answering"; the format is that of the archive's README).
//
//   ID text                                            a fact
//   ID question[TAB]answer[TAB]supporting IDs          a question; the IDs are optional, separated by blanks
// IDs count from 1 without gaps, an ID of 1 starts a new story. An answer of several words is one class: its words are
// separated by commas (or blanks) and kept as "milk,football". Words are lower-cased; the characters . , ? ! at the end
// of a word are no part of it. Empty lines are skipped.
//
//   babi       the published files: babi/babi_v1-2_en.tar.xz or babi/babi_v1-2_en-10k.tar.xz below the data folder, or
//              the unpacked folders babi/tasks_1-20_v1-2/en and .../en-10k
//   stories    built in, generated from a seed (stories.h): tasks 1, 2, 3, 6, 7, 9 and 19
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/memory_limit.h"

namespace quaver {

struct StoryQuestion {
  std::vector<std::string> words{};
  std::string answer{};
  std::size_t facts = 0;                  // of the story, told before it
  std::vector<std::size_t> supporting{};  // places among these facts, counted from 0, in the file's order
  bool operator==(const StoryQuestion&) const = default;
};

struct Story {
  std::vector<std::vector<std::string>> facts{};  // words of each, oldest first
  std::vector<StoryQuestion> questions{};
  bool operator==(const Story&) const = default;
};

inline constexpr std::size_t kMaxStoryLine = std::size_t{1} << 20;  // bytes of one line

// Error (bad input) "WHERE: ..." unless the line is text in UTF-8 without control characters other than tabs, of at
// most kMaxStoryLine bytes.
void require_story_text(std::string_view line, const std::string& where);

// Lower-case words of one sentence.
std::vector<std::string> story_words(std::string_view sentence);

// Error (bad input) "SOURCE:LINE: ..." for a line without an ID, an ID out of order, a sentence or an answer without
// words, a supporting ID that is no fact told before, more fields than three, or bytes that are no UTF-8 text.
std::vector<Story> parse_stories(std::string_view text, const std::string& source);

// One task: its stories by split. Validation is the last tenth of the training file's questions (rounded down); a story
// that is cut there stands in both, with its facts, and each of its questions in one.
struct StoryTask {
  std::size_t number = 0;    // of bAbI, 1..20
  std::string name{};        // "qa1_single-supporting-fact"
  bool small_train = false;  // en-10k has no training file of this task here: that of en was taken
  std::vector<Story> train{}, validation{}, test{};
};

struct StoryOptions {
  std::string tasks = "1";                          // "all", or numbers and ranges: "1", "1,2,5", "1-5", "1..5"
  std::string set = "en-10k";                       // babi: "en" (1,000 training questions a task) or "en-10k"
  std::optional<std::filesystem::path> data_dir{};  // babi: else the environment's QUAVER_DATA, else ../shared/data
  std::uint64_t seed = 1;                           // stories
  std::size_t questions = 1000;                     // stories: of the training file and of the test file
  std::size_t limit = 0;                            // questions of each split at most (the first ones); 0: all
  std::uint64_t max_memory = kDefaultMaxMemory;     // babi: bytes of the files that are read, unpacked, all together
};

std::vector<std::string> story_task_names();  // "babi", "stories"
// One of these, or stories of one's own: babi:FOLDER, which holds qaN_*_train.txt and qaN_*_test.txt with N from 1 to
// 20, also as .txt.gz or .txt.xz.
bool is_story_task(const std::string& name);

// The numbers that StoryOptions::tasks stands for, in their order, without reading any story. name: as is_story_task()
// takes it. Error (usage) for what is no number of its tasks, (bad input) for a folder that has none.
std::vector<std::size_t> story_task_numbers(const std::string& name, const std::string& tasks);

// In order of their numbers. Error (usage) for an unknown name, set or number; Error (bad input) when the data is
// missing or malformed. The same options give the same stories on every machine. Of babi:FOLDER tasks, limit and
// max_memory count.
std::vector<StoryTask> load_story_tasks(const std::string& name, const StoryOptions& options);

// Words by number. Number 0 is no word: what the vocabulary does not hold, and the empty slot.
class Vocabulary {
 public:
  Vocabulary() : words_{""} {}
  // Error (bad input) unless words[0] is "" and no word comes twice or is empty.
  explicit Vocabulary(std::vector<std::string> words);
  std::int32_t add(const std::string& word);       // its number, new or old
  std::int32_t find(std::string_view word) const;  // 0: never seen
  const std::vector<std::string>& words() const { return words_; }
  std::size_t size() const { return words_.size(); }  // number 0 included

 private:
  std::vector<std::string> words_;
  std::map<std::string, std::int32_t, std::less<>> numbers_;
};

// All words and answers of all splits, in alphabetical order: bAbI's vocabulary is closed (MemN2N's program builds its
// dictionary over the training and the test file).
Vocabulary story_vocabulary(std::span<const StoryTask> tasks);

// What a memory network reads: word numbers, and for every question the facts that its memory holds.
class CodedStories {
 public:
  using Words = std::span<const std::int32_t>;
  struct Question {
    std::span<const Words> facts{};  // oldest first, at most `memory`
    // [facts]: facts of the same number have the same words; numbers count from 0 in order of appearance.
    std::span<const std::uint32_t> sentences{};
    Words words{};
    std::int32_t answer = 0;  // 0: an answer that the vocabulary does not hold; no output can be right
  };
  // What was lost on the way, to be said.
  struct Counts {
    std::size_t facts_dropped = 0;  // summed over questions: facts older than the memory is long
    std::size_t stories_cut = 0;    // questions that lost facts so
    std::size_t words_unknown = 0;  // in facts and questions; they count as absent
    std::size_t answers_unknown = 0;
    std::size_t empty_memories = 0;  // questions asked before any fact
  };

  // memory: facts a question can look at, at least 1; the most recent are kept.
  CodedStories(std::span<const Story> stories, const Vocabulary& vocabulary, std::size_t memory);
  CodedStories(CodedStories&&) = default;  // views point into it: moved, never copied
  CodedStories& operator=(CodedStories&&) = default;

  std::span<const Question> questions() const { return questions_; }
  const Counts& counts() const { return counts_; }
  std::size_t longest_sentence() const { return longest_sentence_; }  // words of the longest fact or question
  // Fingerprint of facts, questions and answers, for provenance.
  std::uint64_t content_hash() const;

 private:
  std::vector<std::int32_t> numbers_;
  std::vector<Words> facts_;
  std::vector<std::uint32_t> sentences_;  // of facts_
  std::vector<Question> questions_;
  Counts counts_;
  std::size_t longest_sentence_ = 0;
};

}  // namespace quaver
