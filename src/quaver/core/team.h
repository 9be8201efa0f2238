// team.h - a few threads that share one short piece of work many times a second: the blocks of a time step.
//
// run() cuts the work into one piece a worker and returns when all are done. Worker w takes piece w, so that what a
// piece reads stays in one processor's cache from turn to turn; a piece whose worker is not there yet, because it
// sleeps or has no processor, is done by the caller. Between two turns the others spin for a moment and then sleep: an
// idle team costs nothing and a busy one no system call. A Team belongs to one caller at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace quaver {

class Team {
 public:
  static constexpr std::size_t kMostWorkers = 1024;
  // 1 to kMostWorkers, the caller included; Error (usage) beyond. Error (failed) where the machine will not start so
  // many threads; then none is left.
  explicit Team(std::size_t workers);
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team();

  std::size_t size() const { return threads_.size() + 1; }

  // part(piece) once for every piece in [0, size()); part must not throw.
  template <typename Part>
  void run(const Part& part) noexcept {
    start(&part, [](const void* context, std::size_t piece) { (*static_cast<const Part*>(context))(piece); });
    part(std::size_t{0});
    finish();
  }

 private:
  using Call = void (*)(const void* context, std::size_t piece);
  void stop() noexcept;
  void start(const void* context, Call call) noexcept;
  void finish() noexcept;
  void work(std::size_t worker) noexcept;
  void take(std::size_t piece, std::uint32_t turn) noexcept;

  static constexpr std::size_t kApart = 128;  // bytes: two cache lines, which some CPUs fetch together
  // The last turn whose piece somebody took. Every piece is taken in every turn, so a piece of turn t is free while
  // this is t - 1, and a worker that comes late can not mistake one turn for another.
  struct alignas(kApart) Slot {
    std::atomic<std::uint32_t> taken{0};
  };
  const void* context_ = nullptr;
  Call call_ = nullptr;
  std::atomic<bool> stops_{false};
  alignas(kApart) std::atomic<std::uint32_t> turn_{0};
  alignas(kApart) std::atomic<std::size_t> running_{0};
  std::vector<Slot> slots_;
  std::vector<std::jthread> threads_;
};

// The door of long work that starts its threads anew and again: Error, as of Team, where so many cannot be started.
inline void check_threads(std::size_t threads) { Team{threads}; }

// Piece `index` of `count` is [first, end) of `size`.
struct Share {
  std::size_t first, end;
};
constexpr Share share_of(std::size_t size, std::size_t index, std::size_t count) {
  return {size * index / count, size * (index + 1) / count};
}

// part(first, end) over [0, blocks): by the whole team, where there is one.
template <typename Part>
void share_blocks(Team* team, std::size_t blocks, const Part& part) noexcept {
  if (team == nullptr) return part(std::size_t{0}, blocks);
  team->run([&](std::size_t piece) {
    const Share share = share_of(blocks, piece, team->size());
    part(share.first, share.end);
  });
}

}  // namespace quaver
