#include "run_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/data/babi.h"
#include "quaver/engine/memory/memory_session.h"
#include "quaver/files/atomic_file.h"
#include "quaver/files/input_file.h"
#include "quaver/report/show/table.h"
#include "story_input.h"

namespace quaver {
namespace {

constexpr std::size_t kShownFacts = 10;       // of each question, in tables and JSON
constexpr double kLeastShown = 0.005;         // p that some hop must give a fact for it to be shown
constexpr std::size_t kShownText = 60;        // characters of a fact in a table
constexpr std::size_t kMostOfAnAnswer = 500;  // characters
constexpr std::size_t kMostNamed = 10;        // words never seen that are named on standard error

// What ends a sentence: . ? ! before a blank or the end of the line. The rest of a line is a sentence too.
std::vector<std::string_view> sentences_of(std::string_view line) {
  std::vector<std::string_view> sentences;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool ends = std::string_view(".?!").find(line[i]) != std::string_view::npos;
    if (!ends || (i + 1 < line.size() && std::string_view(" \t\r").find(line[i + 1]) == std::string_view::npos))
      continue;
    sentences.push_back(line.substr(begin, i + 1 - begin));
    begin = i + 1;
  }
  if (line.find_first_not_of(" \t\r", begin) != std::string_view::npos) sentences.push_back(line.substr(begin));
  for (std::string_view& sentence : sentences) {
    sentence.remove_prefix(sentence.find_first_not_of(" \t\r"));
    sentence.remove_suffix(sentence.size() - sentence.find_last_not_of(" \t\r") - 1);
  }
  return sentences;
}

// The first line of a file in bAbI's format.
bool begins_a_story(std::string_view line) { return line.starts_with("1 ") || line.starts_with("1\t"); }

std::string shown(const std::string& text) { return printable(text, text.size()); }

class Dialogue {
 public:
  Dialogue(const MemoryRun& flags, const MemoryNetwork& network)
      : flags_(flags),
        vocabulary_(network.words),
        session_(network, {.capacity = flags.memory}),
        memory_(session_.empty_memory()) {
    if (flags.state_in.empty()) return;
    const std::string bytes = read_file(flags.state_in, flags.max_memory);
    try {
      memory_ = session_.restore(std::as_bytes(std::span(bytes)));
    } catch (const Error& error) {
      throw Error(error.kind(), concat(flags.state_in.string(), ": ", error.what()));
    }
    restored_dropped_ = memory_.dropped();
    for (std::size_t i = 0; i < memory_.size(); ++i) {  // what was told is gone, its words are not
      std::vector<std::string> words;
      for (const std::int32_t word : memory_.fact(i))
        words.push_back(word == 0 ? "_" : vocabulary_.words()[static_cast<std::size_t>(word)]);
      texts_.push_back(join(words, " "));
    }
  }

  void read(std::istream& in, const std::string& source) {
    source_ = source;
    StoryLines lines(in, source);
    for (std::string line; lines.next(line);) {
      line_ = lines.number();
      if (line.ends_with('\r')) line.pop_back();
      require_story_text(line, where());
      const std::vector<std::string_view> sentences = sentences_of(line);
      if (sentences.empty()) continue;
      if (first_line_ && begins_a_story(line)) return read_babi(line, lines);
      first_line_ = false;
      if (line.find('\t') != std::string::npos)
        throw_bad_input(concat(where(),
                               ": this line has a tab as in bAbI's format, where the first line begins with '1 '; "
                               "expected plain sentences"));
      for (const std::string_view sentence : sentences) {
        const std::vector<std::string> words = story_words(sentence);
        if (words.empty())
          throw_bad_input(concat(where(), ": '", shown(std::string(sentence)),
                                 "' has no words; expected a fact, or a question that ends with '?'"));
        if (sentence.ends_with('?')) {
          ask(shown(std::string(sentence)), words, std::nullopt);
        } else {
          tell(shown(std::string(sentence)), words);
        }
      }
    }
  }

