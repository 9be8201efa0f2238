#include "quaver/data/babi.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/core/text_place.h"
#include "quaver/data/archive.h"
#include "quaver/data/own/lines.h"
#include "quaver/data/own/own_data.h"
#include "quaver/data/stories.h"
#include "quaver/data/task_row.h"
#include "quaver/files/input_file.h"

namespace quaver {
namespace {

constexpr std::size_t kTaskCount = 20;
constexpr std::size_t kLargestFile = 1 << 26;  // bytes; the largest of en-10k has 5 MB
constexpr std::string_view kFolder = "babi/tasks_1-20_v1-2";

bool is_space(char character) { return character == ' ' || character == '\t' || character == '\r'; }

std::string_view stripped(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::size_t> parse_number(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The place of the first byte that no text in UTF-8 has there: a control character, or a sequence that is broken,
// longer than it need be or beyond Unicode. Words become parts of files in UTF-8.
std::optional<std::size_t> first_bad_byte(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0 || (first < ' ' && first != '\t') || first == 0x7f) return i;
    i += length;
  }
  return std::nullopt;
}

// The beginning of what is quoted in a message.
std::string quoted(std::string_view text) {
  constexpr std::size_t kMost = 40;
  return concat("'", text.substr(0, kMost), text.size() > kMost ? "..." : "", "'");
}

class Parser {
 public:
  explicit Parser(const std::string& source) : source_(source) {}

  void read(std::string_view line) {
    ++line_;
    line = stripped(line);
    if (line.empty()) return;
    require_story_text(line, text_place(source_, line_));
    const std::size_t blank = line.find_first_of(" \t");
    const std::optional<std::size_t> id = parse_number(line.substr(0, blank));
    if (!id)
      refuse(concat("starts with ", quoted(line.substr(0, blank)), ", expected the number of the line in its story"));
    if (*id == 1) {
      stories_.emplace_back();
      fact_of_id_.clear();
    } else if (stories_.empty() || *id != fact_of_id_.size() + 1) {
      refuse(concat("has number ", *id, ", expected ", stories_.empty() ? "" : concat(fact_of_id_.size() + 1, " or "),
                    "1, which starts a new story"));
    }
    const std::string_view rest = blank == std::string_view::npos ? "" : line.substr(blank + 1);
    const std::vector<std::string_view> fields = split_at(rest, '\t');
    std::vector<std::string> words = story_words(fields[0]);
    if (words.empty()) refuse("has a number but no sentence");
    if (fields.size() == 1) {
      fact_of_id_.push_back(stories_.back().facts.size());
      stories_.back().facts.push_back(std::move(words));
    } else {
      add_question(fields, std::move(words));
    }
  }

  std::vector<Story> take() { return std::move(stories_); }

 private:
  void add_question(const std::vector<std::string_view>& fields, std::vector<std::string> words) {
    if (fields.size() > 3)
      refuse(concat("has ", fields.size(), " fields, expected question, answer and supporting numbers between tabs"));
    StoryQuestion question{.words = std::move(words), .facts = stories_.back().facts.size()};
    std::string answer(fields[1]);
    std::ranges::replace(answer, ',', ' ');
    question.answer = join(story_words(answer), ",");
    if (question.answer.empty()) refuse("asks a question without an answer");
    if (fields.size() == 3) {
      for (const std::string_view text : split_at(fields[2], ' ')) {
        if (stripped(text).empty()) continue;
        const std::optional<std::size_t> id = parse_number(stripped(text));
        if (!id || *id == 0 || *id > fact_of_id_.size() || fact_of_id_[*id - 1] == kNoFact)
          refuse(concat("names ", quoted(stripped(text)),
                        " as a supporting fact, expected the number of a fact told before"));
        question.supporting.push_back(fact_of_id_[*id - 1]);
      }
    }
    fact_of_id_.push_back(kNoFact);
    stories_.back().questions.push_back(std::move(question));
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw_bad_input(concat(text_place(source_, line_), ": this line ", what));
  }

