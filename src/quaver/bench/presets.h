// presets.h - shapes of recurrent layers that people run, with a name each: 'bench --preset NAME'.
//
// Where each comes from stands in docs/bench.md. All but the grid are what a public model or benchmark uses.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace quaver {

struct BenchShape {
  std::string cell = "lstm";  // of recurrent_names()
  std::string reset{};        // of a cell that can do both: after or before the product
  std::size_t input = 40;
  std::size_t hidden = 128;
  std::size_t batch = 1;
  std::size_t steps = 1;    // in one call
  std::size_t streams = 1;  // independent states that one call moves a step on
};

std::vector<std::string> preset_names();
// Error (usage) for a name that is none of them.
std::vector<BenchShape> preset_shapes(const std::string& name);

}  // namespace quaver
