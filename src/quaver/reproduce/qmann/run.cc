#include "quaver/reproduce/qmann/run.h"

#include <map>
#include <nlohmann/json.hpp>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/core/version.h"
#include "quaver/model/memory/memory_network.h"

namespace quaver {
namespace {

// Changes when the same identity would give another result: training arithmetic, or what a run holds.
constexpr int kRevision = 1;

std::uint64_t whole_number(const nlohmann::json& json, const char* key, std::uint64_t most = UINT64_MAX) {
  const nlohmann::json& value = json.at(key);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most)
    throw_bad_input(concat('"', key, "\" is not a whole number of 0 to ", most));
  return value.get<std::uint64_t>();
}

double number_in(const nlohmann::json& json, const char* key, double low, double high) {
  const double value = json.at(key).get<double>();
  if (!(value >= low && value <= high))
    throw_bad_input(concat('"', key, "\" is ", value, ", expected ", low, " to ", high));
  return value;
}

// Addressing in fixed point is looked at; what becomes of a float network is not.
bool leaves_similarities(const QmannRow& row) { return row.options.scheme.is_fixed() && !row.beyond(); }

// Facts that the test questions of the task are asked of, all together.
std::uint64_t fact_count(const QmannTask& task) {
  std::uint64_t count = 0;
  for (const CodedStories::Question& question : task.test.questions()) count += question.facts.size();
  return count;
}

SimilarityHistogram histogram_from_json(const nlohmann::json& json, std::size_t hop, std::uint64_t facts) {
  SimilarityHistogram histogram;
  histogram.hop = whole_number(json, "hop");
  if (histogram.hop != hop) throw_bad_input(concat("similarities of hop ", histogram.hop, ", expected ", hop));
  constexpr double kLargest = 1e30;
  histogram.limit = number_in(json, "limit", 0, kLargest);
  histogram.low = number_in(json, "low", -*histogram.limit, -*histogram.limit);
  histogram.high = number_in(json, "high", *histogram.limit, *histogram.limit);
  histogram.smallest = number_in(json, "smallest", histogram.low, histogram.high);
  histogram.largest = number_in(json, "largest", histogram.smallest, histogram.high);
  histogram.count = whole_number(json, "count");
  if (histogram.count != facts)
    throw_bad_input(concat("\"count\" is ", histogram.count, ", expected one a fact and question: ", facts));
  histogram.saturated = whole_number(json, "saturated", histogram.count);
  const nlohmann::json& counts = json.at("counts");
  if (!counts.is_array() || counts.size() != kSimilarityBins)
    throw_bad_input(concat("\"counts\" has ", counts.size(), " bins, expected ", kSimilarityBins));
  std::uint64_t left = histogram.count;
  for (std::size_t bin = 0; bin < counts.size(); ++bin) {
    if (!counts[bin].is_number_unsigned() || counts[bin].get<std::uint64_t>() > left)
      throw_bad_input(concat("bin ", bin, " of \"counts\" does not fit \"count\""));
    left -= histogram.counts.emplace_back(counts[bin].get<std::uint64_t>());
  }
  if (left != 0) throw_bad_input(concat("\"counts\" add up to ", histogram.count - left, ", not to \"count\""));
  return histogram;
}

}  // namespace

std::string run_identity(const QmannRow& row, const QmannTask& task, std::uint64_t seed) {
  MemoryTrainOptions options = row.options;
  options.seed = seed;
  std::string text =
      concat("revision ", kRevision, "\nversion ", version(), "\ntest_data ", hex64(task.test.content_hash()), "\n");
  const auto identity_of = [&](const MemoryTrainOptions& all) {
    return memory_training_identity(task.train, task.validation, task.vocabulary, all);
  };
  // What is as by default is left out, so that an option which is new does not make all that is finished stale.
  const std::map<std::string, std::string> plain = identity_of(MemoryTrainOptions{});
  for (const auto& [name, value] : identity_of(options)) {
    const auto found = plain.find(name);
    const bool by_default = found != plain.end() && found->second == value;
    if (!by_default || name == "seed" || name.ends_with("_data")) text += concat(name, " ", value, "\n");
  }
  if (row.calibrated) text += concat("calibrated ", memory_scheme_text(*row.calibrated), "\n");
  if (row.fine_tuned) {
    text += "fine tuned\n";
    for (const auto& [name, value] : identity_of(*row.fine_tuned))
      if (const auto found = plain.find(name); found == plain.end() || found->second != value)
        text += concat(name, " ", value, "\n");
  }
  return text;
}

nlohmann::ordered_json to_json(const QmannRun& run) {
  nlohmann::ordered_json similarities = nlohmann::ordered_json::array();
  for (const SimilarityHistogram& histogram : run.similarities) similarities.push_back(to_json(histogram));
  return {{"row", run.row},
          {"task", run.task},
          {"seed", run.seed},
          {"final_test", run.final_test},
          {"kept_train", run.kept_train},
          {"kept_validation", run.kept_validation},
          {"kept_test", run.kept_test},
          {"kept_epoch", run.kept_epoch},
          {"similarities", similarities}};
}

QmannRun run_from_json(const nlohmann::json& json, const QmannRow& row, const QmannTask& task, std::uint64_t seed) {
  QmannRun run;
  json.at("row").get_to(run.row);
  run.task = whole_number(json, "task");
  run.seed = whole_number(json, "seed");
  if (run.row != row.key || run.task != task.number || run.seed != seed)
    throw_bad_input(concat("a training of ", printable(run.row), " on task ", run.task, " with seed ", run.seed,
                           ", expected ", row.key, ", ", task.number, " and ", seed));
  run.final_test = number_in(json, "final_test", 0, 100);
  run.kept_train = number_in(json, "kept_train", 0, 100);
  run.kept_validation = number_in(json, "kept_validation", 0, 100);
  run.kept_test = number_in(json, "kept_test", 0, 100);
  const MemoryTrainOptions& last = row.fine_tuned ? *row.fine_tuned : row.options;
  run.kept_epoch = whole_number(json, "kept_epoch", last.epochs + last.linear_epochs);
  // Histograms are added up over the runs of a row, bin by bin.
  const nlohmann::json& hops = json.at("similarities");
  const std::size_t expected = leaves_similarities(row) ? row.options.hops : 0;
  if (!hops.is_array() || hops.size() != expected)
    throw_bad_input(concat("similarities of ", hops.size(), " hops, expected ", expected));
  for (const nlohmann::json& entry : hops) {
    run.similarities.push_back(histogram_from_json(entry, run.similarities.size() + 1, fact_count(task)));
    const SimilarityHistogram &first = run.similarities.front(), &now = run.similarities.back();
    if (now.limit != first.limit) throw_bad_input(concat("\"limit\" of hop ", now.hop, " is not that of hop 1"));
  }
  return run;
}

}  // namespace quaver
