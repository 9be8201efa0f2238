// forecasts.cc - controls of forecasts: what was goes on, and a linear map of all that was.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "quaver/data/controls/control_row.h"

namespace quaver {
namespace {

constexpr std::size_t kMostInputs = 2048;  // of ridge regression, whose time grows with the square

std::size_t horizon(const ControlData& data) {
  return data.train.target == Target::kReals ? data.train.outputs / data.forecast.columns.size() : 1;
}

// A row a step of real targets, one a sequence of others.
bool is_forecast(const ControlData& data) {
  return is_real(data.train.target) && data.train.features > 0 && !data.forecast.columns.empty();
}

// Value of the inputs at a row.
float value_at(const Example& example, std::size_t row, std::size_t column) {
  return example.input.values[row * example.input.features + column];
}

Predictor fit_persistence(const ControlData& data) {
  return [columns = data.forecast.columns, horizon = horizon(data),
          of_steps = is_of_steps(data.train.target)](const Example& example) {
    std::vector<float> outputs;
    for (std::size_t row = of_steps ? 0 : example.input.steps - 1; row < example.input.steps; ++row)
      for (std::size_t ahead = 0; ahead < horizon; ++ahead)
        for (const std::size_t column : columns) outputs.push_back(value_at(example, row, column));
    return outputs;
  };
}

// A sequence that is shorter than a day has its first row for what lies before it.
Predictor fit_last_day(const ControlData& data) {
  return [columns = data.forecast.columns, horizon = horizon(data),
          day = data.forecast.rows_a_day](const Example& example) {
    const std::size_t begin = example.input.steps - std::min(day, example.input.steps);
    std::vector<float> outputs;
    for (std::size_t ahead = 0; ahead < horizon; ++ahead)
      for (const std::size_t column : columns)
        outputs.push_back(value_at(example, std::min(begin + ahead, example.input.steps - 1), column));
    return outputs;
  };
}

// The lower triangle of a symmetric positive definite matrix [size, size], row-major, becomes L with L L' = the matrix.
void factorize(std::vector<double>& matrix, std::size_t size) {
  for (std::size_t row = 0; row < size; ++row) {
    double* const of_row = matrix.data() + row * size;
    for (std::size_t column = 0; column <= row; ++column) {
      const double* const of_column = matrix.data() + column * size;
      const double rest = of_row[column] - std::inner_product(of_row, of_row + column, of_column, 0.0);
      of_row[column] = row == column ? std::sqrt(rest) : rest / of_column[column];
    }
  }
}

// L L' x = b, in place: b is [size, columns].
void solve(const std::vector<double>& lower, std::size_t size, std::vector<double>& b, std::size_t columns) {
  const auto subtract = [&](std::size_t from, std::size_t row, double factor) {
    for (std::size_t k = 0; k < columns; ++k) b[row * columns + k] -= factor * b[from * columns + k];
  };
  const auto divide = [&](std::size_t row) {
    for (std::size_t k = 0; k < columns; ++k) b[row * columns + k] /= lower[row * size + row];
  };
  for (std::size_t row = 0; row < size; ++row) {
    for (std::size_t before = 0; before < row; ++before) subtract(before, row, lower[row * size + before]);
    divide(row);
  }
  for (std::size_t row = size; row-- > 0;) {
    for (std::size_t behind = row + 1; behind < size; ++behind) subtract(behind, row, lower[behind * size + row]);
    divide(row);
  }
}

// What ridge regression maps: the numbers of a sequence, and its targets. Of a forecast both are distances from the
// last row, so that a level that drifts away from that of train is none of its business.
struct Sample {
  std::vector<double> inputs{}, targets{};
  std::vector<double> origin{};  // of the targets
};

Sample sample_of(const Example& example, std::size_t outputs, const std::vector<std::size_t>& columns) {
  Sample sample{.inputs = {example.input.values.begin(), example.input.values.end()},
                .targets = {example.targets.begin(), example.targets.end()},
                .origin = std::vector<double>(outputs)};
  if (columns.empty()) return sample;
  const std::size_t last = example.input.steps - 1;
  for (std::size_t i = 0; i < sample.inputs.size(); ++i)
    sample.inputs[i] -= value_at(example, last, i % example.input.features);
  for (std::size_t k = 0; k < outputs; ++k) sample.origin[k] = value_at(example, last, columns[k % columns.size()]);
  for (std::size_t k = 0; k < sample.targets.size(); ++k) sample.targets[k] -= sample.origin[k];
  return sample;
}

// Numbers of a sample: which targets are linear in which inputs.
struct Selection {
  std::vector<std::size_t> inputs{}, targets{};  // places
};

struct Moments {
  std::vector<double> input_mean{}, target_mean{};
  std::vector<double> inputs{};   // [inputs, inputs], lower triangle: sums of products of distances from the means
  std::vector<double> targets{};  // [inputs, targets]
};

Moments moments_of(const ControlData& data, const Selection& selection) {
  const std::size_t inputs = selection.inputs.size(), targets = selection.targets.size();
  const auto count = static_cast<double>(data.train.size());
  Moments moments{.input_mean = std::vector<double>(inputs),
                  .target_mean = std::vector<double>(targets),
                  .inputs = std::vector<double>(inputs * inputs),
                  .targets = std::vector<double>(inputs * targets)};
  const auto for_each = [&](const auto& visit) {
    std::vector<double> x(inputs), y(targets);
    data.train.for_each([&](const Example& example) {
      const Sample sample = sample_of(example, data.train.outputs, data.forecast.columns);
      for (std::size_t i = 0; i < inputs; ++i) x[i] = sample.inputs[selection.inputs[i]] - moments.input_mean[i];
      for (std::size_t k = 0; k < targets; ++k) y[k] = sample.targets[selection.targets[k]] - moments.target_mean[k];
      visit(x, y);
    });
  };
  std::vector<double> input_mean(inputs), target_mean(targets);
  for_each([&](const std::vector<double>& x, const std::vector<double>& y) {
    for (std::size_t i = 0; i < inputs; ++i) input_mean[i] += x[i] / count;
    for (std::size_t k = 0; k < targets; ++k) target_mean[k] += y[k] / count;
  });
  moments.input_mean = input_mean;
  moments.target_mean = target_mean;
  for_each([&](const std::vector<double>& x, const std::vector<double>& y) {
    for (std::size_t i = 0; i < inputs; ++i) {
      double* const row = moments.inputs.data() + i * inputs;
      for (std::size_t j = 0; j <= i; ++j) row[j] += x[i] * x[j];
      for (std::size_t k = 0; k < targets; ++k) moments.targets[i * targets + k] += x[i] * y[k];
    }
  });
  return moments;
}

struct RidgeMap {
  Selection selection{};
  std::vector<double> weights{};  // [inputs, targets]
  std::shared_ptr<const Moments> moments{};
};

// The weights W that minimise the squared error of y = mean y + (x - mean x) W plus `penalty` |W|^2, the penalty as a
// share of the mean of the inputs' squares summed over train, one for all selections, chosen on validation.
Predictor fit_ridge(const ControlData& data, const std::vector<Selection>& selections) {
  constexpr std::array kPenalties{1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0};
  std::array<std::vector<RidgeMap>, kPenalties.size()> maps;
  for (const Selection& selection : selections) {
    const auto moments = std::make_shared<const Moments>(moments_of(data, selection));
    const std::size_t inputs = selection.inputs.size();
    double squares = 0;
    for (std::size_t i = 0; i < inputs; ++i) squares += moments->inputs[i * inputs + i] / static_cast<double>(inputs);
    for (std::size_t p = 0; p < kPenalties.size(); ++p) {
      std::vector<double> lower = moments->inputs, weights = moments->targets;
      // Where all inputs are constant any weights will do.
      for (std::size_t i = 0; i < inputs; ++i) lower[i * inputs + i] += squares > 0 ? kPenalties[p] * squares : 1;
      factorize(lower, inputs);
      solve(lower, inputs, weights, selection.targets.size());
      maps[p].push_back({.selection = selection, .weights = std::move(weights), .moments = moments});
    }
  }
  std::vector<Predictor> candidates;
  for (const std::vector<RidgeMap>& of_penalty : maps) {
    candidates.emplace_back(
        [of_penalty, outputs = data.train.outputs, columns = data.forecast.columns](const Example& example) {
          const Sample sample = sample_of(example, outputs, columns);
          std::vector<double> sums = sample.origin;
          for (const RidgeMap& map : of_penalty) {
            const auto& [inputs, targets] = map.selection;
            for (std::size_t k = 0; k < targets.size(); ++k) sums[targets[k]] += map.moments->target_mean[k];
            for (std::size_t i = 0; i < inputs.size(); ++i) {
              const double x = sample.inputs[inputs[i]] - map.moments->input_mean[i];
              for (std::size_t k = 0; k < targets.size(); ++k)
                sums[targets[k]] += x * map.weights[i * targets.size() + k];
            }
          }
          return std::vector<float>(sums.begin(), sums.end());
        });
  }
  return best_of(candidates, data.validation);
}

// begin, begin + step, ... below end.
std::vector<std::size_t> places(std::size_t begin, std::size_t end, std::size_t step = 1) {
  std::vector<std::size_t> all;
  for (std::size_t place = begin; place < end; place += step) all.push_back(place);
  return all;
}

Predictor fit_ridge_regression(const ControlData& data) {
  return fit_ridge(data, {{.inputs = places(0, common_values(data)), .targets = places(0, data.train.outputs)}});
}

Predictor fit_ridge_a_column(const ControlData& data) {
  const std::vector<std::size_t>& columns = data.forecast.columns;
  std::vector<Selection> selections;
  for (std::size_t k = 0; k < columns.size(); ++k)
    selections.push_back({.inputs = places(columns[k], common_values(data), data.train.features),
                          .targets = places(k, data.train.outputs, columns.size())});
  return fit_ridge(data, selections);
}

bool suits_ridge_regression(const ControlData& data) {
  if (data.train.target != Target::kReals) return false;
  const std::size_t values = common_values(data);
  return values > 0 && values <= kMostInputs;
}

// Of one column alone it would be ridge regression again.
bool suits_ridge_a_column(const ControlData& data) {
  return data.train.target == Target::kReals && is_forecast(data) && data.train.features > 1 &&
         common_values(data) > 0 && common_values(data) / data.train.features <= kMostInputs;
}

}  // namespace

ControlRow persistence_row() { return {.name = "persistence", .suits = is_forecast, .fit = fit_persistence}; }

ControlRow last_day_row() {
  return {.name = "last day",
          .suits =
              [](const ControlData& data) {
                return data.train.target == Target::kReals && is_forecast(data) &&
                       horizon(data) <= data.forecast.rows_a_day;
              },
          .fit = fit_last_day};
}

ControlRow ridge_regression_row() {
  return {.name = "ridge regression", .suits = suits_ridge_regression, .fit = fit_ridge_regression};
}

ControlRow ridge_a_column_row() {
  return {.name = "ridge a column", .suits = suits_ridge_a_column, .fit = fit_ridge_a_column};
}

}  // namespace quaver