  static constexpr std::size_t kNoFact = static_cast<std::size_t>(-1);
  const std::string& source_;
  std::size_t line_ = 0;
  std::vector<Story> stories_;
  std::vector<std::size_t> fact_of_id_;  // of the last story: place among its facts, or kNoFact for a question
};

std::size_t question_count(std::span<const Story> stories) {
  std::size_t count = 0;
  for (const Story& story : stories) count += story.questions.size();
  return count;
}

// The questions [begin, end) in order of the file, with the stories they belong to.
std::vector<Story> question_range(std::span<const Story> stories, std::size_t begin, std::size_t end) {
  std::vector<Story> taken;
  std::size_t place = 0;
  for (const Story& story : stories) {
    Story part;
    for (const StoryQuestion& question : story.questions) {
      if (place >= begin && place < end) part.questions.push_back(question);
      ++place;
    }
    if (part.questions.empty()) continue;
    const std::size_t told = part.questions.back().facts;
    part.facts.assign(story.facts.begin(), story.facts.begin() + static_cast<std::ptrdiff_t>(told));
    taken.push_back(std::move(part));
  }
  return taken;
}

void fill_splits(StoryTask& task, const std::vector<Story>& train, const std::vector<Story>& test,
                 const StoryOptions& options) {
  const auto limited = [&](std::size_t count) { return options.limit == 0 ? count : std::min(count, options.limit); };
  const std::size_t questions = question_count(train), held_out = questions / 10;
  task.train = question_range(train, 0, limited(questions - held_out));
  task.validation = question_range(train, questions - held_out, questions - held_out + limited(held_out));
  task.test = question_range(test, 0, limited(question_count(test)));
  const auto require_some = [&](const std::vector<Story>& stories, const char* split) {
    if (stories.empty())
      throw_bad_input(concat("task ", task.name, ": no questions for the ", split,
                             " split; a training file needs ten questions at least, a test file one"));
  };
  require_some(task.train, "train");
  require_some(task.validation, "validation");
  require_some(task.test, "test");
}

std::vector<std::size_t> parse_task_numbers(const std::string& text, const std::vector<std::size_t>& known) {
  if (text == "all") return known;
  std::set<std::size_t> numbers;
  for (const std::string_view part : split_at(text, ',')) {
    std::size_t dash = part.find(".."), width = 2;
    if (dash == std::string_view::npos) {
      dash = part.find('-');
      width = 1;
    }
    const std::optional<std::size_t> first = parse_number(stripped(part.substr(0, dash)));
    const std::optional<std::size_t> last =
        dash == std::string_view::npos ? first : parse_number(stripped(part.substr(dash + width)));
    if (!first || !last || *first > *last || *last > kTaskCount)
      throw_usage(concat("tasks '", text, "': '", part,
                         "' is no task; expected all, a number from 1 to 20, a range such as 1-5, or several of these "
                         "between commas"));
    for (std::size_t number = *first; number <= *last; ++number) {
      if (std::ranges::find(known, number) == known.end()) {
        std::vector<std::string> names;
        for (const std::size_t name : known) names.push_back(std::to_string(name));
        throw_usage(concat("tasks '", text, "': there is no task ", number, "; the tasks are ", join(names, ", ")));
      }
      numbers.insert(number);
    }
  }
  return {numbers.begin(), numbers.end()};
}

// Of "qa7_counting_train.txt"; nothing for another name.
std::optional<std::size_t> task_of_file(std::string_view name) {
  if (!name.ends_with(".txt") || !name.starts_with("qa")) return std::nullopt;
  return parse_number(name.substr(2, name.find('_') - 2));
}

// Without ".gz" or ".xz".
std::string_view unpacked_name(std::string_view name) {
  return name.substr(0, name.size() - (name.ends_with(".gz") || name.ends_with(".xz") ? 3 : 0));
}

// The whole of a text, plain or packed.
std::string read_story_file(const std::filesystem::path& path) {
  return path.extension() == ".txt" ? read_file(path, kLargestFile) : read_text_file(path, kLargestFile);
}

// The numbers of the tasks that a folder has files of.
std::vector<std::size_t> tasks_in(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error))
    throw_bad_input(concat(folder.string(),
                           ": there is no such folder; expected one with qaN_NAME_train.txt and "
                           "qaN_NAME_test.txt"));
  std::set<std::size_t> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const std::optional<std::size_t> number = task_of_file(unpacked_name(name));
    if (number && *number >= 1 && *number <= kTaskCount) found.insert(*number);
  }
  if (found.empty())
    throw_bad_input(concat(folder.string(), ": there is no file qaN_NAME_train.txt with N from 1 to 20"));
  return {found.begin(), found.end()};
}

