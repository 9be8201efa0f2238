#include "reproduce_qmann.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/model/memory/memory_network.h"
#include "quaver/report/show/plot.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

// Changes when the same identity would give another result: training arithmetic, or what a run holds.
constexpr int kRevision = 1;

QmannRow qmann_row(const std::string& key, const std::string& title, MemoryScheme scheme,
                   std::optional<PublishedErrors> published, bool ablation = false) {
  QmannRow row{.key = key, .title = title, .ablation = ablation, .published = std::move(published)};
  row.options = qmann_recipe(scheme);
  row.options.keep = KeptWeights::kEarlyStopped;
  row.options.train_on = true;
  return row;
}

QmannRow memn2n_row(const std::string& key, const std::string& title, const std::string& set,
                    std::optional<PublishedErrors> published) {
  QmannRow row{.key = key, .title = title, .set = set, .seeds = 10, .published = std::move(published)};
  row.options = memn2n_recipe(false);
  return row;
}

// The float network of MemN2N's recipe and, from it, a scaled scheme: calibrated, or trained on.
// Of a scheme, whose name is its key.
QmannRow beyond_row(std::string_view scheme, const std::string& what, bool trained_on) {
  QmannRow row{.key = std::string(scheme), .title = concat("`", scheme, "`: ", what)};
  row.options = memn2n_recipe(false);
  if (trained_on)
    row.fine_tuned = fine_tune_recipe(memory_scheme_from_name(scheme), false);
  else
    row.calibrated = memory_scheme_from_name(scheme);
  return row;
}

// What answers in the end.
const MemoryScheme& scheme_of(const QmannRow& row) {
  if (row.calibrated) return *row.calibrated;
  return row.fine_tuned ? row.fine_tuned->scheme : row.options.scheme;
}

// ---- figures ----

// Values by seed, then by task.
using Errors = std::map<std::uint64_t, std::map<std::size_t, double>>;

Errors errors_of(const QmannReport& report, const std::string& row, double QmannRun::*value) {
  Errors errors;
  for (const QmannRun& run : report.runs)
    if (run.row == row) errors[run.seed][run.task] = run.*value;
  return errors;
}

bool is_apart(const QmannReport& report, const QmannRow& row, std::size_t place) {
  return row.set == "en-10k" && report.small_train[place];
}

// Tasks of the row's mean.
std::vector<std::size_t> mean_tasks(const QmannReport& report, const QmannRow& row) {
  std::vector<std::size_t> tasks;
  for (std::size_t i = 0; i < report.tasks.size(); ++i)
    if (!is_apart(report, row, i)) tasks.push_back(report.tasks[i]);
  return tasks;
}

struct Figure {
  std::vector<double> by_seed;  // means over the tasks, of seeds that have all of them
  bool there() const { return !by_seed.empty(); }
  double mean() const {
    return std::accumulate(by_seed.begin(), by_seed.end(), 0.0) / static_cast<double>(by_seed.size());
  }
  // Sample deviation; 0 for one seed.
  double deviation() const {
    double sum = 0;
    for (const double value : by_seed) sum += (value - mean()) * (value - mean());
    return by_seed.size() < 2 ? 0 : std::sqrt(sum / static_cast<double>(by_seed.size() - 1));
  }
};

Figure figure_of(const QmannReport& report, const QmannRow& row, double QmannRun::*value) {
  Figure figure;
  const std::vector<std::size_t> tasks = mean_tasks(report, row);
  for (const auto& [seed, errors] : errors_of(report, row.key, value)) {
    if (!std::ranges::all_of(tasks, [&, &found = errors](std::size_t task) { return found.contains(task); })) continue;
    double sum = 0;
    for (const std::size_t task : tasks) sum += errors.at(task);
    figure.by_seed.push_back(sum / static_cast<double>(tasks.size()));
  }
  return figure;
}

// The mean over tasks of the run that has the lowest `by` of its task's runs; nothing unless all tasks have one.
std::optional<double> mean_of_picked(const QmannReport& report, const QmannRow& row, double QmannRun::*by) {
  double sum = 0;
  const std::vector<std::size_t> tasks = mean_tasks(report, row);
  for (const std::size_t task : tasks) {
    const QmannRun* best = nullptr;
    for (const QmannRun& run : report.runs)
      if (run.row == row.key && run.task == task && (best == nullptr || run.*by < best->*by)) best = &run;
    if (best == nullptr) return std::nullopt;
    sum += best->kept_test;
  }
  return sum / static_cast<double>(tasks.size());
}

