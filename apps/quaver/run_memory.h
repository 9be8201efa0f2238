// run_memory.h - 'quaver run' for memory networks: a story as text, answers to its questions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "quaver/model/memory/memory_network.h"
#include "shared.h"

namespace quaver {

struct MemoryRun {
  SharedFlags shared;
  std::filesystem::path model, input, state_in, state_out;  // input: "" or "-" for standard input
  std::size_t memory = 0;                                   // facts; 0: as many as the network was trained with
  bool explain = false;
  std::uint64_t max_memory = kDefaultMaxMemory;  // bytes that the story and the saved memory may take
};
void run_memory(MemoryNetwork network, const MemoryRun& flags);

}  // namespace quaver