// Of "babi:FOLDER"; nothing for the name of a task.
std::optional<std::filesystem::path> folder_of(const std::string& name) {
  const std::optional<DataSpec> spec = parse_data_spec(name);
  return spec && spec->kind == "babi" ? std::optional(spec->path) : std::nullopt;
}

// Files "qa7_counting_train.txt" of one set, by name without folder.
class BabiFiles {
 public:
  BabiFiles(const std::filesystem::path& folder, const std::vector<std::size_t>& tasks, std::uint64_t max_memory) {
    read_folder(folder, tasks, max_memory);
  }

  BabiFiles(const std::string& set, const std::vector<std::size_t>& tasks, const StoryOptions& options) : set_(set) {
    TaskOptions folders;
    folders.data_dir = options.data_dir;
    const std::filesystem::path folder = data_folder(folders) / kFolder / set;
    std::error_code ignored;
    if (std::filesystem::is_directory(folder, ignored)) {
      read_folder(folder, tasks, options.max_memory);
      return;
    }
    const std::filesystem::path archive = find_data_file(
        {.task = "babi",
         .file = concat("babi/babi_v1-2_", set, ".tar.xz"),
         .set = "bAbI question answering tasks v1.2 (Weston et al. 2015)",
         .contents = concat("its tasks_1-20_v1-2/", set, "/qa{1..20}_*_{train,test}.txt (or that folder, ",
                            "unpacked, below babi/)")},
        folders);
    where_ = archive.string();
    const auto name_of = [](const std::string& path) { return std::filesystem::path(path).filename().string(); };
    read_archive(archive,
                 {.largest_file = kLargestFile,
                  .max_memory = options.max_memory,
                  .wants = [&](const std::string& path) { return wants(name_of(path), tasks); },
                  .take = [&](const std::string& path, std::string text) { texts_[name_of(path)] = std::move(text); }});
  }

  // The name "qa7_counting" of a task, or "" when the set has no file of it and this split.
  std::string find(std::size_t task, const std::string& split) const {
    const std::string begin = concat("qa", task, "_"), end = concat("_", split, ".txt");
    for (const auto& [name, text] : texts_)
      if (name.starts_with(begin) && name.ends_with(end)) return name.substr(0, name.size() - end.size());
    return "";
  }

  std::vector<Story> stories(std::size_t task, const std::string& split) const {
    const std::string name = find(task, split);
    if (name.empty())
      throw_bad_input(concat("task 'babi': ", where_, " holds no file qa", task, "_*_", split, ".txt",
                             set_.empty() ? "" : concat(" of set '", set_, "'"), "; is the copy complete?"));
    const std::string file = concat(name, "_", split, ".txt");
    return parse_stories(texts_.at(file), concat(where_, ": ", file));
  }

 private:
  static bool wants(const std::string& name, const std::vector<std::size_t>& tasks) {
    const std::optional<std::size_t> number = task_of_file(name);
    return number && std::ranges::find(tasks, *number) != tasks.end();
  }

  void read_folder(const std::filesystem::path& folder, const std::vector<std::size_t>& tasks,
                   std::uint64_t max_memory) {
    where_ = folder.string();
    std::uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      const std::string unpacked(unpacked_name(name));
      if (!wants(unpacked, tasks) || !entry.is_regular_file()) continue;
      const auto [text, is_new] = texts_.emplace(unpacked, read_story_file(entry.path()));
      if (!is_new) throw_bad_input(concat(where_, ": '", unpacked, "' is there twice, plain or packed; remove one"));
      bytes += text->second.size();
      require_memory(concat(where_, ": the files up to '", name, "' have"), bytes, max_memory);
    }
  }

  std::string set_, where_;
  std::map<std::string, std::string> texts_;
};

