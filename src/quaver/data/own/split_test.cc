#include "quaver/data/own/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "quaver/data/test_support.h"

namespace quaver {
namespace {

const std::vector<std::string> kClasses{"cat", "dog"};

Divided divided(std::size_t cats, std::size_t dogs) {
  Divided all{.where = "here", .what = "examples", .labels = std::vector<std::int32_t>(cats, 0), .classes = kClasses};
  all.labels.insert(all.labels.end(), dogs, 1);
  return all;
}

std::size_t count(const std::vector<Split>& splits, Split split, std::size_t first, std::size_t last) {
  return static_cast<std::size_t>(std::count(splits.begin() + static_cast<std::ptrdiff_t>(first),
                                             splits.begin() + static_cast<std::ptrdiff_t>(last), split));
}

TEST(OwnSplit, EveryClassHasItsShare) {
  const std::vector<Split> splits = divide_by_label(divided(50, 3), Division::kThreeWays, 1);
  for (const Split split : {Split::kValidation, Split::kTest}) {
    EXPECT_EQ(count(splits, split, 0, 50), 5u);
    EXPECT_EQ(count(splits, split, 50, 53), 1u);
  }
  const std::vector<Split> two = divide_by_label(divided(50, 2), Division::kTrainValidation, 1);
  EXPECT_EQ(count(two, Split::kValidation, 0, 52), 6u);
  EXPECT_EQ(count(two, Split::kTest, 0, 52), 0u);
}

TEST(OwnSplit, TheSeedDecides) {
  const auto with = [](std::uint64_t seed) { return divide_by_label(divided(50, 50), Division::kThreeWays, seed); };
  EXPECT_EQ(with(1), with(1));
  EXPECT_NE(with(1), with(2));
}

TEST(OwnSplit, TooFewOfAClassAreNamed) {
  EXPECT_TRUE(
      says(expect_error(ErrorKind::kBadInput, [] { divide_by_label(divided(50, 2), Division::kThreeWays, 1); }),
           "here: class 'dog': 2 of the examples, expected at least 3, one for each of train, validation and test"));
}

TEST(OwnSplit, GroupsStayTogether) {
  std::vector<std::string> groups;
  for (const std::size_t size : {10u, 20u, 5u, 30u, 35u})
    for (std::size_t i = 0; i < size; ++i) groups.push_back(std::to_string(size));
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<Split> splits = divide_by_group(divided(50, 50), groups, Division::kThreeWays, seed);
    std::map<std::string, std::set<Split>> of_group;
    for (std::size_t i = 0; i < groups.size(); ++i) of_group[groups[i]].insert(splits[i]);
    for (const auto& [group, in] : of_group) EXPECT_EQ(in.size(), 1u) << group;
    for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest})
      EXPECT_GT(count(splits, split, 0, 100), 0u);
  }
  groups.assign(100, "one");
  groups[0] = "two";
  EXPECT_TRUE(says(
      expect_error(ErrorKind::kBadInput, [&] { divide_by_group(divided(50, 50), groups, Division::kThreeWays, 1); }),
      "2 groups of examples, expected at least 3"));
}

TEST(OwnSplit, ClassesThatASplitLacksAreNamed) {
  std::vector<std::string> notes;
  const Divided three = divided(2, 1);
  const std::vector<Split> without_dogs{Split::kTrain, Split::kTest, Split::kTest};
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { check_classes(three, without_dogs, notes); }),
                   "here: class 'dog' has none of the examples of split 'train'"));
  const std::vector<Split> one_each{Split::kTrain, Split::kTest, Split::kTrain};
  notes.clear();
  check_classes(three, one_each, notes);
  EXPECT_EQ(notes, (std::vector<std::string>{"class 'cat' has one of the examples of split 'train'",
                                             "class 'dog' has one of the examples of split 'train'",
                                             "class 'dog' has none of the examples of split 'test'"}));
}

}  // namespace
}  // namespace quaver
