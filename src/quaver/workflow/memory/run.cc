#include <algorithm>
#include <chrono>
#include <deque>
#include <fstream>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/core/text_place.h"
#include "quaver/data/babi.h"
#include "quaver/engine/memory/memory_session.h"
#include "quaver/files/atomic_file.h"
#include "quaver/files/command_files.h"
#include "quaver/files/input_file.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/memory/calls.h"
#include "quaver/workflow/memory/story_input.h"
#include "quaver/workflow/raw_fields.h"
#include "quaver/workflow/text_lines.h"

namespace quaver {
namespace {

constexpr std::size_t kShownFacts = 10;  // of each question
constexpr double kLeastShown = 0.005;    // p that some hop must give a fact for it to be shown
constexpr std::size_t kMostNamed = 10;   // words never seen that are warned of one by one

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
  Dialogue(const RunRequest& request, const MemoryNetwork& network, Listener& listener)
      : request_(request),
        listener_(listener),
        vocabulary_(network.words),
        session_(network, {.capacity = request.memory}),
        memory_(session_.empty_memory()) {
    if (request.state_in.empty()) return;
    const std::string bytes = read_file(request.state_in, request.max_memory);
    try {
      memory_ = session_.restore(std::as_bytes(std::span(bytes)));
    } catch (const Error& error) {
      throw Error(error.kind(), concat(request.state_in.string(), ": ", error.what()));
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
    TextLines lines(in, source);
    for (std::string line; lines.next(line);) {
      line_ = lines.number();
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

  DialogueReport finish() {
    if (!request_.state_out.empty()) write_file_atomically(request_.state_out, session_.save(memory_));
    if (report_.questions == 0 && request_.state_out.empty()) {
      if (report_.facts == 0)
        throw_bad_input(concat(source_, ": nothing is told or asked; expected facts, and questions that end with '?'"));
      listener_.warn(
          concat("nothing was asked of the ", report_.facts, " facts that were told: a question ends with '?'"));
    }
    if (dropped() > 0)
      listener_.warn(concat(dropped(), " facts made room for newer ones, oldest first: the memory holds ",
                            memory_.capacity(), request_.memory == 0 ? "; --memory N asks for more" : ""));
    if (report_.words_unknown > kMostNamed)
      listener_.warn(concat(report_.words_unknown, " words in all were never seen in training"));
    report_.model = request_.model.string();
    report_.scheme = memory_scheme_text(session_.network().scheme);
    report_.path = session_.on_codes() ? isa_name(session_.isa()) : "cell";
    report_.integer_only = session_.integer_only();
    report_.memory = memory_.capacity();
    report_.facts_dropped = dropped();
    return std::move(report_);
  }

 private:
  std::uint64_t dropped() const { return dropped_before_ + memory_.dropped() - restored_dropped_; }
  std::string where() const { return text_place(source_, line_); }

  // Stories with numbers: the whole file at once, for its lines refer to each other.
  void read_babi(const std::string& first, TextLines& lines) {
    std::string text(line_ - 1, '\n');  // so that lines keep their numbers
    text += first + "\n" + lines.rest(request_.max_memory);
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
      if (++report_.words_unknown <= kMostNamed)
        listener_.warn(concat(line_ == 0 ? source_ : where(), ": '", printable(word),
                              "' was never seen in training; it counts as absent"));
    }
    return numbers;
  }

  void tell(const std::string& text, const std::vector<std::string>& words) {
    session_.write(memory_, numbers_of(words));
    texts_.push_back(text);
    if (texts_.size() > memory_.size()) texts_.pop_front();
    ++report_.facts;
  }

  void ask(const std::string& text, const std::vector<std::string>& words, const std::optional<std::string>& expected) {
    const std::vector<std::int32_t> numbers = numbers_of(words);
    if (memory_.size() == 0) {
      ++report_.empty_memories;
      listener_.warn(concat("'", text, "' is asked of an empty memory: the question alone decides"));
    }
    StoryReply reply{.question = text, .facts = memory_.size(), .expected = expected};
    if (line_ > 0) reply.line = line_;
    std::size_t word = 0;
    if (request_.explain) {
      const MemoryAnswer answer = session_.explain(memory_, numbers);
      word = answer.best();
      reply.explanation = explanation_of(answer);
    } else {
      word = static_cast<std::size_t>(session_.answer(memory_, numbers));
    }
    reply.answer = vocabulary_.words()[word];
    ++report_.questions;
    if (expected) {
      ++report_.judged;
      if (reply.answer == *expected) ++report_.right;
    }
    listener_.answered(reply);
    if (request_.keep_replies) report_.replies.push_back(std::move(reply));
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

  Explanation explanation_of(const MemoryAnswer& answer) const {
    const std::vector<std::size_t> places = most_looked_at(answer);
    Explanation explanation;
    for (const std::size_t place : places) {
      // Counted from 1, in the order they were told, forgotten ones included.
      LookedAtFact& fact =
          explanation.facts.emplace_back(LookedAtFact{memory_.dropped() + place + 1, texts_[place], {}});
      for (const std::vector<float>& hop : answer.attention) fact.p.push_back(hop[place]);
    }
    explanation.others = memory_.size() - places.size();
    for (const std::vector<float>& hop : answer.attention) {
      double rest = 0;
      for (std::size_t fact = 0; fact < hop.size(); ++fact)
        if (!std::ranges::binary_search(places, fact)) rest += hop[fact];
      explanation.others_p.push_back(rest);
    }
    explanation.empty = session_.network().shape.empty_facts(memory_.size());
    explanation.empty_p = answer.nothing;
    return explanation;
  }

  const RunRequest& request_;
  Listener& listener_;
  Vocabulary vocabulary_;
  MemorySession session_;
  Memory memory_;
  std::deque<std::string> texts_;  // of the facts in the memory
  std::string source_;
  std::size_t line_ = 0;
  bool first_line_ = true;
  std::uint64_t dropped_before_ = 0, restored_dropped_ = 0;  // in stories before this one; before the memory was saved
  DialogueReport report_;
};

void check(const RunRequest& request) {
  refuse({{"--output", !request.output.empty()}, {"--stream", request.stream}, {"--state-reals", request.state_reals}},
         "models of sequences",
         concat("here ", request.model.string(), " is a memory network: its answers are printed"));
  refuse_raw_fields(request, concat("here ", request.model.string(), " is a memory network"));
  CommandFiles files;
  files.reads("MODEL", request.model);
  if (request.input != "-") files.reads("--input", request.input);
  files.reads("--state", request.state_in);
  files.writes("--save-state", request.state_out);
  files.may_replace("--save-state", "--state");
  files.check();
}

}  // namespace

RunReport run(MemoryNetwork network, const RunRequest& request, Listener& listener) {
  check(request);
  Dialogue dialogue(request, std::exchange(network, {}), listener);  // the session has its own
  const auto start = std::chrono::steady_clock::now();
  if (request.input.empty() || request.input == "-") {
    if (request.text_in == nullptr) throw_usage("--input is required: a story as text");
    dialogue.read(*request.text_in, std::string(kStandardInput));
  } else {
    if (std::filesystem::is_directory(request.input))
      throw_bad_input(concat(request.input.string(), ": this is a folder, expected a text file"));
    std::ifstream file(request.input, std::ios::binary);
    if (!file) throw_bad_input(concat(request.input.string(), ": cannot be read; a story is a text file"));
    dialogue.read(file, request.input.string());
  }
  DialogueReport report = dialogue.finish();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace quaver
