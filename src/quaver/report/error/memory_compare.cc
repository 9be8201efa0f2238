#include "quaver/report/error/memory_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "quaver/cells/memn2n/scales.h"
#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/report/cost/memory_inspect.h"
#include "quaver/report/error/memory_points.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

double percent(std::size_t count, std::size_t of) {
  return of == 0 ? 0 : 100 * static_cast<double>(count) / static_cast<double>(of);
}

// Whether the second network is the first one under another scheme: its parameters are those, or their codes.
bool same_weights(const MemoryNetwork& first, const MemoryNetwork& second) {
  if (!second.scheme.is_scaled()) return first.parameters == second.parameters;
  return coded_parameters(second.shape, second.scheme, second.scales, first.parameters) == second.parameters;
}

struct PointSums {
  ErrorSums errors;
  std::uint64_t saturated = 0;
  std::size_t agreeing = 0, compared = 0;
};

std::size_t largest(std::span<const float> values) {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

nlohmann::ordered_json to_json(const std::vector<MemoryPointError>& points) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const MemoryPointError& point : points) {
    json.push_back({{"name", point.name},
                    {"max_abs", point.max_abs},
                    {"rmse", point.rmse},
                    {"sqnr_db", point.sqnr_db},
                    {"saturated", point.saturated},
                    {"saturated_percent", point.saturated_percent()},
                    {"count", point.count}});
    if (point.agreement) json.back()["agreement"] = *point.agreement;
  }
  return json;
}

}  // namespace

void require_comparable(const MemoryNetwork& reference, const MemoryNetwork& quantized) {
  const auto refuse = [](const std::string& what) {
    throw_bad_input(what + "; compare takes a float network and a quantized one of the same task and recipe");
  };
  const auto same = [&](const char* what, auto a, auto b) {
    if (a != b) refuse(concat("the first network has ", what, " ", a, ", the second ", b));
  };
  if (memory_scheme_text(reference.scheme) != memory_scheme_text({}))
    refuse(concat("the first network is '", memory_scheme_text(reference.scheme), "', expected a float one"));
  same("a vocabulary of", reference.shape.vocabulary, quantized.shape.vocabulary);
  same("a memory of", reference.shape.memory, quantized.shape.memory);
  same("embeddings of", reference.shape.d, quantized.shape.d);
  same("hops:", reference.shape.hops, quantized.shape.hops);
  same("tying", memory_tying_name(reference.shape.tying), memory_tying_name(quantized.shape.tying));
  same("encoding", sentence_encoding_name(reference.shape.encoding), sentence_encoding_name(quantized.shape.encoding));
  same("ages:", reference.shape.temporal, quantized.shape.temporal);
  same("slots:", reference.shape.slots, quantized.shape.slots);
  // With position encoding the longest sentence shapes the weights l; else it is only the longest one seen.
  if (reference.shape.encoding == SentenceEncoding::kPosition)
    same("a longest sentence of", reference.shape.sentence, quantized.shape.sentence);
  const auto [a, b] = std::ranges::mismatch(reference.words, quantized.words);
  if (a != reference.words.end())
    refuse(concat("word ", a - reference.words.begin(), " is '", printable(*a), "' in the first network and '",
                  printable(*b), "' in the second"));
}

double MemoryPointError::saturated_percent() const { return percent(saturated, count); }