// What was published for the tasks of the row's mean.
struct Published {
  std::optional<double> final, early_stopped;
};
Published published_of(const QmannReport& report, const QmannRow& row) {
  if (!row.published || report.task != "babi") return {};
  const std::vector<std::size_t> tasks = mean_tasks(report, row);
  const std::size_t all = row.set == "en-10k" ? 19 : 20;
  if (tasks.size() == all) return {row.published->final, row.published->early_stopped};
  double sum = 0;
  for (const std::size_t task : tasks) {
    const auto found = row.published->final_by_task.find(task);
    if (found == row.published->final_by_task.end()) return {};
    sum += found->second;
  }
  return {tasks.empty() ? std::nullopt : std::optional(sum / static_cast<double>(tasks.size())), std::nullopt};
}

bool is_memn2n(const QmannRow& row) { return row.options.keep == KeptWeights::kBest && !row.beyond(); }
bool is_qmann(const QmannRow& row) { return !is_memn2n(row) && !row.beyond(); }

const QmannRow* find_row(const QmannReport& report, const std::string& key) {
  const auto found = std::ranges::find(report.rows, key, &QmannRow::key);
  return found == report.rows.end() ? nullptr : &*found;
}

std::string percent(double value) { return fixed_text(value, 1); }

std::string figure_text(const Figure& figure) {
  if (!figure.there()) return "-";
  return figure.by_seed.size() == 1 ? percent(figure.mean())
                                    : percent(figure.mean()) + " +- " + percent(figure.deviation());
}

// "+1.2" against what was published.
std::string difference_text(const Figure& figure, std::optional<double> published) {
  if (!figure.there() || !published) return "-";
  return fmt::format("{:+.1f}", figure.mean() - *published);
}

// Relative improvements by pairs of rows: what the paper's percentages compare.
struct Pairing {
  const char *title, *from, *to;
  double QmannRun::*value;
  const char* what;
};
const std::vector<Pairing>& pairings() {
  static const std::vector<Pairing> all{
      {"8 bits, final, the baseline as shipped (the paper's 46 %)", "fixed8-mq", "qmann8", &QmannRun::final_test,
       "final"},
      {"8 bits, final, the baseline at its best IWL", "fixed8-iwl4", "qmann8", &QmannRun::final_test, "final"},
      {"8 bits, early stopping on both sides, best IWL", "fixed8-iwl4", "qmann8", &QmannRun::kept_test, "early"},
      {"binary, final (the paper's 30 %)", "fixed-binary", "qmann-binary", &QmannRun::final_test, "final"},
      {"binary, early stopping on both sides", "fixed-binary", "qmann-binary", &QmannRun::kept_test, "early"}};
  return all;
}
struct PairingResult {
  const Pairing* pairing;
  double from, to;
  double gain() const { return from > 0 ? 100 * (from - to) / from : 0; }
};
std::string gain_text(double gain) { return fmt::format("{:.0f} % {}", std::abs(gain), gain < 0 ? "more" : "fewer"); }
std::vector<PairingResult> pairing_results(const QmannReport& report) {
  std::vector<PairingResult> results;
  for (const Pairing& pairing : pairings()) {
    const QmannRow *from = find_row(report, pairing.from), *to = find_row(report, pairing.to);
    if (from == nullptr || to == nullptr) continue;
    const Figure a = figure_of(report, *from, pairing.value), b = figure_of(report, *to, pairing.value);
    if (a.there() && b.there()) results.push_back({&pairing, a.mean(), b.mean()});
  }
  return results;
}