std::vector<StoryTask> load_babi(const StoryOptions& options) {
  if (options.set != "en" && options.set != "en-10k")
    throw_usage(concat("unknown set '", options.set, "' of task 'babi': the sets are en, en-10k"));
  const std::vector<std::size_t> numbers = story_task_numbers("babi", options.tasks);
  const BabiFiles files(options.set, numbers, options);
  std::vector<StoryTask> tasks;
  for (const std::size_t number : numbers) {
    StoryTask& task = tasks.emplace_back();
    task.number = number;
    // The copies of en-10k that are around lack the training file of task 3; the small set's stands in, and says so.
    task.small_train = options.set == "en-10k" && files.find(number, "train").empty();
    const std::vector<Story> train =
        task.small_train ? BabiFiles("en", {number}, options).stories(number, "train") : files.stories(number, "train");
    const std::vector<Story> test = files.stories(number, "test");
    task.name = files.find(number, "test");
    fill_splits(task, train, test, options);
  }
  return tasks;
}

std::vector<StoryTask> load_folder(const std::filesystem::path& folder, const StoryOptions& options) {
  const std::vector<std::size_t> numbers = parse_task_numbers(options.tasks, tasks_in(folder));
  const BabiFiles files(folder, numbers, options.max_memory);
  std::vector<StoryTask> tasks;
  for (const std::size_t number : numbers) {
    StoryTask& task = tasks.emplace_back();
    task.number = number;
    task.name = files.find(number, "test");
    const std::vector<Story> train = files.stories(number, "train"), test = files.stories(number, "test");
    fill_splits(task, train, test, options);
  }
  return tasks;
}

std::vector<StoryTask> load_generated(const StoryOptions& options) {
  std::vector<StoryTask> tasks;
  for (const std::size_t number : story_task_numbers("stories", options.tasks)) {
    StoryTask& task = tasks.emplace_back();
    task.number = number;
    task.name = std::ranges::find(generated_tasks(), number, &GeneratedTask::number)->name;
    const auto generated = [&](std::uint64_t file) {
      return parse_stories(generate_stories(number, options.questions, options.seed * 2 + file),
                           concat("generated ", task.name));
    };
    fill_splits(task, generated(0), generated(1), options);
  }
  return tasks;
}

}  // namespace

void require_story_text(std::string_view line, const std::string& where) {
  if (line.size() > kMaxStoryLine)
    throw_bad_input(concat(where, ": this line has ", line.size(), " bytes, expected at most ", kMaxStoryLine,
                           ": a line for each sentence"));
  if (const std::optional<std::size_t> place = first_bad_byte(line))
    throw_bad_input(concat(where, ": this line has the byte ",
                           static_cast<unsigned>(static_cast<unsigned char>(line[*place])), " at place ", *place + 1,
                           ", expected text in UTF-8"));
}

std::vector<std::string> story_words(std::string_view sentence) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < sentence.size();) {
    while (i < sentence.size() && is_space(sentence[i])) ++i;
    std::string word;
    for (; i < sentence.size() && !is_space(sentence[i]); ++i) word += sentence[i];
    while (!word.empty() && std::string_view(".,?!").find(word.back()) != std::string_view::npos) word.pop_back();
    if (!word.empty()) words.push_back(lower_case(word));
  }
  return words;
}

std::vector<Story> parse_stories(std::string_view text, const std::string& source) {
  Parser parser(source);
  for (const std::string_view line : split_at(text, '\n')) parser.read(line);
  return parser.take();
}

std::vector<std::string> story_task_names() { return {"babi", "stories"}; }

bool is_story_task(const std::string& name) {
  const std::vector<std::string> names = story_task_names();
  return std::ranges::find(names, name) != names.end() || folder_of(name).has_value();
}

std::vector<std::size_t> story_task_numbers(const std::string& name, const std::string& tasks) {
  if (const auto folder = folder_of(name)) return parse_task_numbers(tasks, tasks_in(*folder));
  std::vector<std::size_t> known;
  if (name == "babi")
    for (std::size_t number = 1; number <= kTaskCount; ++number) known.push_back(number);
  else
    for (const GeneratedTask& task : generated_tasks()) known.push_back(task.number);
  return parse_task_numbers(tasks, known);
}

std::vector<StoryTask> load_story_tasks(const std::string& name, const StoryOptions& options) {
  if (const auto folder = folder_of(name)) return load_folder(*folder, options);
  if (name == "babi") return load_babi(options);
  if (name == "stories") return load_generated(options);
  throw_usage(concat("unknown task of stories '", name, "': there are ", join(story_task_names(), ", ")));
}

