#include "quaver/report/show/run_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

constexpr std::size_t kShownText = 60;        // characters of a fact in a table
constexpr std::size_t kMostOfAnAnswer = 500;  // characters

nlohmann::ordered_json json_of(const SequenceRunReport& report) {
  nlohmann::ordered_json arrays = nlohmann::ordered_json::array();
  for (const ArrayReport& array : report.arrays)
    arrays.push_back({{"name", array.name}, {"shape", array.shape}, {"type", array.type}});
  return {{"model", report.model},   {"scheme", report.scheme},       {"input", report.input},
          {"output", report.output}, {"sequences", report.sequences}, {"steps", report.steps},
          {"arrays", arrays},        {"seconds", report.seconds},     {"us_per_step", report.us_per_step},
          {"path", report.path}};
}

std::string text_of(const SequenceRunReport& report) {
  Table table({{"array", Align::kLeft}, {"shape", Align::kLeft}, {"type", Align::kLeft}});
  for (const ArrayReport& array : report.arrays) table.add_row({array.name, shape_text(array.shape), array.type});
  return table.text() + fmt::format("\nwrote {}: {} sequences of {} steps, {} us a step on {}\n", report.output,
                                    report.sequences, report.steps, significant_text(report.us_per_step, 3),
                                    report.path);
}

nlohmann::ordered_json json_of(const AnswerReport& report) {
  nlohmann::ordered_json answers = nlohmann::ordered_json::array();
  for (const Answer& answer : report.answers) {
    nlohmann::ordered_json& json = answers.emplace_back(nlohmann::ordered_json{{"input", answer.place}});
    if (answer.values.empty()) json["answer"] = answer.says;
    if (answer.probability > 0) json["probability"] = answer.probability;
    for (std::size_t i = 0; i < answer.values.size(); ++i) json["values"][report.columns[i]] = answer.values[i];
  }
  return {{"model", report.model}, {"scheme", report.scheme}, {"input", report.input},     {"n", report.count},
          {"steps", report.steps}, {"answers", answers},      {"seconds", report.seconds}, {"path", report.path}};
}

std::string text_of(const AnswerReport& report) {
  if (report.answers.empty()) return "";
  if (report.answers.size() == 1 && report.answers[0].place.empty()) return report.answers[0].says + "\n";
  std::vector<Column> columns{{"input", Align::kLeft}};
  const bool forecasts = !report.columns.empty();
  if (forecasts) {
    for (const std::string& column : report.columns) columns.push_back({column});
  } else {
    columns.push_back({"answer", Align::kLeft});
    if (report.answers[0].probability > 0) columns.push_back({"probability"});
  }
  Table table(columns);
  for (const Answer& answer : report.answers) {
    std::vector<std::string> row{answer.place};
    if (forecasts) {
      for (const double value : answer.values) row.push_back(significant_text(value, 5));
    } else {
      row.push_back(answer.says);
      if (columns.size() == 3) row.push_back(fixed_text(answer.probability, 3));
    }
    table.add_row(row);
  }
  return table.text();
}

nlohmann::ordered_json json_of(const StoryReply& reply) {
  nlohmann::ordered_json json{{"question", reply.question}, {"answer", reply.answer}, {"facts", reply.facts}};
  if (reply.line) json["line"] = *reply.line;
  if (reply.expected) json["expected"] = *reply.expected;
  if (!reply.explanation) return json;
  nlohmann::ordered_json& looked_at = json["looked_at"] = nlohmann::ordered_json::array();
  for (const LookedAtFact& fact : reply.explanation->facts)
    looked_at.push_back({{"fact", fact.number}, {"text", fact.text}, {"p", fact.p}});
  if (reply.explanation->empty > 0)
    json["empty"] = {{"facts", reply.explanation->empty}, {"p", reply.explanation->empty_p}};
  return json;
}

nlohmann::ordered_json json_of(const DialogueReport& report) {
  nlohmann::ordered_json questions = nlohmann::ordered_json::array();
  for (const StoryReply& reply : report.replies) questions.push_back(json_of(reply));
  nlohmann::ordered_json json{{"model", report.model},
                              {"scheme", report.scheme},
                              {"path", report.path},
                              {"integer_only", report.integer_only},
                              {"memory", report.memory},
                              {"facts", report.facts},
                              {"facts_dropped", report.facts_dropped},
                              {"words_unknown", report.words_unknown},
                              {"empty_memories", report.empty_memories},
                              {"n", report.questions},
                              {"questions", questions},
                              {"seconds", report.seconds}};
  if (report.integer_only) json["float_ops"] = 0;
  if (report.judged > 0) json["error"] = report.error();
  return json;
}

std::string text_of(const DialogueReport& report) {
  if (report.judged == 0) return "";
  return fmt::format("{} of {} answers are those of the file: error {} %\n", report.right, report.judged,
                     fixed_text(report.error(), 2));
}

std::string text_of(const Explanation& explanation) {
  const std::size_t hops = explanation.empty_p.size();
  std::vector<Column> columns{{"fact"}, {"", Align::kLeft}};
  for (std::size_t hop = 1; hop <= hops; ++hop) columns.push_back({concat("hop ", hop)});
  Table table(columns);
  const auto add_row = [&table](const std::string& number, const std::string& text, const auto& p_of_hops) {
    std::vector<std::string> row{number, text};
    for (const auto p : p_of_hops) row.push_back(fixed_text(p, 2));
    table.add_row(row);
  };
  for (const LookedAtFact& fact : explanation.facts)
    add_row(std::to_string(fact.number),
            fact.text.size() > kShownText ? fact.text.substr(0, kShownText - 3) + "..." : fact.text, fact.p);
  if (explanation.others > 0) add_row("", fmt::format("{} more", explanation.others), explanation.others_p);
  if (explanation.empty > 0) add_row("", fmt::format("{} empty", explanation.empty), explanation.empty_p);
  return table.text();
}

}  // namespace

double DialogueReport::error() const {
  return 100.0 * static_cast<double>(judged - right) / static_cast<double>(judged);
}

nlohmann::ordered_json to_json(const RunReport& report) {
  return std::visit([](const auto& of_kind) { return json_of(of_kind); }, report);
}

std::string to_text(const RunReport& report) {
  return std::visit([](const auto& of_kind) { return text_of(of_kind); }, report);
}

std::string to_text(const Answer& answer) {
  std::string text = answer.place;
  if (!answer.says.empty()) text += (text.empty() ? "" : "  ") + answer.says;
  if (answer.probability > 0) text += "  " + fixed_text(answer.probability, 3);
  for (const double value : answer.values) text += "  " + significant_text(value, 5);
  return text + "\n";
}

std::string to_text(const StoryReply& reply) {
  const bool differs = reply.expected && reply.answer != *reply.expected;
  std::string text = fmt::format("{}\n  {}{}\n", reply.question, printable(reply.answer, kMostOfAnAnswer),
                                 differs ? fmt::format("  (the file says {})", *reply.expected) : "");
  if (reply.explanation && reply.facts > 0) text += text_of(*reply.explanation);
  return text;
}

}  // namespace quaver
