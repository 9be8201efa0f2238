// bench_memory.h - 'quaver bench' of memory networks: questions per second, and facts per second up to a million facts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "quaver/kernels/dispatch/dispatch.h"
#include "shared.h"

namespace quaver {

struct MemoryBench {
  SharedFlags shared;
  std::vector<std::string> schemes;  // presets of memory networks; fixed ones with integers only
  std::vector<std::size_t> facts{10, 1000, 100000};
  std::vector<std::size_t> batch{1};  // questions in one call
  std::size_t embedding = 60, hops = 3, words = 6, vocabulary = 180;
  std::vector<Isa> isas;
  std::vector<std::string> peer_names;
  bool peers = false;
  std::string peer_python;
  std::size_t repetitions = 41;
  std::uint64_t seed = 1;
  std::filesystem::path save;
};
void run_memory_bench(const MemoryBench& bench);

}  // namespace quaver