// One ingredient more a step.
struct AblationStep {
  const char *title, *row;
  double QmannRun::*value;
};
const std::vector<AblationStep>& ablation_steps() {
  static const std::vector<AblationStep> all{{"conventional, IWL 5", "fixed8", &QmannRun::final_test},
                                             {"+ early stopping", "fixed8", &QmannRun::kept_test},
                                             {"+ formats a hop (MQ)", "fixed8-mq", &QmannRun::kept_test},
                                             {"+ Hamming similarity", "hamming8-iwl5", &QmannRun::kept_test},
                                             {"at IWL 2 (Q-MANN)", "qmann8", &QmannRun::kept_test},
                                             {"conventional, IWL 4", "fixed8-iwl4", &QmannRun::final_test},
                                             {"+ early stopping", "fixed8-iwl4", &QmannRun::kept_test},
                                             {"+ formats a hop (MQ)", "fixed8-iwl4-mq", &QmannRun::kept_test},
                                             {"+ Hamming similarity", "hamming8-iwl4", &QmannRun::kept_test},
                                             {"at IWL 2 (Q-MANN)", "qmann8", &QmannRun::kept_test}};
  return all;
}

// Of all runs of a row: bins of one range can be added.
std::vector<SimilarityHistogram> added_similarities(const QmannReport& report, const std::string& row) {
  std::vector<SimilarityHistogram> sums;
  for (const QmannRun& run : report.runs) {
    if (run.row != row) continue;
    if (sums.empty()) {
      sums = run.similarities;
      continue;
    }
    for (std::size_t hop = 0; hop < std::min(sums.size(), run.similarities.size()); ++hop) {
      SimilarityHistogram& sum = sums[hop];
      const SimilarityHistogram& more = run.similarities[hop];
      for (std::size_t bin = 0; bin < sum.counts.size(); ++bin) sum.counts[bin] += more.counts[bin];
      sum.count += more.count;
      sum.saturated += more.saturated;
      sum.smallest = std::min(sum.smallest, more.smallest);
      sum.largest = std::max(sum.largest, more.largest);
    }
  }
  return sums;
}

// ---- Markdown ----

std::string markdown_row(const std::vector<std::string>& cells) { return "| " + join(cells, " | ") + " |\n"; }

std::string markdown_head(const std::vector<std::string>& cells) {
  std::string rule = "|";
  for (std::size_t i = 0; i < cells.size(); ++i) rule += "---|";
  return markdown_row(cells) + rule + "\n";
}

std::vector<std::string> error_cells(const QmannReport& report, const QmannRow& row) {
  const Figure last = figure_of(report, row, &QmannRun::final_test),
               kept = figure_of(report, row, &QmannRun::kept_test);
  const Published theirs = published_of(report, row);
  const auto cell = [](std::optional<double> value) { return value ? percent(*value) : "-"; };
  return {row.title,
          figure_text(last),
          cell(theirs.final),
          difference_text(last, theirs.final),
          figure_text(kept),
          cell(theirs.early_stopped),
          difference_text(kept, theirs.early_stopped),
          std::to_string(last.by_seed.size())};
}
const std::vector<std::string> kErrorHead{"row",       "final %",    "program %", "difference", "early stopped %",
                                          "program %", "difference", "seeds"};

std::string task_table(const QmannReport& report, double QmannRun::*value) {
  std::vector<const QmannRow*> rows;
  std::vector<std::string> head{"task"};
  for (const QmannRow& row : report.rows) {
    if (is_memn2n(row)) continue;
    rows.push_back(&row);
    head.push_back(row.key);
  }
  std::string text = markdown_head(head);
  for (std::size_t i = 0; i < report.tasks.size(); ++i) {
    std::vector<std::string> cells{concat(report.tasks[i], report.small_train[i] ? " (1,000 questions)" : "")};
    for (const QmannRow* row : rows) {
      double sum = 0, count = 0;
      for (const auto& [seed, errors] : errors_of(report, row->key, value)) {
        const auto found = errors.find(report.tasks[i]);
        if (found == errors.end()) continue;
        sum += found->second;
        ++count;
      }
      std::string cell = count > 0 ? percent(sum / count) : "-";
      if (value == &QmannRun::final_test && report.task == "babi" && row->published)
        if (const auto theirs = row->published->final_by_task.find(report.tasks[i]);
            theirs != row->published->final_by_task.end())
          cell += " (" + percent(theirs->second) + ")";
      cells.push_back(cell);
    }
    text += markdown_row(cells);
  }
  return text;
}

