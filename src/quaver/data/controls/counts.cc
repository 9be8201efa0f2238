// counts.cc - controls that count: how often classes and labels hold, and what they hold behind.
//
// Every count begins at 1 (Laplace), so that nothing is impossible and every metric of probabilities is finite.
#include <cmath>
#include <memory>

#include "quaver/data/controls/control_row.h"

namespace quaver {
namespace {

constexpr std::size_t kMostTokens = 4096;

// rows: a count of each class, [contexts, classes]. The scores that softmax turns into the shares of each row.
std::vector<float> log_shares(const std::vector<double>& counts, std::size_t classes) {
  std::vector<float> scores(counts.size());
  for (std::size_t row = 0; row < counts.size(); row += classes) {
    double sum = 0;
    for (std::size_t i = 0; i < classes; ++i) sum += counts[row + i];
    for (std::size_t i = 0; i < classes; ++i) scores[row + i] = static_cast<float>(std::log(counts[row + i] / sum));
  }
  return scores;
}

Predictor fit_majority_class(const ControlData& data) {
  const std::size_t classes = data.train.classes.size();
  std::vector<double> counts(classes, 1);
  data.train.for_each([&](const Example& example) {
    for (const std::int32_t label : example.labels) ++counts[static_cast<std::size_t>(label)];
  });
  return [scores = log_shares(counts, classes)](const Example& example) {
    std::vector<float> all;
    for (std::size_t i = 0; i < example.labels.size(); ++i) all.insert(all.end(), scores.begin(), scores.end());
    return all;
  };
}

// A pair that never came is as likely as its second token alone: the counts of a context begin at the shares of all.
Predictor fit_token_before(const ControlData& data) {
  const std::size_t classes = data.train.classes.size();
  std::vector<double> all(classes, 1), pairs(data.train.vocabulary * classes);
  double sum = static_cast<double>(classes);
  data.train.for_each([&](const Example& example) {
    for (std::size_t step = 0; step < example.input.steps; ++step) {
      const auto label = static_cast<std::size_t>(example.labels[step]);
      ++pairs[static_cast<std::size_t>(example.input.ids[step]) * classes + label];
      ++all[label];
      ++sum;
    }
  });
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] += all[i % classes] / sum * static_cast<double>(classes);
  return [scores = std::make_shared<const std::vector<float>>(log_shares(pairs, classes)),
          classes](const Example& example) {
    std::vector<float> outputs;
    for (const std::int32_t id : example.input.ids) {
      const auto row = scores->begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(id) * classes);
      outputs.insert(outputs.end(), row, row + static_cast<std::ptrdiff_t>(classes));
    }
    return outputs;
  };
}

// The score that sigmoid turns into held / all.
float log_odds(double held, double all) { return static_cast<float>(std::log(held / (all - held))); }

// Of each label, behind a frame in which it does not hold and one in which it does. context: which of the two, of a
// step and a label.
template <typename Context>
Predictor fit_labels(const ControlData& data, const Context& context) {
  const std::size_t classes = data.train.classes.size();
  std::vector<double> held(2 * classes, 1), all(2 * classes, 2);
  data.train.for_each([&](const Example& example) {
    for (std::size_t i = 0; i < example.labels.size(); ++i) {
      const std::size_t place = 2 * (i % classes) + context(example, i);
      held[place] += example.labels[i];
      ++all[place];
    }
  });
  std::vector<float> odds;
  for (std::size_t i = 0; i < held.size(); ++i) odds.push_back(log_odds(held[i], all[i]));
  return [odds, classes, context](const Example& example) {
    std::vector<float> scores;
    for (std::size_t i = 0; i < example.labels.size(); ++i)
      scores.push_back(odds[2 * (i % classes) + context(example, i)]);
    return scores;
  };
}

}  // namespace

ControlRow majority_class_row() {
  return {.name = "majority class",
          .suits = [](const ControlData& data) { return names_a_class(data.train.target); },
          .fit = fit_majority_class};
}

ControlRow token_before_row() {
  return {.name = "token before",
          .suits =
              [](const ControlData& data) {
                return data.train.target == Target::kTags && data.train.vocabulary > 0 &&
                       data.train.vocabulary <= kMostTokens && data.train.classes.size() <= kMostTokens;
              },
          .fit = fit_token_before};
}

ControlRow label_marginals_row() {
  return {.name = "label marginals",
          .suits = [](const ControlData& data) { return data.train.target == Target::kLabels; },
          .fit =
              [](const ControlData& data) {
                return fit_labels(data, [](const Example&, std::size_t) { return std::size_t{0}; });
              }};
}

ControlRow frame_before_row() {
  return {.name = "frame before", .suits = has_frame_before, .fit = [](const ControlData& data) {
            return fit_labels(data, [](const Example& example, std::size_t i) {
              return std::size_t{example.input.values[i] > 0.5f ? 1u : 0u};
            });
          }};
}

}  // namespace quaver
