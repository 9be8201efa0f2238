// demo_memory.h - the memory network of 'quaver demo': generated stories, trained in plain C++, in float and integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace quaver {

struct MemoryDemo {
  nlohmann::ordered_json results;    // one a network, as the demo's rows
  nlohmann::ordered_json explained;  // a question of the test stories and what each hop looked at
  std::string text;                  // both for people
};

struct MemoryDemoOptions {
  std::uint64_t seed = 1;        // of stories and weights
  std::size_t questions = 4000;  // of the training stories and of the test's; a few seconds
  std::filesystem::path keep{};  // folder to leave the networks in, or empty
};
MemoryDemo demo_memory(const MemoryDemoOptions& options);

}  // namespace quaver