// Against the float network of the same tasks and seeds, where that row is there.
std::string beyond_table(const QmannReport& report) {
  std::string text;
  const QmannRow* reference = find_row(report, "memn2n");
  for (const QmannRow& row : report.rows) {
    const Figure figure = figure_of(report, row, &QmannRun::kept_test);
    if (!row.beyond() || !figure.there()) continue;
    if (text.empty())
      text =
          "\n## Beyond the paper\n\nScaled integers from the words to the answer (docs/cells/memn2n.md), made from "
          "MemN2N's float networks of the same seeds (position encoding, linear start, noise, adjacent tying, slots): "
          "the gain of the model is that of the float column, the quantizer's is the rest.\n\n" +
          markdown_head({"row", "from the float network", "error %", "float %", "seeds"});
    Figure same;
    if (reference != nullptr) same = figure_of(report, *reference, &QmannRun::kept_test);
    same.by_seed.resize(std::min(same.by_seed.size(), figure.by_seed.size()));
    text += markdown_row({row.title, row.fine_tuned ? concat(row.fine_tuned->epochs, " epochs") : "calibration",
                          figure_text(figure), figure_text(same), std::to_string(figure.by_seed.size())});
  }
  return text;
}

std::string memn2n_tables(const QmannReport& report) {
  std::string text;
  for (const QmannRow& row : report.rows) {
    if (!is_memn2n(row)) continue;
    const auto by_validation = mean_of_picked(report, row, &QmannRun::kept_validation),
               by_training = mean_of_picked(report, row, &QmannRun::kept_train);
    const Figure one = figure_of(report, row, &QmannRun::kept_test);
    if (!by_validation) continue;
    const std::optional<double> published = published_of(report, row).final;
    if (text.empty())
      text =
          "\n## MemN2N in float\n\nPosition encoding, linear start, random noise, adjacent tying, d = 20, 50 slots "
          "(`--recipe memn2n`); the epoch is picked on validation. Test error in percent.\n\n" +
          markdown_head(
              {"data", "one run", "best of the runs on validation", "best on training", "published", "runs", "tasks"});
    text += markdown_row({row.title, figure_text(one), percent(*by_validation), percent(*by_training),
                          published ? percent(*published) : "-", std::to_string(one.by_seed.size()),
                          std::to_string(mean_tasks(report, row).size())});
  }
  if (text.empty()) return text;
  std::vector<const QmannRow*> rows;
  std::vector<std::string> head{"task"};
  for (const QmannRow& row : report.rows) {
    if (!is_memn2n(row)) continue;
    rows.push_back(&row);
    head.push_back(row.title);
  }
  text += "\nBy task, best of the runs on validation:\n\n" + markdown_head(head);
  for (const std::size_t task : report.tasks) {
    std::vector<std::string> cells{std::to_string(task)};
    for (const QmannRow* row : rows) {
      const QmannRun* best = nullptr;
      for (const QmannRun& run : report.runs)
        if (run.row == row->key && run.task == task && (best == nullptr || run.kept_validation < best->kept_validation))
          best = &run;
      cells.push_back(best == nullptr ? "-" : percent(best->kept_test));
    }
    text += markdown_row(cells);
  }
  return text;
}

std::string block(const std::string& name, const std::string& data) {
  return fmt::format("${} << END\n{}END\n", name, data);
}

std::string plot_head(const std::filesystem::path& file, int width, int height) {
  return fmt::format(
      "set terminal pngcairo size {},{}\n{}"
      "set linetype 1 lc rgb '#1b6ca8'\nset linetype 2 lc rgb '#c8553d'\nset linetype 3 lc rgb '#3a7d44'\n"
      "set linetype 4 lc rgb '#8b5fbf'\nset linetype 5 lc rgb '#d99a2b'\nset linetype 6 lc rgb '#4c4c4c'\n",
      width, height, gnuplot_output(file));
}

}  // namespace

