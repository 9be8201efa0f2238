// run_report.h - what 'run' did: sequences through a model, or a dialogue with a memory network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace quaver {

struct ArrayReport {
  std::string name;
  std::vector<std::int64_t> shape;
  std::string type;  // "float32"
};

// What a model says of raw input, in the words and units of the data that it learned from.
struct Answer {
  std::string place{};           // what of the input: "a.wav", "line 3", "rows 1 to 96", "row 97"
  std::string says{};            // a class, the labels that hold, or text
  double probability = 0;        // of a class; 0: there is none
  std::vector<double> values{};  // of a forecast, a column each, in its units
};

struct AnswerReport {
  std::string model, scheme, input, path;
  std::vector<std::string> columns{};  // of Answer::values
  std::vector<Answer> answers{};       // where they were to be kept
  std::size_t count = 0;
  std::size_t steps = 0;
  double seconds = 0;  // in the engine
};

struct SequenceRunReport {
  std::string model, scheme, input, output;
  std::size_t sequences = 0;
  std::size_t steps = 0;  // of the longest
  std::vector<ArrayReport> arrays{};
  double seconds = 0;  // in the engine
  double us_per_step = 0;
  std::string path;  // of the kernels
};

// A fact that some hop looked at.
struct LookedAtFact {
  std::uint64_t number = 0;  // from 1, in the order in which facts were told, forgotten ones included
  std::string text;
  std::vector<float> p;  // of every hop
};

// What the hops looked at: the facts that got most, in the order they were told, and what the others got together.
struct Explanation {
  std::vector<LookedAtFact> facts;
  std::size_t others = 0;
  std::vector<double> others_p;  // of every hop
  std::size_t empty = 0;         // places without a fact
  std::vector<float> empty_p;    // of every hop
};

struct StoryReply {
  std::string question{}, answer{};
  std::size_t facts = 0;                  // in the memory
  std::optional<std::size_t> line{};      // of the story
  std::optional<std::string> expected{};  // the file's answer
  std::optional<Explanation> explanation{};
};

struct DialogueReport {
  std::string model, scheme, path;
  bool integer_only = false;
  std::size_t memory = 0;                            // facts that it holds
  std::uint64_t facts = 0, facts_dropped = 0;        // told, and of these forgotten
  std::size_t words_unknown = 0;                     // in facts and questions
  std::size_t empty_memories = 0;                    // questions of a memory without facts
  std::size_t questions = 0, judged = 0, right = 0;  // judged: those with an expected answer
  std::vector<StoryReply> replies;                   // where they were to be kept
  double seconds = 0;

  double error() const;  // percent of the judged; at least one
};

using RunReport = std::variant<SequenceRunReport, AnswerReport, DialogueReport>;

nlohmann::ordered_json to_json(const RunReport& report);
std::string to_text(const RunReport& report);  // of a dialogue without its replies
std::string to_text(const Answer& answer);     // one line: "a.wav  seven  0.98"
std::string to_text(const StoryReply& reply);

}  // namespace quaver