  void finish(double seconds) {
    if (!flags_.state_out.empty()) {
      const std::string bytes = session_.save(memory_);
      write_file_atomically(flags_.state_out, [&](const ByteSink& sink) { sink(std::as_bytes(std::span(bytes))); });
    }
    if (asked_ == 0 && flags_.state_out.empty())
      warn(told_ == 0
               ? "nothing was told or asked: expected facts, and questions that end with '?'"
               : fmt::format("nothing was asked of the {} facts that were told: a question ends with '?'", told_));
    if (dropped() > 0)
      warn(fmt::format("{} facts made room for newer ones, oldest first: the memory holds {}{}", dropped(),
                       memory_.capacity(), flags_.memory == 0 ? "; --memory N asks for more" : ""));
    if (unknown_words_ > kMostNamed) warn(fmt::format("{} words in all were never seen in training", unknown_words_));
    nlohmann::ordered_json json{{"model", flags_.model.string()},
                                {"scheme", memory_scheme_text(session_.network().scheme)},
                                {"path", session_.on_codes() ? isa_name(session_.isa()) : "cell"},
                                {"integer_only", session_.integer_only()},
                                {"memory", memory_.capacity()},
                                {"facts", told_},
                                {"facts_dropped", dropped()},
                                {"words_unknown", unknown_words_},
                                {"empty_memories", empty_memories_},
                                {"n", asked_},
                                {"questions", questions_},
                                {"seconds", seconds}};
    if (session_.integer_only()) json["float_ops"] = 0;
    std::string text;
    if (judged_ > 0) {
      const double error = 100.0 * static_cast<double>(judged_ - right_) / static_cast<double>(judged_);
      json["error"] = error;
      text = fmt::format("{} of {} answers are those of the file: error {} %\n", right_, judged_, fixed_text(error, 2));
    }
    print_result(flags_.shared, json, text);
  }

 private:
  std::uint64_t dropped() const { return dropped_before_ + memory_.dropped() - restored_dropped_; }
  std::string where() const { return concat(source_, ":", line_); }

  // Stories with numbers: the whole file at once, for its lines refer to each other.
  void read_babi(const std::string& first, StoryLines& lines) {
    std::string text(line_ - 1, '\n');  // so that lines keep their numbers
    text += first + "\n" + lines.rest(flags_.max_memory);
    bool another = false;
    for (const Story& story : parse_stories(text, source_)) {
      if (another) {
        dropped_before_ = dropped();
        restored_dropped_ = 0;
        session_.forget_all(memory_);
        texts_.clear();
      }
      another = true;
      std::size_t told = 0;
      const auto tell_until = [&](std::size_t end) {
        for (; told < end; ++told) tell(shown(join(story.facts[told], " ")), story.facts[told]);
      };
      line_ = 0;
      for (const StoryQuestion& question : story.questions) {
        tell_until(question.facts);
        ask(shown(join(question.words, " ")) + "?", question.words, question.answer);
      }
      tell_until(story.facts.size());
    }
  }

  std::vector<std::int32_t> numbers_of(const std::vector<std::string>& words) {
    std::vector<std::int32_t> numbers;
    for (const std::string& word : words) {
      numbers.push_back(vocabulary_.find(word));
      if (numbers.back() != 0) continue;
      if (++unknown_words_ <= kMostNamed)
        warn(fmt::format("{}: '{}' was never seen in training; it counts as absent", line_ == 0 ? source_ : where(),
                         printable(word)));
    }
    return numbers;
  }

  void tell(const std::string& text, const std::vector<std::string>& words) {
    session_.write(memory_, numbers_of(words));
    texts_.push_back(text);
    if (texts_.size() > memory_.size()) texts_.pop_front();
    ++told_;
  }

  void ask(const std::string& text, const std::vector<std::string>& words, const std::optional<std::string>& expected) {
    const std::vector<std::int32_t> numbers = numbers_of(words);
    if (memory_.size() == 0) {
      ++empty_memories_;
      warn(fmt::format("'{}' is asked of an empty memory: the question alone decides", text));
    }
    const MemoryAnswer explained = flags_.explain ? session_.explain(memory_, numbers) : MemoryAnswer{};
    const std::size_t word =
        flags_.explain ? explained.best() : static_cast<std::size_t>(session_.answer(memory_, numbers));
    const std::string& answer = vocabulary_.words()[word];
    nlohmann::ordered_json question{{"question", text}, {"answer", answer}, {"facts", memory_.size()}};
    if (line_ > 0) question["line"] = line_;
    if (expected) {
      question["expected"] = *expected;
      ++judged_;
      if (answer == *expected) ++right_;
    }
    std::string lines =
        fmt::format("{}\n  {}{}\n", text, printable(answer, kMostOfAnAnswer),
                    expected && answer != *expected ? fmt::format("  (the file says {})", *expected) : "");
    if (flags_.explain) {
      const std::vector<std::size_t> places = most_looked_at(explained);
      lines += table_of(explained, places);
      question["looked_at"] = json_of(explained, places);
      if (const std::size_t empty = session_.network().shape.empty_facts(memory_.size()); empty > 0)
        question["empty"] = {{"facts", empty}, {"p", explained.nothing}};
    }
    ++asked_;
    if (flags_.shared.json) {
      questions_.push_back(std::move(question));
      return;
    }
    print_text(lines);
  }