std::vector<QmannRow> qmann_rows() {
  // Measured with the authors' program on the same data; by task: its final weights, tasks 1, 2, 4 .. 20.
  const auto program = [](double final, double early, int seeds, std::vector<double> by_task = {}) {
    PublishedErrors errors{final, early, concat("the authors' program, ", seeds, seeds == 1 ? " seed" : " seeds"), {}};
    for (std::size_t i = 0; i < by_task.size(); ++i) errors.final_by_task[i < 2 ? i + 1 : i + 2] = by_task[i];
    return errors;
  };
  const auto fixed = [](int integer_bits, bool hop_formats) {
    MemoryScheme scheme = memory_scheme_from_name(kFixedScheme);
    scheme.integer_bits = integer_bits;
    scheme.hop_formats = hop_formats;
    return scheme;
  };
  const auto hamming = [](int integer_bits) {
    MemoryScheme scheme = memory_scheme_from_name(kQmannScheme);
    scheme.integer_bits = integer_bits;
    return scheme;
  };
  constexpr bool kAblation = true;
  return {
      qmann_row(
          std::string(kFloatScheme), "float", {},
          program(18.2, 17.9, 2,
                  {0, 33.3, 31.4, 15.2, 4.5, 11.1, 2.3, 4.5, 7.5, 7, 0, 1.2, 2.8, 13.5, 55.8, 46.1, 45, 63.8, 0})),
      qmann_row("fixed8-mq", "conventional 8 bits as shipped (IWL 5, MQ)", fixed(5, true),
                program(55.0, 46.9, 2,
                        {64.4, 83.3, 31.9, 77, 49.2, 53.2, 74.8, 46.4, 59.4, 27.4, 42.4, 42.9, 75, 57.8, 60.6, 48.9,
                         59.6, 91.9, 0})),
      qmann_row("fixed8", "conventional 8 bits, IWL 5", fixed(5, false), program(49.5, 39.0, 2)),
      qmann_row("fixed8-iwl4", "conventional 8 bits, IWL 4 (its best)", fixed(4, false),
                program(40.8, 29.7, 2,
                        {0, 80.5, 31.5, 68, 31.5, 53.2, 79.6, 34.5, 21.3, 65.6, 0, 29.7, 15.4, 34.4, 53.6, 49.1, 46.7,
                         81, 0})),
      qmann_row("qmann8", "Q-MANN 8 bits, IWL 2, MQ", hamming(2),
                program(29.1, 30.1, 3,
                        {1, 69.1, 32.6, 14.7, 32.2, 21.7, 11.9, 35.6, 48.9, 10, 0.4, 5.6, 14.9, 21.9, 52.4, 44.8, 43.9,
                         90.6, 0})),
      qmann_row("fixed-binary", "conventional binary, IWL 5", memory_scheme_from_name(kFixedBinaryScheme),
                program(41.7, 32.0, 1)),
      qmann_row("qmann-binary", "Q-MANN binary, IWL 2", memory_scheme_from_name(kQmannBinaryScheme),
                program(34.9, 36.7, 1)),
      qmann_row("hamming8-iwl5", "Hamming, IWL 5, MQ", hamming(5), std::nullopt, kAblation),
      qmann_row("fixed8-iwl4-mq", "conventional 8 bits, IWL 4, MQ", fixed(4, true), std::nullopt, kAblation),
      qmann_row("hamming8-iwl4", "Hamming, IWL 4, MQ", hamming(4), std::nullopt, kAblation),
      beyond_row(kDefaultScheme, "8 bits, scales", false),
      beyond_row(kFixedCalibratedScheme, "8 bits, points", false),
      beyond_row(kBinaryCalibratedScheme, "1 bit from hop to hop", true),
      memn2n_row("memn2n", "en-10k", "en-10k",
                 PublishedErrors{6.5, std::nullopt, "the paper's table 3, best of 10", {}}),
      memn2n_row("memn2n-1k", "en (1,000 questions)", "en",
                 PublishedErrors{13.9, std::nullopt, "the paper's table 1, best of 10", {}}),
  };
}

