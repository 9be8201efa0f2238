#include "quaver/report/show/curve.h"

#include <gtest/gtest.h>

#include <cmath>

namespace quaver {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(LearningCurve, DrawsALineForEachValueAndSaysWhatItShows) {
  const std::string svg = learning_curve_svg({.metric = "accuracy",
                                              .unit = "%",
                                              .train_loss = {2, 1, 0.5},
                                              .validation_loss = {2.1, 1.5, 1.6},
                                              .values = {10, 60, 55},
                                              .best_epoch = 2});
  EXPECT_EQ(count(svg, "<polyline"), 3u);
  EXPECT_NE(svg.find("Learning curve of 3 epochs: accuracy % on validation, best in epoch 2"), std::string::npos);
  EXPECT_EQ(count(svg, "nan") + count(svg, "inf"), 0u);
  EXPECT_EQ(count(svg, "<svg"), count(svg, "</svg>"));
}

TEST(LearningCurve, OneEpochAndFlatLinesAreNumbers) {
  const std::string svg =
      learning_curve_svg({.metric = "mse", .train_loss = {0}, .validation_loss = {0}, .values = {0}, .best_epoch = 1});
  EXPECT_EQ(count(svg, "nan") + count(svg, "inf"), 0u);
}

}  // namespace
}  // namespace quaver
