#include "quaver/core/team.h"

#include <system_error>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

constexpr int kSpins = 20000;  // a few hundred microseconds: longer than a step, shorter than anyone notices

void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

Team::Team(std::size_t workers) {
  if (workers < 1 || workers > kMostWorkers) throw_usage(concat(workers, " threads, expected 1 to ", kMostWorkers));
  slots_ = std::vector<Slot>(workers);
  threads_.reserve(workers - 1);
  try {
    for (std::size_t worker = 1; worker < workers; ++worker) threads_.emplace_back([this, worker] { work(worker); });
  } catch (const std::exception& error) {
    stop();  // else their destructors would wait for threads that wait for a turn
    throw_failed(concat("could not start ", workers, " threads, only ", threads_.size() + 1, " (", error.what(),
                        "); try fewer: --threads N"));
  }
}

Team::~Team() { stop(); }

void Team::stop() noexcept {
  stops_ = true;
  turn_.fetch_add(1, std::memory_order_release);
  turn_.notify_all();
}

void Team::start(const void* context, Call call) noexcept {
  context_ = context;
  call_ = call;
  running_.store(threads_.size(), std::memory_order_relaxed);
  turn_.fetch_add(1, std::memory_order_release);
  turn_.notify_all();  // no system call while nobody sleeps
}

void Team::finish() noexcept {
  const std::uint32_t turn = turn_.load(std::memory_order_relaxed);
  for (std::size_t piece = 1; piece < slots_.size(); ++piece) take(piece, turn);
  for (int spin = 0; running_.load(std::memory_order_acquire) != 0; ++spin) {
    if (spin < kSpins) {
      pause();
    } else {
      std::this_thread::yield();  // somebody waits for a processor
    }
  }
}

void Team::take(std::size_t piece, std::uint32_t turn) noexcept {
  std::uint32_t free = turn - 1;
  if (!slots_[piece].taken.compare_exchange_strong(free, turn, std::memory_order_acq_rel)) return;
  call_(context_, piece);
  running_.fetch_sub(1, std::memory_order_release);
}

void Team::work(std::size_t worker) noexcept {
  for (std::uint32_t seen = 0;;) {
    for (int spin = 0; spin < kSpins && turn_.load(std::memory_order_acquire) == seen; ++spin) pause();
    turn_.wait(seen, std::memory_order_acquire);
    seen = turn_.load(std::memory_order_acquire);
    if (stops_) return;
    take(worker, seen);
  }
}

}  // namespace quaver
