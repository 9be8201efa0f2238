#include "quaver/data/nab_score.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

constexpr double kFalseAlarm = 0.11;
constexpr double kFar = 3;  // widths of a window
constexpr std::size_t kNoWindow = std::numeric_limits<std::size_t>::max();

double value_at(double position) { return position >= kFar ? -1 : 2 / (1 + std::exp(5 * position)) - 1; }

// A row that is judged: what an alarm at it is worth.
struct Row {
  double score = 0;
  std::size_t window = kNoWindow;  // of all windows
  double worth = 0;
};

// Rows behind the probation. first_window: number of the series' first window, of all.
void add_rows(const NabSeries& series, const std::vector<double>& scores, std::size_t first_window,
              std::vector<Row>& rows) {
  std::size_t next = 0;  // window that has not ended
  for (std::size_t row = series.probation; row < series.rows; ++row) {
    while (next < series.windows.size() && series.windows[next].last < row) ++next;
    Row judged{.score = scores[row - series.probation]};
    const auto width = [](const NabWindow& window) { return static_cast<double>(window.last - window.first + 1); };
    if (next < series.windows.size() && row >= series.windows[next].first) {
      const NabWindow& window = series.windows[next];
      judged.window = first_window + next;
      judged.worth = value_at(-static_cast<double>(window.last - row + 1) / width(window)) / value_at(-1);
    } else {
      // The benchmark's own program counts widths less 1 here.
      double position = kFar;
      if (next > 0 && width(series.windows[next - 1]) > 1)
        position = static_cast<double>(row - series.windows[next - 1].last) / (width(series.windows[next - 1]) - 1);
      judged.worth = kFalseAlarm * value_at(position);
    }
    rows.push_back(judged);
  }
}

}  // namespace

NabScore nab_score(std::span<const NabSeries> series, std::span<const std::vector<double>> scores) {
  if (series.size() != scores.size())
    throw_usage(concat("scores of ", scores.size(), " series, expected ", series.size()));
  NabScore best;
  std::vector<Row> rows;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const std::size_t expected = series[i].rows - series[i].probation;
    if (scores[i].size() != expected)
      throw_usage(concat("series '", series[i].name, "' has ", scores[i].size(), " scores, expected ", expected,
                         ", one for each row behind its probation"));
    add_rows(series[i], scores[i], best.windows, rows);
    best.windows += series[i].windows.size();
  }
  if (best.windows == 0) throw_usage("the series have no window of an anomaly: there is nothing to find");

  // From the highest threshold down: rows of equal scores become alarms together.
  std::ranges::stable_sort(rows, std::ranges::greater{}, &Row::score);
  std::vector<double> worth(best.windows, -1);  // of each window
  double sum = -static_cast<double>(best.windows), best_sum = sum;
  best.threshold = std::numeric_limits<double>::infinity();
  std::size_t found = 0, false_alarms = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    if (row.window == kNoWindow) {
      sum += row.worth;
      ++false_alarms;
    } else if (row.worth > worth[row.window]) {
      if (worth[row.window] < 0) ++found;
      sum += row.worth - worth[row.window];
      worth[row.window] = row.worth;
    }
    if (sum <= best_sum || (i + 1 < rows.size() && rows[i + 1].score == row.score)) continue;
    best_sum = sum;
    best.threshold = row.score;
    best.found_windows = found;
    best.false_alarms = false_alarms;
  }
  const auto windows = static_cast<double>(best.windows);
  best.score = 100 * (best_sum + windows) / (2 * windows);
  return best;
}

NabScore nab_score_of(std::span<const NabSeries> series, const Dataset& test,
                      std::span<const std::vector<float>> forecasts) {
  if (forecasts.size() != test.size())
    throw_usage(concat("forecasts of ", forecasts.size(), " series, expected ", test.size()));
  std::vector<std::vector<double>> scores;
  test.for_each([&](const Example& example) {
    const std::vector<float>& forecast = forecasts[scores.size()];
    if (forecast.size() != example.targets.size())
      throw_usage(concat("'", example.name, "' has ", forecast.size(), " forecasts, expected ", example.targets.size(),
                         ", one for each step"));
    std::vector<double> errors;
    for (std::size_t step = 0; step < forecast.size(); ++step)
      errors.push_back(std::fabs(double{example.targets[step]} - forecast[step]));
    scores.push_back(surprise(errors));
  });
  return nab_score(series, scores);
}

std::vector<double> surprise(std::span<const double> errors) {
  constexpr std::size_t kShort = 10, kLong = 8640;
  std::vector<double> scores;
  // Sums of distances from the first error: the variance of numbers far from 0 keeps its digits.
  double short_sum = 0, long_sum = 0, squares = 0;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    const auto distance = [&](std::size_t row) { return errors[row] - errors[0]; };
    short_sum += distance(i);
    long_sum += distance(i);
    squares += distance(i) * distance(i);
    if (i >= kShort) short_sum -= distance(i - kShort);
    if (i >= kLong) {
      long_sum -= distance(i - kLong);
      squares -= distance(i - kLong) * distance(i - kLong);
    }
    const auto count = static_cast<double>(std::min(i + 1, kLong));
    const double mean = long_sum / count, variance = squares / count - mean * mean;
    const bool settled = i >= kShort && variance > 0;
    scores.push_back(settled ? (short_sum / kShort - mean) / std::sqrt(variance) : 0);
  }
  return scores;
}

}  // namespace quaver
