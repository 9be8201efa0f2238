// ett.cc - oil temperature of a power transformer: a forecast of the next day from the four days before.
//
// ETTh1 of Zhou et al., "Informer: Beyond efficient transformer for long sequence time-series forecasting" (AAAI 2021):
// hourly rows of six loads and the oil temperature. Split as published: 12, 4 and 4 months of 30 days; rows behind them
// are not used. All columns are standardized by the mean and deviation of the 12 months, and errors are of standardized
// values, as the published ones are. A sequence is 96 rows, its target the 24 behind it, all as distances from the last
// of the 96 (distances.h). Rows of the part before may be input of a sequence, never its target: the first target of a
// part is its first row, for train row 96.
#include <algorithm>
#include <array>
#include <cmath>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/data/distances.h"
#include "quaver/data/own/csv.h"
#include "quaver/data/standard.h"
#include "quaver/data/task_row.h"

namespace quaver {
namespace {

constexpr std::size_t kMonth = 30 * 24, kWindow = 96, kHorizon = 24;                           // rows
constexpr std::array<std::size_t, 4> kBounds{kWindow, 12 * kMonth, 16 * kMonth, 20 * kMonth};  // of targets, by part

const std::vector<std::string> kColumns{"HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"};

DataFile data_file(const std::string& task) {
  return {.task = task,
          .file = "ett/ETTh1.csv.xz",
          .set = "Electricity Transformer data set, ETTh1 (Zhou et al. 2021, github.com/zhouhaoyi/ETDataset)",
          .contents = "hourly rows under date,HUFL,HULL,MUFL,MULL,LUFL,LULL,OT"};
}

// [rows, columns], standardized.
std::vector<float> standardized(const CsvTable& table) {
  std::vector<float> values(kBounds.back() * kColumns.size());
  for (std::size_t column = 0; column < kColumns.size(); ++column) {
    const auto value = [&](std::size_t row) { return double{table.values[row * kColumns.size() + column]}; };
    const auto [mean, deviation] = standard_of(kBounds[1], value);  // of train
    for (std::size_t row = 0; row < kBounds.back(); ++row)
      values[row * kColumns.size() + column] = static_cast<float>((value(row) - mean) / deviation);
  }
  return values;
}

// The last this many of the columns.
std::vector<std::size_t> last_columns(std::size_t count) {
  std::vector<std::size_t> columns;
  for (std::size_t k = kColumns.size() - count; k < kColumns.size(); ++k) columns.push_back(k);
  return columns;
}

// targets: the last this many of the columns.
std::vector<Example> load_ett(const std::string& task, std::size_t targets, Split split, const TaskOptions& options) {
  LineReader lines(find_data_file(data_file(task), options));
  const CsvTable table = read_csv(lines, {.max_memory = options.max_memory});
  if (table.columns != kColumns || table.rows() < kBounds.back())
    throw_bad_input(concat(lines.name(), ": ", table.rows(), " rows of the columns ", join(table.columns, " "),
                           ", expected at least ", kBounds.back(), " of the columns ", join(kColumns, " ")));
  const std::vector<float> values = standardized(table);
  const auto cell = [&](std::size_t row, std::size_t column) {
    return values.begin() + static_cast<std::ptrdiff_t>(row * kColumns.size() + column);
  };
  const std::size_t begin = kBounds[static_cast<std::size_t>(split)],
                    end = kBounds[static_cast<std::size_t>(split) + 1];
  const std::vector<std::size_t> columns = last_columns(targets);
  std::vector<Example> examples;
  for (const std::size_t index : spread(end - begin - kHorizon + 1, options.limit)) {
    const std::size_t first = begin + index;  // row of the first target
    Example example{.name = concat("rows ", first - kWindow + 1, " to ", first),
                    .input = {.steps = kWindow,
                              .features = kColumns.size(),
                              .values = std::vector<float>(cell(first - kWindow, 0), cell(first, 0))}};
    for (std::size_t row = first; row < first + kHorizon; ++row)
      example.targets.insert(example.targets.end(), cell(row, kColumns.size() - targets), cell(row + 1, 0));
    take_distances(example, columns, kHorizon * columns.size());
    examples.push_back(std::move(example));
  }
  return examples;
}

TaskInfo info_of(const std::string& task, const std::string& summary, std::size_t targets) {
  return {.name = task,
          .summary = summary,
          .target = Target::kReals,
          .features = kColumns.size(),
          .classes = {},
          .needs = data_file(task).file,
          .step_seconds = 3600,
          .outputs = kHorizon * targets,
          .metric = "mse",
          .forecast = {.columns = last_columns(targets), .rows_a_day = 24}};
}

}  // namespace

TaskRow ett_row() {
  return {.info = info_of("ett", "forecast: a transformer's oil temperature in the next 24 hours, from 96", 1),
          .load = [](Split split, const TaskOptions& options) { return load_ett("ett", 1, split, options); }};
}

TaskRow ett_all_row() {
  return {
      .info = info_of("ett_all", "forecast: a transformer's loads and oil temperature in the next 24 hours, from 96",
                      kColumns.size()),
      .load = [](Split split, const TaskOptions& options) {
        return load_ett("ett_all", kColumns.size(), split, options);
      }};
}

}  // namespace quaver
