#include "quaver/metrics/metric.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "quaver/core/check.h"
#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

double ratio(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(all);
}

double accuracy(const Tally& tally) { return 100 * ratio(tally.correct(), tally.rows()); }

// Of classes that no row holds and none names there is nothing to say: they do not count.
double macro_f1(const Tally& tally) {
  double sum = 0;
  std::size_t classes = 0;
  for (const Tally::Counts& of_class : tally.counts()) {
    if (of_class.held + of_class.named == 0) continue;
    sum += ratio(2 * of_class.both, of_class.held + of_class.named);
    ++classes;
  }
  return classes == 0 ? 0.0 : 100 * sum / static_cast<double>(classes);
}

double micro_f1(const Tally& tally) {
  std::uint64_t both = 0, either = 0;
  for (const Tally::Counts& of_label : tally.counts()) {
    both += of_label.both;
    either += of_label.held + of_label.named;
  }
  return 100 * ratio(2 * both, either);
}

double loss(const Tally& tally) { return tally.loss(); }
double perplexity(const Tally& tally) { return std::exp(tally.loss()); }
double bits(const Tally& tally) { return tally.loss() / std::numbers::ln2; }
double mean_absolute_error(const Tally& tally) { return tally.mean_absolute_error(); }

bool of_tags(Target target) { return target == Target::kTags; }
bool of_labels(Target target) { return target == Target::kLabels; }

// In this order: the first that suits a target is its own.
constexpr std::array kMetrics{
    Metric{"accuracy", "%", true, false, names_a_class, accuracy},
    Metric{"macro_f1", "%", true, false, names_a_class, macro_f1},
    Metric{"cross_entropy", "", false, true, names_a_class, loss},
    Metric{"perplexity", "", false, true, of_tags, perplexity},
    Metric{"bits_per_character", "", false, true, of_tags, bits},
    Metric{"nats_per_frame", "", false, true, of_labels, loss},
    Metric{"micro_f1", "%", true, true, of_labels, micro_f1},
    Metric{"mse", "", false, true, is_real, loss},
    Metric{"mae", "", false, true, is_real, mean_absolute_error},
};

}  // namespace

Tally::Tally(Target target, std::size_t width) : target_(target), width_(width), counts_(is_real(target) ? 0 : width) {}

void Tally::add(std::span<const float> outputs, const Truth& truth) {
  QUAVER_DCHECK(outputs.size() % width_ == 0);
  const std::size_t rows = outputs.size() / width_;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::span<const float> of_row = outputs.subspan(row * width_, width_);
    if (is_real(target_)) {
      for (std::size_t j = 0; j < width_; ++j) {
        const double error = double{of_row[j]} - truth.reals[row * width_ + j];
        loss_ += error * error;
        absolute_ += std::abs(error);
      }
    } else if (target_ == Target::kLabels) {
      add_labels(of_row, truth.labels.subspan(row * width_, width_));
    } else {
      add_class(of_row, truth.labels[row]);
    }
  }
  rows_ += rows;
}

void Tally::add_named(std::span<const std::int64_t> named, std::span<const std::int32_t> labels) {
  QUAVER_DCHECK(names_a_class(target_) && named.size() == labels.size());
  has_loss_ = false;
  for (std::size_t row = 0; row < named.size(); ++row) count(static_cast<std::size_t>(named[row]), labels[row]);
  rows_ += named.size();
}

void Tally::merge(const Tally& other) {
  QUAVER_DCHECK(other.target_ == target_ && other.width_ == width_);
  rows_ += other.rows_;
  correct_ += other.correct_;
  loss_ += other.loss_;
  absolute_ += other.absolute_;
  has_loss_ = has_loss_ && other.has_loss_;
  for (std::size_t j = 0; j < counts_.size(); ++j) {
    counts_[j].held += other.counts_[j].held;
    counts_[j].named += other.counts_[j].named;
    counts_[j].both += other.counts_[j].both;
  }
}

void Tally::count(std::size_t named, std::int32_t label) {
  const auto held = static_cast<std::size_t>(label);
  ++counts_[held].held;
  ++counts_[named].named;
  if (held != named) return;
  ++counts_[held].both;
  ++correct_;
}

void Tally::add_class(std::span<const float> scores, std::int32_t label) {
  const auto largest = std::ranges::max_element(scores);
  double sum = 0;
  for (const float score : scores) sum += std::exp(double{score} - *largest);
  loss_ += std::log(sum) + *largest - scores[static_cast<std::size_t>(label)];
  count(static_cast<std::size_t>(largest - scores.begin()), label);
}

void Tally::add_labels(std::span<const float> scores, std::span<const std::int32_t> labels) {
  for (std::size_t j = 0; j < width_; ++j) {
    // -log sigmoid(s) where the label holds, -log(1 - sigmoid(s)) where not, without an overflow on either side.
    const double score = scores[j], signed_score = labels[j] != 0 ? score : -score;
    loss_ += std::max(-signed_score, 0.0) + std::log1p(std::exp(-std::abs(signed_score)));
    const bool held = labels[j] != 0, named = score >= 0;
    counts_[j].held += held ? 1 : 0;
    counts_[j].named += named ? 1 : 0;
    counts_[j].both += held && named ? 1 : 0;
    correct_ += held == named ? 1 : 0;
  }
}

double Tally::loss() const {
  const std::uint64_t count = is_real(target_) ? rows_ * width_ : rows_;
  return count == 0 ? 0.0 : loss_ / static_cast<double>(count);
}

double Tally::mean_absolute_error() const { return rows_ == 0 ? 0.0 : absolute_ / static_cast<double>(rows_ * width_); }

std::span<const Metric> metrics() { return kMetrics; }

const Metric& find_metric(std::string_view name, Target target) {
  std::vector<std::string> suitable;
  for (const Metric& metric : kMetrics) {
    if (!metric.suits(target)) continue;
    if (name.empty() || metric.name == name) return metric;
    suitable.emplace_back(metric.name);
  }
  throw_usage(concat("metric '", printable(name), "' does not judge the target '", target_names().name(target),
                     "', expected one of: ", join(suitable, ", ")));
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const Metric& metric : kMetrics) names.emplace_back(metric.name);
  return names;
}

}  // namespace quaver
