#include "quaver/data/distances.h"

#include <gtest/gtest.h>

#include <vector>

namespace quaver {
namespace {

TEST(Distances, AreFromTheLastRowOfTheInput) {
  Example example{.input = {.steps = 2, .features = 3, .values = {1, 2, 3, 5, 7, 11}}, .targets = {12, 5, 10, 8}};
  const std::vector<std::size_t> columns{2, 0};
  take_distances(example, columns, 4);
  EXPECT_EQ(example.input.values, (std::vector<float>{-4, -5, -8, 0, 0, 0}));
  EXPECT_EQ(example.origin, (std::vector<float>{11, 5, 11, 5}));
  EXPECT_EQ(example.targets, (std::vector<float>{1, 0, -1, 3}));
}

TEST(Distances, TargetsMayBeUnknown) {
  Example example{.input = {.steps = 1, .features = 1, .values = {4}}};
  take_distances(example, std::vector<std::size_t>{0}, 2);
  EXPECT_EQ(example.origin, (std::vector<float>{4, 4}));
  EXPECT_TRUE(example.targets.empty());
}

}  // namespace
}  // namespace quaver
