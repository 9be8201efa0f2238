#include "quaver/report/show/warning_lines.h"

#include <gtest/gtest.h>

#include "quaver/core/text.h"

namespace quaver {
namespace {

Warning narrow(std::size_t feature, double codes) {
  const std::string point = concat("feature ", feature);
  return {"narrow_feature", "input", point, codes, 16.0, concat(point, " spans ", codes, " codes of 16")};
}

TEST(WarningLines, AFeatureAloneIsItsText) {
  EXPECT_EQ(warning_lines(std::vector{narrow(3, 7)}), std::vector<std::string>{"feature 3 spans 7 codes of 16"});
  EXPECT_TRUE(warning_lines({}).empty());
}

TEST(WarningLines, FeaturesOfAKindBecomeOneLineWithTheWorstAndTheNext) {
  std::vector<Warning> warnings;
  for (std::size_t feature = 0; feature < 257; ++feature)
    warnings.push_back(narrow(feature, feature % 7 == 6 ? 12 : 15));
  warnings[246].value = 3.25;
  warnings[246].text = "feature 246 spans 3.25 codes of 16";
  EXPECT_EQ(warning_lines(warnings),
            std::vector<std::string>{"feature 246 and 256 others (feature 6: 12, feature 13: 12, feature 20: 12, ...; "
                                     "--json lists all): feature 246 spans 3.25 codes of 16"});
}

TEST(WarningLines, TheFarthestFromItsLimitOnEitherSideIsTheWorst) {
  const std::vector<Warning> cuts{{"range_cut", "input", "feature 1", 20.0, 10.0, "one"},
                                  {"range_cut", "input", "feature 2", -0.5, -0.1, "two"},
                                  {"range_cut", "input", "feature 3", 300.0, 200.0, "three"}};
  EXPECT_EQ(warning_lines(cuts),
            std::vector<std::string>{"feature 2 and 2 others (feature 1: 20, feature 3: 300; --json lists all): two"});
}

TEST(WarningLines, OtherCodesNodesAndPointsStayApartInTheirOrder) {
  const std::vector<Warning> warnings{narrow(1, 7),
                                      {"constant_feature", "input", "feature 2", 5.0, 0.1, "constant"},
                                      {"low_sqnr", "gru0", "pre_z", 12.0, 25.0, "one output"},
                                      {"low_sqnr", "gru0", "pre_z", 11.0, 25.0, "another output"},
                                      narrow(3, 9),
                                      {"float_island", "scores", "", {}, {}, "island"}};
  EXPECT_EQ(warning_lines(warnings),
            (std::vector<std::string>{"feature 1 and 1 other (feature 3: 9; --json lists all): feature 1 spans 7 codes "
                                      "of 16",
                                      "constant", "one output", "another output", "island"}));
}

}  // namespace
}  // namespace quaver
