// nab.cc - series of machines, traffic and tweets with anomalies: the next value of each is to be told.
//
// 45 of the 58 series of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015; Ahmad et al. 2017). Its rule: a detector
// may learn from the probation of a series, its first 15 %, at most 750 rows, and is judged on the rest. So the
// probations are train (their first four fifths) and validation, the rest of each series is one sequence of test. Each
// series is standardized by the mean and deviation of its probation, which a detector knows when it begins to work.
// Input of a step is a row, its target the next one; every row of a part but the first of a series is forecast once,
// from the rows before it in sequences of 128 steps at most (train, validation).
//
// How surprised a forecast was, and the benchmark's score of that, are in nab_score.h.
#include "quaver/data/nab.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/data/archive.h"
#include "quaver/data/nab_score.h"
#include "quaver/data/own/lines.h"
#include "quaver/data/standard.h"
#include "quaver/data/task_row.h"

namespace quaver {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 24;  // bytes; the largest has 0.7 MB
constexpr std::size_t kMostProbation = 750;                 // rows
constexpr std::size_t kMostSteps = 128;                     // of a sequence of train or validation

const DataFile& data_file() {
  static const DataFile file{.task = "nab",
                             .file = "nab/nab.tar.xz",
                             .set = "Numenta Anomaly Benchmark (github.com/numenta/NAB)",
                             .contents = "its data/GROUP/NAME.csv and labels/combined_windows.json"};
  return file;
}

struct Series {
  NabSeries judged{};
  std::vector<std::string> times{};  // [rows]
  std::vector<double> values{};      // [rows]
};

Series parse_series(const std::string& where, const std::string& text) {
  LineReader lines(where, text);
  Series series;
  if (lines.next_filled() != "timestamp,value")
    throw_bad_input(concat(lines.where(), ": the first line is not 'timestamp,value'"));
  while (const std::optional<std::string_view> line = lines.next_filled()) {
    const std::vector<std::string_view> fields = split_at(*line, ',');
    const std::optional<double> value = number_of(fields.back());
    if (fields.size() != 2 || !value)
      throw_bad_input(
          concat(lines.where(), ": the line is '", printable(*line, 60), "', expected a time, a comma and a number"));
    series.times.emplace_back(fields[0]);
    series.values.push_back(*value);
  }
  NabSeries& judged = series.judged;
  judged.rows = series.values.size();
  judged.probation = std::min(judged.rows * 15 / 100, kMostProbation);
  if (judged.probation < 2)
    throw_bad_input(concat(lines.name(), ": ", judged.rows, " rows, expected at least 14, whose first 15 % are 2"));
  return series;
}

// The windows of a series: [["2014-04-10 07:15:00.000000", "2014-04-11 16:45:00.000000"], ...], times of its rows.
void add_windows(const std::string& where, const nlohmann::json& windows, Series& series) {
  const auto refuse = [&] {
    throw_bad_input(concat(where, ": the windows of '", series.judged.name,
                           "' are not a list of rising pairs of times of its rows, behind its probation"));
  };
  const auto row_of = [&](const nlohmann::json& time) {
    if (!time.is_string()) refuse();
    const std::string text = time.get<std::string>(), seconds = text.substr(0, text.find('.'));
    const auto found = std::ranges::find(series.times, seconds);
    if (found == series.times.end()) refuse();
    return static_cast<std::size_t>(found - series.times.begin());
  };
  if (!windows.is_array()) refuse();
  std::size_t behind = 0;  // the window before
  for (const nlohmann::json& window : windows) {
    if (!window.is_array() || window.size() != 2) refuse();
    const NabWindow rows{.first = row_of(window[0]), .last = row_of(window[1])};
    if (rows.first < behind || rows.last < rows.first || rows.last < series.judged.probation) refuse();
    behind = rows.last + 1;
    series.judged.windows.push_back(rows);
  }
}

// By name.
std::vector<Series> read_series(const TaskOptions& options) {
  const std::filesystem::path path = find_data_file(data_file(), options);
  constexpr std::string_view kData = "/data/", kWindows = "/labels/combined_windows.json";
  std::map<std::string, Series> series;
  std::optional<std::string> labels;
  read_archive(path, {.largest_file = kLargestFile,
                      .max_memory = options.max_memory,
                      .wants =
                          [&](const std::string& name) {
                            return name.ends_with(kWindows) ||
                                   (name.find(kData) != std::string::npos && name.ends_with(".csv"));
                          },
                      .take =
                          [&](const std::string& name, std::string text) {
                            if (name.ends_with(kWindows)) {
                              labels = std::move(text);
                              return;
                            }
                            const std::string short_name = name.substr(name.find(kData) + kData.size());
                            series[short_name] = parse_series(concat(path.string(), ": ", name), text);
                            series[short_name].judged.name = short_name;
                          }});
  const std::string where = concat(path.string(), ": labels/combined_windows.json");
  const nlohmann::json windows = nlohmann::json::parse(labels.value_or(""), nullptr, false);
  if (!windows.is_object()) throw_bad_input(concat(where, ": there is no such file, or it is no JSON object"));
  std::vector<Series> all;
  for (auto& [name, each] : series) {
    if (!windows.contains(name)) throw_bad_input(concat(where, ": no entry for '", name, "', which is in data/"));
    add_windows(where, windows.at(name), each);
    all.push_back(std::move(each));
  }
  return all;
}

std::vector<float> standardized(const Series& series) {
  // Distances from the first value: those of a constant series are 0, exactly.
  const auto distance = [&](std::size_t row) { return series.values[row] - series.values[0]; };
  const auto [mean, deviation] = standard_of(series.judged.probation, distance);
  std::vector<float> values;
  for (std::size_t row = 0; row < series.judged.rows; ++row) {
    values.push_back(static_cast<float>((distance(row) - mean) / deviation));
    if (!std::isfinite(values.back()))
      throw_bad_input(concat("series '", series.judged.name, "': ", series.values[row], " in row ", row + 1,
                             " is too far from its probation"));
  }
  return values;
}

std::vector<Example> load_nab(Split split, const TaskOptions& options) {
  std::vector<Example> examples;
  for (const Series& series : read_series(options)) {
    const std::vector<float> values = standardized(series);
    const std::size_t probation = series.judged.probation;
    // Of the rows that are forecast.
    const std::array<std::size_t, 4> bounds{1, std::max<std::size_t>(probation * 4 / 5, 1), probation,
                                            series.judged.rows};
    const std::size_t begin = bounds[static_cast<std::size_t>(split)],
                      end = bounds[static_cast<std::size_t>(split) + 1];
    const std::size_t most = split == Split::kTest ? end - begin : kMostSteps;
    for (std::size_t first = begin; first < end; first += most) {
      const auto steps = std::min(most, end - first);
      const auto from = values.begin() + static_cast<std::ptrdiff_t>(first);
      const auto to = from + static_cast<std::ptrdiff_t>(steps);
      Example example{.name = concat(series.judged.name, ", rows ", first + 1, " to ", first + steps),
                      .input = {.steps = steps, .features = 1}};
      example.input.values.assign(from - 1, to - 1);
      example.targets.assign(from, to);
      examples.push_back(std::move(example));
    }
  }
  return spread_over(std::move(examples), options.limit);
}

// Nothing where no series has a window.
std::vector<TaskFigure> figures_of_nab(const TaskOptions& options, const Dataset& test,
                                       std::span<const std::vector<float>> outputs) {
  const std::vector<NabSeries> series = nab_series(options);
  if (std::ranges::all_of(series, [](const NabSeries& each) { return each.windows.empty(); })) return {};
  const NabScore score = nab_score_of(series, test, outputs);
  return {{.name = "nab_score", .value = score.score},
          {.name = "nab_found_windows",
           .unit = concat("of ", score.windows),
           .value = static_cast<double>(score.found_windows),
           .is_count = true}};
}

// The last value goes on; and the value itself is what is unusual, as if 0, the mean of the probation, were forecast.
std::vector<TaskControl> controls_of_nab(const TaskOptions& options, const Dataset& test) {
  std::vector<std::vector<float>> last, none;
  test.for_each([&](const Example& example) {
    last.push_back(example.input.values);
    none.emplace_back(example.targets.size());
  });
  return {{.name = "persistence", .figures = figures_of_nab(options, test, last)},
          {.name = "the value itself", .figures = figures_of_nab(options, test, none)}};
}

}  // namespace

std::vector<NabSeries> nab_series(const TaskOptions& options) {
  std::vector<Series> all = read_series(options);
  std::vector<NabSeries> judged;
  for (const std::size_t index : spread(all.size(), options.limit)) judged.push_back(std::move(all[index].judged));
  return judged;
}

TaskRow nab_row() {
  return {.info = {.name = "nab",
                   .summary = "forecast: the next value of 45 series of machines, traffic and tweets with anomalies",
                   .target = Target::kRealSteps,
                   .features = 1,
                   .classes = {},
                   .needs = data_file().file,
                   .step_seconds = 0,
                   .outputs = 1,
                   .metric = "mse",
                   .forecast = {.columns = {0}}},
          .load = load_nab,
          .figures = figures_of_nab,
          .controls = controls_of_nab};
}

}  // namespace quaver