MemoryComparison compare(const MemoryNetwork& reference, const MemoryNetwork& quantized,
                         std::span<const AnsweredQuestion> questions, const MemoryCompareOptions& options) {
  require_comparable(reference, quantized);
  if (questions.empty()) throw_bad_input("compare was given no question, expected at least one");
  MemoryNetwork own_float = quantized;
  own_float.scheme = {};
  own_float.scales = {};
  MemoryComparison comparison{.questions = questions.size(),
                              .same_weights = same_weights(reference, quantized),
                              .outputs = {},
                              .layers = {},
                              .sizes = {},
                              .energy = {},
                              .energy_table = options.energy_table};
  MemoryProbe first(reference), second(quantized), third(own_float);
  std::vector<std::string> names;
  std::vector<PointSums> sums;
  std::size_t first_right = 0, second_right = 0, third_right = 0;
  for (std::size_t done = 0; done < questions.size(); ++done) {
    const AnsweredQuestion& asked = questions[done];
    first.ask(asked.question);
    second.ask(asked.question);
    if (!comparison.same_weights) third.ask(asked.question);
    const MemoryProbe& against = comparison.same_weights ? first : third;
    const auto right = [&](const MemoryProbe& probe) {
      return asked.answer != 0 && probe.answer() == static_cast<std::size_t>(asked.answer);
    };
    first_right += right(first);
    second_right += right(second);
    third_right += right(against);
    if (first.answer() != second.answer()) {
      ++comparison.changed;
      comparison.lost += right(first);
      comparison.gained += right(second);
    }
    sums.resize(second.points().size());
    names.resize(sums.size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const MemoryPoint &f = against.points()[i], &q = second.points()[i];
      names[i] = q.name;
      for (std::size_t j = 0; j < q.values.size(); ++j) sums[i].errors.add(f.values[j], q.values[j]);
      sums[i].saturated += q.saturated;
      const bool chooses = q.name.ends_with(".p");
      if (chooses && !q.values.empty()) {
        sums[i].agreeing += largest(f.values) == largest(q.values);
        ++sums[i].compared;
      }
    }
    sums.back().agreeing += against.answer() == second.answer();
    ++sums.back().compared;
    const MemoryQuestion one[] = {asked.question};
    const QuestionSizes size = question_sizes(one);
    comparison.sizes.facts += size.facts;
    comparison.sizes.fact_words += size.fact_words;
    comparison.sizes.question_words += size.question_words;
    if (options.progress) options.progress(done + 1, questions.size());
  }
  comparison.sizes.questions = questions.size();
  for (std::size_t i = 0; i < sums.size(); ++i) {
    MemoryPointError point{.name = names[i],
                           .count = sums[i].errors.count,
                           .max_abs = sums[i].errors.max_abs,
                           .rmse = sums[i].errors.rmse(),
                           .sqnr_db = sums[i].errors.sqnr_db(),
                           .saturated = sums[i].saturated,
                           .agreement = {}};
    if (sums[i].compared > 0) point.agreement = percent(sums[i].agreeing, sums[i].compared);
    (i + 1 == sums.size() ? comparison.outputs : comparison.layers).push_back(std::move(point));
  }
  comparison.reference_error = 100 - percent(first_right, questions.size());
  comparison.quantized_error = 100 - percent(second_right, questions.size());
  comparison.own_float_error = 100 - percent(third_right, questions.size());
  comparison.energy = memory_energy(quantized.shape, quantized.scheme, comparison.sizes, options.energy_table);
  return comparison;
}

nlohmann::ordered_json to_json(const MemoryComparison& comparison) {
  return {{"questions", comparison.questions},
          {"same_weights", comparison.same_weights},
          {"metric", "error"},
          {"reference", comparison.reference_error},
          {"quantized", comparison.quantized_error},
          {"quantized_weights_in_float", comparison.own_float_error},
          {"changed", comparison.changed},
          {"lost", comparison.lost},
          {"gained", comparison.gained},
          {"outputs", to_json(comparison.outputs)},
          {"layers", to_json(comparison.layers)},
          {"energy", to_json(comparison.energy)},
          {"energy_table", to_json(comparison.energy_table)}};
}

std::string to_text(const MemoryComparison& comparison) {
  Table table({{"point", Align::kLeft}, {"max abs"}, {"rmse"}, {"SQNR dB"}, {"saturated %"}, {"of"}, {"agreement %"}});
  for (const std::vector<MemoryPointError>* points : {&comparison.layers, &comparison.outputs})
    for (const MemoryPointError& point : *points)
      table.add_row({point.name, significant_text(point.max_abs, 3), significant_text(point.rmse, 3),
                     point.sqnr_db >= kEqualDb ? "equal" : fixed_text(point.sqnr_db, 1),
                     fixed_text(point.saturated_percent(), 2), count_text(point.count),
                     point.agreement ? fixed_text(*point.agreement, 2) : "-"});
  std::string text = table.text() + '\n';
  if (!comparison.same_weights)
    text +=
        "points      of the second network against its own weights in float: the first one has other weights, so that "
        "the two were trained apart\n";
  text += fmt::format(
      "error       {:.2f} % first, {:.2f} % second{}, of {} questions\n", comparison.reference_error,
      comparison.quantized_error,
      comparison.same_weights ? "" : fmt::format(" ({:.2f} % with its weights in float)", comparison.own_float_error),
      comparison.questions);
  text += fmt::format("answers     {} differ: {} were right and are not, {} are right and were not\n",
                      comparison.changed, comparison.lost, comparison.gained);
  text += to_text(comparison.energy, comparison.energy_table.source);
  return text;
}

}  // namespace quaver