  // The facts that some hop gave the most, in the order they were told.
  std::vector<std::size_t> most_looked_at(const MemoryAnswer& answer) const {
    const auto most = [&](std::size_t fact) {
      float p = 0;
      for (const std::vector<float>& hop : answer.attention) p = std::max(p, hop[fact]);
      return p;
    };
    std::vector<std::size_t> places(memory_.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    std::erase_if(places, [&](std::size_t fact) { return most(fact) < kLeastShown; });
    std::ranges::stable_sort(places, [&](std::size_t a, std::size_t b) { return most(a) > most(b); });
    if (places.size() > kShownFacts) places.resize(kShownFacts);
    std::ranges::sort(places);
    return places;
  }

  std::string table_of(const MemoryAnswer& answer, const std::vector<std::size_t>& places) const {
    std::vector<Column> columns{{"fact"}, {"", Align::kLeft}};
    for (std::size_t hop = 0; hop < answer.attention.size(); ++hop) columns.push_back({concat("hop ", hop + 1)});
    Table table(columns);
    for (const std::size_t fact : places) {
      std::string text = texts_[fact];
      if (text.size() > kShownText) text = text.substr(0, kShownText - 3) + "...";
      std::vector<std::string> row{std::to_string(number_of(fact)), text};
      for (const std::vector<float>& hop : answer.attention) row.push_back(fixed_text(hop[fact], 2));
      table.add_row(row);
    }
    const std::size_t others = memory_.size() - places.size();
    if (others > 0) {
      std::vector<std::string> row{"", fmt::format("{} more", others)};
      for (const std::vector<float>& hop : answer.attention) {
        double rest = 0;
        for (std::size_t fact = 0; fact < hop.size(); ++fact)
          if (!std::ranges::binary_search(places, fact)) rest += hop[fact];
        row.push_back(fixed_text(rest, 2));
      }
      table.add_row(row);
    }
    const std::size_t empty = session_.network().shape.empty_facts(memory_.size());
    if (empty > 0) {
      std::vector<std::string> row{"", fmt::format("{} empty", empty)};
      for (const float p : answer.nothing) row.push_back(fixed_text(p, 2));
      table.add_row(row);
    }
    return memory_.size() == 0 ? "" : table.text();
  }

  nlohmann::ordered_json json_of(const MemoryAnswer& answer, const std::vector<std::size_t>& places) const {
    nlohmann::ordered_json facts = nlohmann::ordered_json::array();
    for (const std::size_t fact : places) {
      std::vector<float> p;
      for (const std::vector<float>& hop : answer.attention) p.push_back(hop[fact]);
      facts.push_back({{"fact", number_of(fact)}, {"text", texts_[fact]}, {"p", p}});
    }
    return facts;
  }

  // Counted from 1, in the order they were told, forgotten ones included.
  std::uint64_t number_of(std::size_t fact) const { return memory_.dropped() + fact + 1; }

  const MemoryRun& flags_;
  Vocabulary vocabulary_;
  MemorySession session_;
  Memory memory_;
  std::deque<std::string> texts_;  // of the facts in the memory
  std::string source_;
  std::size_t line_ = 0;
  bool first_line_ = true;
  std::uint64_t dropped_before_ = 0, restored_dropped_ = 0;  // in stories before this one; before the memory was saved
  std::size_t told_ = 0, asked_ = 0, unknown_words_ = 0, empty_memories_ = 0, judged_ = 0, right_ = 0;
  nlohmann::ordered_json questions_ = nlohmann::ordered_json::array();  // of --json
};

}  // namespace

void run_memory(MemoryNetwork network, const MemoryRun& flags) {
  Dialogue dialogue(flags, std::exchange(network, {}));  // the session has its own
  const auto start = std::chrono::steady_clock::now();
  if (flags.input.empty() || flags.input == "-") {
    dialogue.read(std::cin, "standard input");
  } else {
    if (std::filesystem::is_directory(flags.input))
      throw_bad_input(concat(flags.input.string(), ": this is a folder, expected a text file"));
    std::ifstream file(flags.input, std::ios::binary);
    if (!file) throw_bad_input(concat(flags.input.string(), ": cannot be read; a story is a text file"));
    dialogue.read(file, flags.input.string());
  }
  dialogue.finish(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace quaver
