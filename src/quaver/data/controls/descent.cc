#include "quaver/data/controls/descent.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>
#include <numeric>
#include <utility>

namespace quaver {
namespace {

constexpr std::size_t kMostPairs = 10, kMostRounds = 5000, kSettledRounds = 10;
constexpr double kSettled = 1e-6;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void add(std::vector<double>& to, double factor, const std::vector<double>& vector) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * vector[i];
}

// A step, and how the gradient changed along it.
struct Pair {
  std::vector<double> step, change;
  double product = 0;  // of both, above 0
};

// The gradient times what the pairs say of the inverse Hessian.
std::vector<double> newton_step(std::vector<double> gradient, const std::deque<Pair>& pairs) {
  std::vector<double> shares(pairs.size());
  for (std::size_t i = pairs.size(); i-- > 0;) {
    shares[i] = dot(pairs[i].step, gradient) / pairs[i].product;
    add(gradient, -shares[i], pairs[i].change);
  }
  if (!pairs.empty()) {
    const double scale = pairs.back().product / dot(pairs.back().change, pairs.back().change);
    for (double& value : gradient) value *= scale;
  }
  for (std::size_t i = 0; i < pairs.size(); ++i)
    add(gradient, shares[i] - dot(pairs[i].change, gradient) / pairs[i].product, pairs[i].step);
  return gradient;
}

}  // namespace

std::vector<double> minimum_below(std::vector<double> start, const Objective& objective) {
  std::vector<double> point = std::move(start), gradient(point.size());
  std::deque<Pair> pairs;
  std::vector<double> values{objective(point, gradient)};
  while (values.size() <= kMostRounds) {
    const std::vector<double> direction = newton_step(gradient, pairs);
    const double slope = dot(direction, gradient);
    if (!(slope > 0)) break;
    // Halved until the value falls by a share of what the slope promises (Armijo).
    double length = pairs.empty() ? 1 / std::max(1.0, std::sqrt(dot(gradient, gradient))) : 1;
    std::vector<double> next, next_gradient(point.size());
    double value = 0;
    bool fell = false;
    for (int halvings = 0; halvings < 40 && !fell; ++halvings, length /= 2) {
      next = point;
      add(next, -length, direction);
      value = objective(next, next_gradient);
      fell = value <= values.back() - 1e-4 * length * slope;
    }
    if (!fell) break;
    Pair pair{.step = next, .change = next_gradient};
    add(pair.step, -1, point);
    add(pair.change, -1, gradient);
    pair.product = dot(pair.step, pair.change);
    if (pair.product > 1e-12 * dot(pair.change, pair.change)) pairs.push_back(std::move(pair));
    if (pairs.size() > kMostPairs) pairs.pop_front();
    point = std::move(next);
    gradient = std::move(next_gradient);
    values.push_back(value);
    if (values.size() > kSettledRounds && values[values.size() - 1 - kSettledRounds] - value < kSettled) break;
  }
  return point;
}

}  // namespace quaver