std::string run_identity(const QmannRow& row, const QmannTask& task, std::uint64_t seed) {
  MemoryTrainOptions options = row.options;
  options.seed = seed;
  std::string text = concat("revision ", kRevision, "\nversion ", QUAVER_VERSION, "\ntest_data ",
                            hex64(task.test.content_hash()), "\n");
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

namespace {

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

void set_energies(QmannReport& report, const std::vector<QmannTask>& tasks) {
  for (const QmannRow& row : report.rows) {
    if (is_memn2n(row)) continue;
    MemoryEnergy sum;
    double facts = 0, count = 0;
    for (const QmannTask& task : tasks) {
      if (task.set != row.set || task.small_train) continue;
      std::vector<MemoryQuestion> questions;
      for (const CodedStories::Question& question : task.test.questions())
        questions.push_back({.facts = question.facts, .words = question.words});
      const QuestionSizes sizes = question_sizes(questions);
      const MemoryEnergy energy =
          memory_energy(memory_shape(task.train, task.validation, task.vocabulary, row.options), scheme_of(row), sizes);
      sum.pj += energy.pj;
      sum.f32_pj += energy.f32_pj;
      sum.paper_pj += energy.paper_pj;
      sum.paper_f32_pj += energy.paper_f32_pj;
      facts += sizes.mean_facts();
      ++count;
    }
    if (count < 1) continue;
    report.energies[row.key] = {sum.pj / count, sum.f32_pj / count, sum.paper_pj / count, sum.paper_f32_pj / count};
    report.facts = facts / count;
  }
}

nlohmann::ordered_json to_json(const QmannReport& report) {
  using Json = nlohmann::ordered_json;
  const auto figure_json = [](const Figure& figure) -> Json {
    if (!figure.there()) return nullptr;
    return {{"mean", figure.mean()}, {"deviation", figure.deviation()}, {"by_seed", figure.by_seed}};
  };
  Json rows = Json::array(), tasks = Json::array(), pairs = Json::array(), steps = Json::array();
  for (std::size_t i = 0; i < report.tasks.size(); ++i)
    tasks.push_back({{"task", report.tasks[i]},
                     {"name", report.task_names[i]},
                     {"small_train", static_cast<bool>(report.small_train[i])}});
  for (const QmannRow& row : report.rows) {
    Json runs = Json::array(), similarities = Json::array();
    for (const QmannRun& run : report.runs) {
      if (run.row != row.key) continue;
      Json json = to_json(run);
      json.erase("row");
      json.erase("similarities");
      runs.push_back(std::move(json));
    }
    for (const SimilarityHistogram& histogram : added_similarities(report, row.key))
      similarities.push_back(to_json(histogram));
    Json json{{"row", row.key},
              {"title", row.title},
              {"set", row.set},
              {"scheme", memory_scheme_text(scheme_of(row))},
              {"kept", is_qmann(row) ? "early-stopped" : "best"},
              {"final", figure_json(figure_of(report, row, &QmannRun::final_test))},
              {"kept_test", figure_json(figure_of(report, row, &QmannRun::kept_test))},
              {"published", nullptr},
              {"energy", nullptr},
              {"runs", runs},
              {"similarities", similarities}};
    if (row.published) {
      json["published"] = {{"source", row.published->source}, {"final", row.published->final}};
      if (row.published->early_stopped) json["published"]["early_stopped"] = *row.published->early_stopped;
    }
    if (const auto energy = report.energies.find(row.key); energy != report.energies.end())
      json["energy"] = {{"energy_pj", energy->second.pj},
                        {"energy_gain_vs_f32", energy->second.gain()},
                        {"paper_rules_pj", energy->second.paper_pj},
                        {"paper_rules_gain", energy->second.paper_gain()}};
    if (is_memn2n(row)) {
      const auto optional = [](std::optional<double> value) { return value ? Json(*value) : Json(nullptr); };
      json["best_on_validation"] = optional(mean_of_picked(report, row, &QmannRun::kept_validation));
      json["best_on_training"] = optional(mean_of_picked(report, row, &QmannRun::kept_train));
    }
    rows.push_back(std::move(json));
  }
  for (const PairingResult& result : pairing_results(report))
    pairs.push_back({{"pairing", result.pairing->title},
                     {"from", result.pairing->from},
                     {"to", result.pairing->to},
                     {"errors", result.pairing->what},
                     {"from_error", result.from},
                     {"to_error", result.to},
                     {"improvement_percent", result.gain()}});
  for (const AblationStep& step : ablation_steps()) {
    const QmannRow* row = find_row(report, step.row);
    if (row == nullptr) continue;
    steps.push_back(
        {{"step", step.title}, {"row", step.row}, {"error", figure_json(figure_of(report, *row, step.value))}});
  }
  return {{"paper", "qmann"},
          {"command", report.command},
          {"tool", "quaver " QUAVER_VERSION},
          {"cpu", cpu_name()},
          {"note", report.note},
          {"task", report.task},
          {"metric", "error"},
          {"seed", report.seed},
          {"trainings", report.runs.size()},
          {"trainings_planned", report.planned},
          {"tasks", tasks},
          {"rows", rows},
          {"pairings", pairs},
          {"ablation", steps}};
}

std::string to_text(const QmannReport& report) {
  std::vector<Column> columns{{"row", Align::kLeft}};
  for (std::size_t i = 1; i < kErrorHead.size(); ++i) columns.push_back({kErrorHead[i]});
  Table table(columns);
  for (const QmannRow& row : report.rows) {
    std::vector<std::string> cells = error_cells(report, row);
    if (is_memn2n(row)) cells[0] = "MemN2N, " + row.title + ", best epoch in the place of early stopped";
    table.add_row(cells);
  }
  std::string text = table.text();
  if (report.runs.size() < report.planned)
    text += fmt::format("{} of {} trainings are done; a row counts the seeds that have all tasks\n", report.runs.size(),
                        report.planned);
  for (const PairingResult& result : pairing_results(report))
    text += fmt::format("{}: {:.1f} -> {:.1f} %, {}\n", result.pairing->title, result.from, result.to,
                        gain_text(result.gain()));
  return text;
}

std::string to_markdown(const QmannReport& report) {
  std::string text = "# Q-MANN and its baselines\n\nPark et al. 2018 (arXiv 1711.03712), made by `" + report.command +
                     "`, quaver " QUAVER_VERSION ", on " + cpu_name() +
                     (report.note.empty() ? "" : ". " + report.note) + ".\n\n";
  const bool some_apart = std::ranges::count(report.small_train, true) > 0;
  text += fmt::format(
      "Test error in percent, mean over {} tasks of `{}`{}; +-: deviation over seeds. Final: weights of the last "
      "epoch; early stopped: weights that the program's rule keeps, from the same training. Recipe `--recipe qmann`: "
      "{} epochs. \"program\": the authors' program, run on the same data with the same settings (1 to 3 seeds); the "
      "paper's own tables cannot be read.\n\n",
      report.rows.empty() ? 0 : mean_tasks(report, report.rows.front()).size(), report.task,
      some_apart ? " (task 3 has no 10k training file: trained on 1,000 questions and listed apart)" : "",
      report.epochs > 0 ? report.epochs : qmann_recipe().epochs);
  if (report.runs.size() < report.planned)
    text += fmt::format("**{} of {} trainings are done; a row counts the seeds that have all tasks.**\n\n",
                        report.runs.size(), report.planned);
  text += markdown_head(kErrorHead);
  for (const QmannRow& row : report.rows)
    if (is_qmann(row) && !row.ablation) text += markdown_row(error_cells(report, row));

  text += beyond_table(report);
  if (const std::vector<PairingResult> results = pairing_results(report); !results.empty()) {
    text += "\n## What the improvement depends on\n\nThe relative change from a baseline to Q-MANN, by pair:\n\n" +
            markdown_head({"pair", "baseline %", "Q-MANN %", "errors"});
    for (const PairingResult& result : results)
      text += markdown_row({result.pairing->title, percent(result.from), percent(result.to), gain_text(result.gain())});
  }

  text += "\n## Ablation\n\nOne ingredient more a step, from the shipped point and from the baseline's best one.\n\n" +
          markdown_head({"step", "row", "error %", "seeds"});
  for (const AblationStep& step : ablation_steps()) {
    const QmannRow* row = find_row(report, step.row);
    if (row == nullptr) continue;
    const Figure figure = figure_of(report, *row, step.value);
    text += markdown_row({step.title, step.row, figure_text(figure), std::to_string(figure.by_seed.size())});
  }

  text +=
      "\n## Similarities\n\nOf all facts and test questions with the final weights: share at the end of the range, "
      "where they can no longer be told apart.\n\n" +
      markdown_head({"row", "hop 1 %", "hop 2 %", "hop 3 %", "limit"});
  for (const QmannRow& row : report.rows) {
    const std::vector<SimilarityHistogram> hops = added_similarities(report, row.key);
    if (hops.empty()) continue;
    std::vector<std::string> cells{row.title};
    for (const SimilarityHistogram& hop : hops) cells.push_back(percent(hop.saturated_percent()));
    cells.push_back(hops.front().limit ? significant_text(*hops.front().limit, 4) : "-");
    text += markdown_row(cells);
  }

  if (!report.energies.empty()) {
    text += fmt::format(
                "\n## Energy\n\nOf a test question's arithmetic ({:.1f} facts on the mean; 45 nm; rules and prices: "
                "docs/energy.md), against the same network in float. Paper's rules: those that lead to its 22x.\n\n",
                report.facts) +
            markdown_head({"row", "nJ a question", "gain", "gain by the paper's rules"});
    for (const QmannRow& row : report.rows) {
      const auto found = report.energies.find(row.key);
      if (found == report.energies.end() || row.ablation) continue;
      const MemoryEnergy& energy = found->second;
      text += markdown_row({row.title, fixed_text(energy.pj / 1000, 1), fixed_text(energy.gain(), 1) + "x",
                            fixed_text(energy.paper_gain(), 1) + "x"});
    }
  }
  text += "\n## By task, final weights\n\nIn brackets: the authors' program.\n\n" +
          task_table(report, &QmannRun::final_test);
  text += "\n## By task, early stopped\n\n" + task_table(report, &QmannRun::kept_test);
  return text + memn2n_tables(report);
}

std::string error_plot(const QmannReport& report, const std::filesystem::path& file) {
  std::string data;
  bool final_there = false, early_stopped_there = false;  // gnuplot warns of a column without figures
  for (const QmannRow& row : report.rows) {
    if (is_memn2n(row)) continue;
    const Figure last = figure_of(report, row, &QmannRun::final_test),
                 kept = figure_of(report, row, &QmannRun::kept_test);
    if (!last.there()) continue;
    const auto theirs = [&](std::optional<double> value) { return value ? fmt::format("{}", *value) : "-"; };
    data += fmt::format("{} {} {} {} {}\n", gnuplot_quoted(row.key), last.mean(), kept.mean(),
                        theirs(published_of(report, row).final), theirs(published_of(report, row).early_stopped));
    final_there |= published_of(report, row).final.has_value();
    early_stopped_there |= published_of(report, row).early_stopped.has_value();
  }
  if (data.empty()) return data;
  return plot_head(file, 1000, 520) + block("errors", data) +
         "set title \"Mean test error over the tasks\"\nset ylabel \"percent\"\nset yrange [0:*]\n"
         "set key outside below center\nset style data histogram\nset style histogram cluster gap 1\n"
         "set style fill solid 0.8\nset boxwidth 0.9\nset xtics rotate by 30 right\nset grid ytics\n"
         "set datafile missing \"-\"\n"
         "plot $errors using 2:xtic(1) lt 1 title \"final\", $errors using 3 lt 2 title \"early stopped\"" +
         (final_there ? ", $errors using 4 lt 1 fs pattern 4 title \"program, final\"" : "") +
         (early_stopped_there ? ", $errors using 5 lt 2 fs pattern 4 title \"program, early stopped\"" : "") + "\n";
}

std::string similarity_plot(const QmannReport& report, const std::filesystem::path& file) {
  std::string blocks, plots;
  std::size_t count = 0;
  for (const QmannRow& row : report.rows) {
    const std::vector<SimilarityHistogram> hops = added_similarities(report, row.key);
    if (row.ablation || hops.empty() || !hops.front().limit) continue;
    std::string data;
    for (std::size_t bin = 0; bin < hops.front().counts.size(); ++bin) {
      double found = 0, all = 0;
      for (const SimilarityHistogram& hop : hops) {
        found += static_cast<double>(hop.counts[bin]);
        all += static_cast<double>(hop.count);
      }
      const auto bins = static_cast<double>(hops.front().counts.size());
      data += fmt::format("{} {}\n", (2 * static_cast<double>(bin) + 1) / bins - 1, all > 0 ? 100 * found / all : 0);
    }
    blocks += block(fmt::format("row{}", count), data);
    plots += fmt::format("{}$row{} using 1:2 with histeps lw 2 title {}", count == 0 ? "" : ", ", count,
                         gnuplot_quoted(row.title));
    ++count;
  }
  if (count == 0) return "";
  return plot_head(file, 1000, 560) + blocks +
         "set title \"Where similarities lie, final weights, all hops\"\nset xlabel \"similarity / its limit\"\n"
         "set ylabel \"percent of all, in one of the bins\"\nset logscale y\nset yrange [0.01:100]\nset grid\n"
         "set key outside below left Left reverse\nset xrange [-1:1]\nplot " +
         plots + "\n";
}

}  // namespace quaver
