#include "quaver/report/timing.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace quaver {
namespace {

double seconds_of(const Contestant& contestant, std::size_t calls) {
  const auto start = std::chrono::steady_clock::now();
  contestant.work(calls);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Warms the contestant up and finds how many calls fill one repetition.
std::size_t calls_of_repetition(const Contestant& contestant, const TimingOptions& options) {
  std::size_t calls = 1;
  double spent = 0, one = 0;
  for (;;) {
    const double seconds = seconds_of(contestant, calls);
    spent += seconds;
    one = seconds / static_cast<double>(calls);
    if (spent >= options.warm_up_seconds) break;
    if (seconds < options.repetition_seconds) calls *= 2;
  }
  return static_cast<std::size_t>(std::max(1.0, std::ceil(options.repetition_seconds / std::max(one, 1e-9))));
}

double quantile(const std::vector<double>& sorted, double share) {
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

std::vector<Timing> measure(std::span<const Contestant> contestants, const TimingOptions& options) {
  std::vector<std::size_t> calls;
  for (const Contestant& contestant : contestants) calls.push_back(calls_of_repetition(contestant, options));
  std::vector<std::vector<double>> seconds(contestants.size());
  for (std::size_t repetition = 0; repetition < options.repetitions; ++repetition) {
    for (std::size_t i = 0; i < contestants.size(); ++i)
      seconds[i].push_back(seconds_of(contestants[i], calls[i]) / static_cast<double>(calls[i]));
  }
  std::vector<Timing> timings;
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    std::ranges::sort(seconds[i]);
    timings.push_back({quantile(seconds[i], 0.5), (quantile(seconds[i], 0.75) - quantile(seconds[i], 0.25)) / 2,
                       seconds[i].front(), options.repetitions, calls[i]});
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
