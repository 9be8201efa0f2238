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

// Calls task(0) .. task(count - 1), each once, on up to `threads` threads; returns when all are done. Where one throws,
// none begins after that, and the first error is thrown when those that run have ended. Threads are started anew: some
// 20 us against the tens of milliseconds of a batch. Where one cannot be started those that were do the work: the
// results are the same, and hours of training are not lost to a moment without threads. Whoever asks for many calls
// check_threads() first.
template <typename Task>
void parallel_for(std::size_t threads, std::size_t count, const Task& task) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr error;
  std::mutex mutex;
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        task(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next = count;
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    try {
      for (std::size_t i = 1; i < std::min(threads, count); ++i) helpers.emplace_back(work);
    } catch (const std::system_error&) {
    }
    work();
  }
  if (error) std::rethrow_exception(error);
}

// The same for long tasks: task(i, failed), where `failed` turns true once another one has thrown. Error where the
// threads cannot be started.
template <typename Task>
void parallel_try(std::size_t threads, std::size_t count, const Task& task) {
  check_threads(std::max<std::size_t>(1, std::min(threads, count)));
  std::atomic<bool> failed{false};
  parallel_for(threads, count, [&](std::size_t i) {
    try {
      task(i, failed);
    } catch (...) {
      failed = true;
      throw;
    }
  });
}

}  // namespace quaver
