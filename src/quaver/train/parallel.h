// parallel.h - independent tasks on a few threads.
//
// Work is cut into tasks by its shape alone, never by the number of threads, so that the results are the same bits for
// any number of threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace quaver {

// Calls task(0) .. task(count - 1), each once, on up to `threads` threads; returns when all are done. `task` must not
// throw. Threads are started anew: some 20 us against the tens of milliseconds of a batch.
template <typename Task>
void parallel_for(std::size_t threads, std::size_t count, const Task& task) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) task(i);
  };
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < std::min(threads, count); ++i) helpers.emplace_back(work);
  work();
}

}  // namespace quaver
