// timing.h - how long a piece of work takes, told so that two rows can be compared.
//
// Contestants are timed in turns, one repetition each, so that a change of clock rate or a busy neighbour meets all of
// them alike; a repetition holds as many calls as fill `repetition_seconds`. Reported: the median over the
// repetitions, which one slow repetition can not move, and the spread beside it, the half distance of the quartiles.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace quaver {

struct Contestant {
  std::string name;
  // Does the work `calls` times, each on other inputs than the last where the work depends on them, and returns the
  // seconds that took: by clocked(), or by its own clock where the work happens in another process. Not a number when
  // it can not be done any more; the contestant then stays in the race without being timed.
  std::function<double(std::size_t calls)> work;
};

// Work that the clock of this process times.
std::function<double(std::size_t)> clocked(std::function<void(std::size_t calls)> work);

inline constexpr std::size_t kLeastRepetitions = 5;

struct TimingOptions {
  std::size_t repetitions = 41;
  double repetition_seconds = 2e-3;
  double warm_up_seconds = 0.05;  // of each contestant: caches, branch predictors, clock rate
  // A race of slow contestants ends after this long, but not before every one has had kLeastRepetitions.
  double race_seconds = std::numeric_limits<double>::infinity();
};

struct Timing {
  double median = 0;  // seconds a call
  double first_quartile = 0;
  double third_quartile = 0;
  double spread = 0;  // half of their distance
  double least = 0;
  std::size_t repetitions = 0;
  std::size_t calls = 0;        // in one repetition
  std::vector<double> seconds;  // a call, of every repetition in turn
};

struct Ratio {
  double median = 0;
  double first_quartile = 0;
  double third_quartile = 0;
};
// How many times longer `other` takes than `ours`: compared repetition by repetition, each with its neighbour in time,
// so that what slows both down cancels. Both from the same measure().
Ratio ratio_of(const Timing& other, const Timing& ours);

// One entry a contestant, in the same order.
std::vector<Timing> measure(std::span<const Contestant> contestants, const TimingOptions& options = {});

// Binds the calling thread to the CPU it runs on; false when the system does not allow it.
bool pin_to_current_cpu();

}  // namespace quaver
