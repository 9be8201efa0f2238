// parallel.h - independent tasks on a few threads.
//
// Work is cut into tasks by its shape alone, never by the number of threads, so that the results are the same bits for
// any number of threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "quaver/core/team.h"

namespace quaver {

// Calls task(0) .. task(count - 1), each once, on up to `threads` threads; returns when all are done. `task` must not
// throw. Threads are started anew: some 20 us against the tens of milliseconds of a batch. Where one cannot be started
// those that were do the work: the results are the same, and hours of training are not lost to a moment without
// threads. Whoever asks for many calls check_threads() first.
template <typename Task>
void parallel_for(std::size_t threads, std::size_t count, const Task& task) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) task(i);
  };
  std::vector<std::jthread> helpers;
  try {
    for (std::size_t i = 1; i < std::min(threads, count); ++i) helpers.emplace_back(work);
  } catch (const std::system_error&) {
  }
  work();
}

// The same for long tasks that may throw: task(i, failed), where `failed` turns true once another one has thrown. None
// begins after that, and the first error is thrown when all have ended. Error where the threads cannot be started.
template <typename Task>
void parallel_try(std::size_t threads, std::size_t count, const Task& task) {
  check_threads(std::max<std::size_t>(1, std::min(threads, count)));
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  std::mutex mutex;
  parallel_for(threads, count, [&](std::size_t i) {
    if (failed) return;
    try {
      task(i, failed);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failed.exchange(true)) error = std::current_exception();
    }
  });
  if (error) std::rethrow_exception(error);
}

}  // namespace quaver
