#include "quaver/report/machine/timing.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

namespace quaver {
namespace {

// Warms the contestant up and finds how many calls fill one repetition.
std::size_t calls_of_repetition(const Contestant& contestant, const TimingOptions& options) {
  std::size_t calls = 1;
  double spent = 0, one = 0;
  for (;;) {
    const double seconds = contestant.work(calls);
    if (!std::isfinite(seconds)) return 1;
    spent += seconds;
    one = seconds / static_cast<double>(calls);
    if (spent >= options.warm_up_seconds) break;
    if (seconds < options.repetition_seconds) calls *= 2;
  }
  return static_cast<std::size_t>(std::max(1.0, std::ceil(options.repetition_seconds / std::max(one, 1e-9))));
}

// Not a number when any of them is not: such values cannot be ordered.
void sort(std::vector<double>& values) {
  if (!std::ranges::all_of(values, [](double value) { return std::isfinite(value); }))
    values.assign(1, std::numeric_limits<double>::quiet_NaN());
  std::ranges::sort(values);
}

double quantile(const std::vector<double>& sorted, double share) {
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

std::function<double(std::size_t)> clocked(std::function<void(std::size_t calls)> work) {
  return [work = std::move(work)](std::size_t calls) {
    const auto start = std::chrono::steady_clock::now();
    work(calls);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
}

Ratio ratio_of(const Timing& other, const Timing& ours) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(other.seconds.size(), ours.seconds.size()); ++i)
    ratios.push_back(other.seconds[i] / ours.seconds[i]);
  sort(ratios);
  return {quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75)};
}

std::vector<Timing> measure(std::span<const Contestant> contestants, const TimingOptions& options) {
  std::vector<std::size_t> calls;
  for (const Contestant& contestant : contestants) calls.push_back(calls_of_repetition(contestant, options));
  std::vector<std::vector<double>> seconds(contestants.size());
  double spent = 0;
  for (std::size_t repetition = 0; repetition < options.repetitions; ++repetition) {
    if (repetition >= kLeastRepetitions && spent > options.race_seconds) break;
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < contestants.size(); ++i)
      seconds[i].push_back(contestants[i].work(calls[i]) / static_cast<double>(calls[i]));
    spent += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  std::vector<Timing> timings;
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    std::vector<double> sorted = seconds[i];
    sort(sorted);
    const double first = quantile(sorted, 0.25), third = quantile(sorted, 0.75);
    timings.push_back({quantile(sorted, 0.5), first, third, (third - first) / 2, sorted.front(), seconds[i].size(),
                       calls[i], std::move(seconds[i])});
  }
  return timings;
}

bool pin_to_current_cpu() {
  const int cpu = sched_getcpu();
  if (cpu < 0) return false;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

}  // namespace quaver
