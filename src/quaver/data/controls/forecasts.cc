// forecasts.cc - controls of forecasts: what was goes on, and a linear map of all that was.
#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

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

struct Moments {
  std::vector<double> input_mean{}, target_mean{};
  std::vector<double> inputs{};   // [inputs, inputs], lower triangle: sums of products of distances from the means
  std::vector<double> targets{};  // [inputs, outputs]
};

Moments moments_of(const ControlData& data, std::size_t inputs) {
  const std::size_t outputs = data.train.outputs;
  const auto count = static_cast<double>(data.train.size());
  Moments moments{.input_mean = std::vector<double>(inputs),
                  .target_mean = std::vector<double>(outputs),
                  .inputs = std::vector<double>(inputs * inputs),
                  .targets = std::vector<double>(inputs * outputs)};
  data.train.for_each([&](const Example& example) {
    const Sample sample = sample_of(example, outputs, data.forecast.columns);
    for (std::size_t i = 0; i < inputs; ++i) moments.input_mean[i] += sample.inputs[i] / count;
    for (std::size_t k = 0; k < outputs; ++k) moments.target_mean[k] += sample.targets[k] / count;
  });
  data.train.for_each([&](const Example& example) {
    Sample sample = sample_of(example, outputs, data.forecast.columns);
    for (std::size_t i = 0; i < inputs; ++i) sample.inputs[i] -= moments.input_mean[i];
    for (std::size_t k = 0; k < outputs; ++k) sample.targets[k] -= moments.target_mean[k];
    for (std::size_t i = 0; i < inputs; ++i) {
      double* const row = moments.inputs.data() + i * inputs;
      for (std::size_t j = 0; j <= i; ++j) row[j] += sample.inputs[i] * sample.inputs[j];
      for (std::size_t k = 0; k < outputs; ++k)
        moments.targets[i * outputs + k] += sample.inputs[i] * sample.targets[k];
    }
  });
  return moments;
}

// The weights W that minimise the squared error of y = mean y + (x - mean x) W plus `penalty` |W|^2, the penalty as a
// share of the mean of the inputs' squares summed over train, chosen on validation.
Predictor fit_ridge_regression(const ControlData& data) {
  const std::size_t outputs = data.train.outputs;
  Example room;
  const std::size_t inputs = data.train.example(0, room).input.values.size();
  const auto moments = std::make_shared<const Moments>(moments_of(data, inputs));
  double squares = 0;
  for (std::size_t i = 0; i < inputs; ++i) squares += moments->inputs[i * inputs + i] / static_cast<double>(inputs);
  std::vector<Predictor> candidates;
  for (const double penalty : {1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0}) {
    std::vector<double> lower = moments->inputs, weights = moments->targets;
    // Where all inputs are constant any weights will do.
    for (std::size_t i = 0; i < inputs; ++i) lower[i * inputs + i] += squares > 0 ? penalty * squares : 1;
    factorize(lower, inputs);
    solve(lower, inputs, weights, outputs);
    candidates.emplace_back([moments, weights = std::move(weights), inputs, outputs,
                             columns = data.forecast.columns](const Example& example) {
      const Sample sample = sample_of(example, outputs, columns);
      std::vector<double> sums = moments->target_mean;
      for (std::size_t i = 0; i < inputs; ++i) {
        const double x = sample.inputs[i] - moments->input_mean[i];
        for (std::size_t k = 0; k < outputs; ++k) sums[k] += x * weights[i * outputs + k];
      }
      for (std::size_t k = 0; k < outputs; ++k) sums[k] += sample.origin[k];
      return std::vector<float>(sums.begin(), sums.end());
    });
  }
  return best_of(candidates, data.validation);
}

bool suits_ridge_regression(const ControlData& data) {
  if (data.train.target != Target::kReals || data.train.features == 0 || data.train.size() == 0) return false;
  Example room;
  const std::size_t steps = data.train.example(0, room).input.steps;
  bool equal = steps * data.train.features <= kMostInputs;
  for (const Dataset* part : {&data.train, &data.validation})
    part->for_each([&](const Example& example) { equal = equal && example.input.steps == steps; });
  return equal;
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

}  // namespace quaver
