// stories.h - small worlds told in bAbI's own file format, generated from a seed. Internal to this floor.
//
// People walk between rooms and carry things; the tasks keep bAbI's numbers and names:
//   1 one supporting fact     "Where is Mary?"
//   2 two supporting facts    "Where is the milk?"
//   3 three supporting facts  "Where was the milk before the garden?"
//   6 yes or no               "Is Mary in the garden?"
//   7 counting                "How many objects is Mary carrying?"
//   9 negation                "Mary is no longer in the garden."
//   19 path finding           "How do you go from the garden to the office?" (answer "s,w")
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace quaver {

struct GeneratedTask {
  std::size_t number;
  std::string name;  // "qa1_single-supporting-fact"
};
const std::vector<GeneratedTask>& generated_tasks();

// At least `questions` questions in whole stories, cut after the last one wanted. number: one of generated_tasks().
std::string generate_stories(std::size_t number, std::size_t questions, std::uint64_t seed);

}  // namespace quaver