Vocabulary::Vocabulary(std::vector<std::string> words) : words_(std::move(words)) {
  if (words_.empty() || !words_[0].empty()) throw_bad_input("vocabulary: word 0 must be empty: it stands for no word");
  for (std::size_t i = 1; i < words_.size(); ++i)
    if (words_[i].empty() || !numbers_.emplace(words_[i], static_cast<std::int32_t>(i)).second)
      throw_bad_input(concat("vocabulary: word ", i, " '", printable(words_[i]), "' is empty or comes twice"));
}

std::int32_t Vocabulary::add(const std::string& word) {
  const auto [place, inserted] = numbers_.emplace(word, static_cast<std::int32_t>(words_.size()));
  if (inserted) words_.push_back(word);
  return place->second;
}

std::int32_t Vocabulary::find(std::string_view word) const {
  const auto found = numbers_.find(word);
  return found == numbers_.end() ? 0 : found->second;
}

Vocabulary story_vocabulary(std::span<const StoryTask> tasks) {
  std::set<std::string> words;
  for (const StoryTask& task : tasks) {
    for (const std::vector<Story>* split : {&task.train, &task.validation, &task.test}) {
      for (const Story& story : *split) {
        for (const std::vector<std::string>& fact : story.facts) words.insert(fact.begin(), fact.end());
        for (const StoryQuestion& question : story.questions) {
          words.insert(question.words.begin(), question.words.end());
          words.insert(question.answer);
        }
      }
    }
  }
  Vocabulary vocabulary;
  for (const std::string& word : words) vocabulary.add(word);
  return vocabulary;
}

CodedStories::CodedStories(std::span<const Story> stories, const Vocabulary& vocabulary, std::size_t memory) {
  if (memory == 0) throw_usage("a memory of 0 facts cannot answer: give it one at least");
  // Spans point into the arrays, so these get their whole size first.
  std::size_t word_count = 0, fact_count = 0;
  for (const Story& story : stories) {
    fact_count += story.facts.size();
    for (const auto& fact : story.facts) word_count += fact.size();
    for (const auto& question : story.questions) word_count += question.words.size();
  }
  numbers_.reserve(word_count);
  facts_.reserve(fact_count);
  sentences_.reserve(fact_count);
  std::map<std::vector<std::string>, std::uint32_t> sentences;
  const auto coded = [&](const std::vector<std::string>& words) {
    const std::size_t begin = numbers_.size();
    for (const std::string& word : words) {
      const std::int32_t number = vocabulary.find(word);
      if (number == 0) ++counts_.words_unknown;
      numbers_.push_back(number);
    }
    longest_sentence_ = std::max(longest_sentence_, words.size());
    return Words(numbers_.data() + begin, words.size());
  };
  for (const Story& story : stories) {
    const std::size_t begin = facts_.size();
    for (const std::vector<std::string>& fact : story.facts) {
      facts_.push_back(coded(fact));
      sentences_.push_back(sentences.emplace(fact, static_cast<std::uint32_t>(sentences.size())).first->second);
    }
    for (const StoryQuestion& question : story.questions) {
      const std::size_t kept = std::min(question.facts, memory), dropped = question.facts - kept;
      counts_.facts_dropped += dropped;
      if (dropped > 0) ++counts_.stories_cut;
      if (kept == 0) ++counts_.empty_memories;
      const std::int32_t answer = vocabulary.find(question.answer);
      if (answer == 0) ++counts_.answers_unknown;
      questions_.push_back({.facts = std::span<const Words>(facts_.data() + begin + dropped, kept),
                            .sentences = std::span<const std::uint32_t>(sentences_.data() + begin + dropped, kept),
                            .words = coded(question.words),
                            .answer = answer});
    }
  }
}

std::uint64_t CodedStories::content_hash() const {
  // Lengths go in too: the same words cut into other sentences are other stories.
  std::uint64_t hash = fnv1a({});
  const auto add = [&](Words words) {
    const std::uint64_t size = words.size();
    hash = fnv1a(std::as_bytes(words), fnv1a(std::as_bytes(std::span(&size, 1)), hash));
  };
  for (const Question& question : questions_) {
    for (const Words fact : question.facts) add(fact);
    add(question.words);
    add({&question.answer, 1});
  }
  return hash;
}

}  // namespace quaver
