#include "quaver/quantize/quantize.h"
#include "quaver/quantize/quantizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "quaver/core/error.h"
#include "quaver/model/formats/scheme.h"
#include "support/random_model.h"

namespace quaver::testing {
namespace {

std::string error_of(const std::function<void()>& action, ErrorKind kind) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "no error";
}

void expect_error(const std::function<void()>& action, ErrorKind kind, const std::string& part) {
  const std::string text = error_of(action, kind);
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

Model small_model(bool relu_rnn = false) {
  ModelBuilder builder("m", 6, 5);
  if (relu_rnn)
    builder.add("rnn0", RnnAttributes{6, 8, Nonlinearity::kRelu, Direction::kForward});
  else
    builder.add("gru0", GruAttributes{6, 8, true, Direction::kForward});
  return builder.add("gru1", GruAttributes{8, 7, true, Direction::kForward})
      .add("scores", DenseAttributes{7, 3})
      .finish();
}

Calibration calibration_of(const Model& model, std::size_t steps = 40) {
  const std::vector<Sequence> sequences{random_sequence(steps, 6, 1), random_sequence(steps / 2, 6, 2)};
  return calibrate(model, views(sequences));
}

// ---- ranges ----------------------------------------------------------------------------------------------------

TEST(RangeStatistics, KeepsExtremesCountsAndSteps) {
  RangeStatistics statistics;
  const std::vector<float> first{-1, 0.5f}, second{3, 0};
  statistics.add(first, 0);
  statistics.add(second, 2);
  EXPECT_EQ(statistics.min, -1);
  EXPECT_EQ(statistics.max, 3);
  EXPECT_EQ(statistics.count, 4u);
  EXPECT_EQ(statistics.step_max_abs, (std::vector<float>{1, 0, 3}));
  EXPECT_EQ(std::accumulate(statistics.histogram.begin(), statistics.histogram.end(), std::uint64_t{0}), 4u);
}

TEST(RangeStatistics, MergingBinsLosesNoCountAndBoundsMemory) {
  RangeStatistics statistics;
  for (int i = 0; i < 40; ++i) statistics.add(std::vector<float>{std::ldexp(1.0f, i - 20)}, 0);
  EXPECT_EQ(std::accumulate(statistics.histogram.begin(), statistics.histogram.end(), std::uint64_t{0}), 40u);
  EXPECT_LE(statistics.histogram.size(), 17 * kHistogramBins);
  EXPECT_GE(statistics.bin_width * static_cast<double>(statistics.histogram.size()), statistics.max_abs());
}

// 100,000 values of N(0, 1) and one outlier: what each method is for.
RangeStatistics normal_with_outlier() {
  Random random(3);
  RangeStatistics statistics;
  std::vector<float> values(100000);
  for (float& value : values) value = static_cast<float>(random.normal());
  statistics.add(values, 0);
  statistics.add(std::vector<float>{40}, 1);
  return statistics;
}

TEST(Thresholds, MinMaxKeepsTheOutlier) {
  EXPECT_EQ(choose_max_abs(normal_with_outlier(), CalibrationMethod::kMinMax, 100), 40);
}

TEST(Thresholds, PercentileIsTheQuantile) {
  const RangeStatistics statistics = normal_with_outlier();
  // 99 % of |N(0,1)| lie below 2.576; the standard error of that quantile is about 0.011, a bin is about 0.002 wide.
  EXPECT_NEAR(choose_max_abs(statistics, CalibrationMethod::kPercentile, 99), 2.576, 6 * 0.011);
  EXPECT_EQ(choose_max_abs(statistics, CalibrationMethod::kPercentile, 100), 40);
}

TEST(Thresholds, EntropyAndMseCutTheOutlierAndKeepTheBulk) {
  const RangeStatistics statistics = normal_with_outlier();
  for (const CalibrationMethod method : {CalibrationMethod::kEntropy, CalibrationMethod::kMse}) {
    const double threshold = choose_max_abs(statistics, method, 100);
    EXPECT_GT(threshold, 2.0) << method_name(method);
    EXPECT_LT(threshold, 40.0) << method_name(method);
  }
}

TEST(Thresholds, MseIsNoWorseThanMinMaxOnEveryGrid) {
  const RangeStatistics statistics = normal_with_outlier();
  const auto squared_error = [&](double threshold) {
    double error = 0;
    for (std::size_t i = 0; i < statistics.histogram.size(); ++i) {
      const double x = (static_cast<double>(i) + 0.5) * statistics.bin_width;
      const double step = threshold / 127, code = std::min(std::round(x / step), 127.0);
      error += static_cast<double>(statistics.histogram[i]) * (x - code * step) * (x - code * step);
    }
    return error;
  };
  EXPECT_LE(squared_error(choose_max_abs(statistics, CalibrationMethod::kMse, 100)), squared_error(40));
}

TEST(Thresholds, IntervalsKeepTheSidesApart) {
  RangeStatistics statistics;
  statistics.add(std::vector<float>{-0.25f, 4}, 0);
  const Interval interval = choose_interval(statistics, CalibrationMethod::kMinMax, 100);
  EXPECT_EQ(interval.low, -0.25);
  EXPECT_EQ(interval.high, 4);
}

TEST(Methods, NamesGoBothWays) {
  for (const char* name : {"minmax", "percentile", "entropy", "mse"})
    EXPECT_EQ(method_name(method_from_name(name)), name);
  expect_error([] { method_from_name("max"); }, ErrorKind::kUsage, "expected minmax, percentile, entropy or mse");
}

TEST(Growth, WarnsWithTheStepWhereTheStateLeavesItsEarlyRange) {
  Calibration calibration;
  RangeStatistics& growing = calibration.points["lstm0.cell"];
  for (std::size_t t = 0; t < 100; ++t) growing.add(std::vector<float>{t < 30 ? 1.0f : static_cast<float>(t) - 28}, t);
  RangeStatistics& settled = calibration.points["lstm1.cell"];
  for (std::size_t t = 0; t < 100; ++t) settled.add(std::vector<float>{t < 5 ? static_cast<float>(t) : 5.0f}, t);
  const std::vector<Warning> warnings = growth_warnings(calibration);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].text.find("'lstm0.cell' keeps growing from step 30 on"), std::string::npos) << warnings[0].text;
  EXPECT_EQ(warnings[0].code, "growing_state");
  EXPECT_EQ(warnings[0].node + " " + warnings[0].point, "lstm0 cell");
  EXPECT_EQ(warnings[0].value, 71);
  EXPECT_EQ(warnings[0].limit, 46);
}

// ---- models ----------------------------------------------------------------------------------------------------

TEST(Quantize, EveryNodeBecomesIntegerAndScoresStayClose) {
  const Model model = small_model();
  // Inputs of 8 bits have about 40 dB, and so have weights of 8; of 4 bits, seven steps a side, about 20.
  for (const auto& [scheme, decibels] : {std::pair{"int8", 30.0}, std::pair{"int8_per_tensor", 30.0},
                                         std::pair{"int4", 15.0}, std::pair{"int4_per_tensor", 15.0}}) {
    const QuantizeResult result = quantize(model, calibration_of(model), {.scheme = scheme});
    EXPECT_EQ(result.model.scheme, scheme);
    for (const Node& node : result.model.nodes) EXPECT_EQ(node.scheme, scheme);
    EXPECT_EQ(result.model.node("scores").outputs[0].format.kind, NumberType::kI16);
    const Format state = result.model.node("gru0").outputs[0].format;
    EXPECT_EQ(state.kind, NumberType::kI8);
    EXPECT_LT(state.scale, 2.0f / 255) << "the range of a state that stays inside (-1, 1)";
    const std::size_t scales = result.model.tensor("gru0.W").scales.size();
    EXPECT_EQ(scales, std::string(scheme).ends_with("_per_tensor") ? 3u : 24u);
    Session integer(result.model), real(model);
    const Sequence fresh = random_sequence(50, 6, 9);
    const std::vector<float> expected = real.run(view(fresh))[0].real(), found = integer.run(view(fresh))[0].real();
    double signal = 0, noise = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      signal += std::pow(static_cast<double>(expected[i]), 2);
      noise += std::pow(static_cast<double>(expected[i]) - static_cast<double>(found[i]), 2);
    }
    EXPECT_GT(10 * std::log10(signal / noise), decibels) << scheme;
  }
}

TEST(Quantize, FourBitsLoseNoMoreThanWithTheLargestWeightAsTheEndOfTheScale) {
  const Model model = small_model();
  const Model coded = quantize(model, calibration_of(model), {.scheme = "int4", .rounding = Rounding::kNearest}).model;
  const MatrixView<const float> weights = model.tensor("gru0.R").matrix<float>();
  const Tensor& nibbles = coded.tensor("gru0.R");
  ASSERT_EQ(nibbles.kind, NumberType::kI4);
  const Tensor codes = nibbles.unpacked();
  double found = 0, simple = 0;
  for (std::size_t r = 0; r < weights.rows(); ++r) {
    double largest = 0;
    for (const float w : weights.row(r)) largest = std::max(largest, std::abs(static_cast<double>(w)));
    const double scale = largest / kI4Limit,
                 chosen = static_cast<double>(nibbles.scale_of_row(static_cast<std::int64_t>(r)));
    for (std::size_t c = 0; c < weights.cols(); ++c) {
      const double w = static_cast<double>(weights(r, c));
      found += std::pow(w - chosen * codes.matrix<std::int8_t>()(r, c), 2);
      simple += std::pow(w - scale * quantize(w, scale, 0, -kI4Limit, kI4Limit), 2);
    }
  }
  EXPECT_LE(found, 1.02 * simple);  // a scale in two bytes is up to 1/128 coarser
}

TEST(Quantize, ScalesOfFewLevelsLoseLittleMoreThanTheBestOfAFineGrid) {
  const Model model = small_model();
  for (const char* scheme : {"quaternary", "ternary", "binary"}) {
    const Model coded =
        quantize(model, calibration_of(model), {.scheme = scheme, .rounding = Rounding::kNearest}).model;
    const MatrixView<const float> weights = model.tensor("gru0.R").matrix<float>();
    const Tensor& packed = coded.tensor("gru0.R");
    const WeightFormat& format = *weight_format_of(packed.kind);
    EXPECT_EQ(format.name, scheme);
    const Tensor codes = packed.unpacked();
    for (std::size_t r = 0; r < weights.rows(); ++r) {
      const auto loss_of = [&](double scale) {
        double loss = 0;
        for (const float w : weights.row(r)) {
          const double real = static_cast<double>(w);
          loss += std::pow(real - scale * format.nearest(real, scale), 2);
        }
        return loss;
      };
      double best = std::numeric_limits<double>::infinity();
      for (int i = 1; i <= 1000; ++i) best = std::min(best, loss_of(i * 1e-3 * max_abs(weights.row(r))));
      double found = 0;
      for (std::size_t c = 0; c < weights.cols(); ++c) {
        const auto scale = static_cast<double>(packed.scale_of_row(static_cast<std::int64_t>(r)));
        found += std::pow(static_cast<double>(weights(r, c)) - scale * codes.matrix<std::int8_t>()(r, c), 2);
      }
      EXPECT_LE(found, 1.03 * best) << scheme << ", row " << r;  // a scale in two bytes is up to 1/128 coarser
    }
  }
}

TEST(Quantize, TheDenseLayerOfAnOutputKeepsEightBitsWhereFewerAreAskedFor) {
  const Model model = small_model();
  const Model coded = quantize(model, calibration_of(model), {.scheme = "ternary"}).model;
  EXPECT_EQ(coded.scheme, "ternary");
  EXPECT_EQ(coded.node("gru0").scheme, "ternary");
  EXPECT_EQ(coded.tensor("gru0.W").kind, NumberType::kTernary);
  EXPECT_EQ(coded.node("scores").scheme, "int8");
  const Model all =
      quantize(model, calibration_of(model), {.scheme = "ternary", .overrides = {{"scores", "ternary"}}}).model;
  EXPECT_EQ(all.tensor("scores.W").kind, NumberType::kTernary);
}

// A gate's scale is fitted to all of its rows; the ends of such a model have one scale a tensor as well.
TEST(Quantize, FewBitsWithAScaleAGateLoseLittleMoreThanWithAScaleARow) {
  const Model model = small_model();
  const auto loss_of = [&](const std::string& scheme) {
    const Model coded =
        quantize(model, calibration_of(model), {.scheme = scheme, .rounding = Rounding::kNearest}).model;
    EXPECT_EQ(coded.scheme, scheme);
    const bool per_tensor = scheme.ends_with("_per_tensor");
    const Tensor& packed = coded.tensor("gru0.R");
    EXPECT_EQ(packed.scales.size(), per_tensor ? 3u : 24u) << scheme;
    EXPECT_EQ(packed.kind, find_scheme(scheme)->weights);
    const std::string ends(find_scheme(scheme)->ends);
    EXPECT_EQ(coded.node("scores").scheme, ends.empty() ? scheme : per_tensor ? "int8_per_tensor" : "int8");
    EXPECT_EQ(coded.tensor("scores.W").scales.size(), per_tensor ? 1u : 3u) << scheme;
    const Tensor codes = packed.unpacked();
    const MatrixView<const float> weights = model.tensor("gru0.R").matrix<float>();
    double loss = 0;
    for (std::size_t r = 0; r < weights.rows(); ++r)
      for (std::size_t c = 0; c < weights.cols(); ++c) {
        const double scale = static_cast<double>(packed.scale_of_row(static_cast<std::int64_t>(r)));
        loss += std::pow(static_cast<double>(weights(r, c)) - scale * codes.matrix<std::int8_t>()(r, c), 2);
      }
    return loss;
  };
  for (const std::string scheme : {"int4", "quaternary", "ternary", "binary"}) {
    const double rows = loss_of(scheme), gates = loss_of(scheme + "_per_tensor");
    EXPECT_GE(1.03 * gates, rows) << scheme;  // a scale in two bytes is up to 1/128 coarser
    EXPECT_LE(gates, 3 * rows) << scheme;
  }
}

// ---- embeddings of few bits -----------------------------------------------------------------------------------------

constexpr std::int64_t kWords = 40, kWordFeatures = 13;

Model word_model() {
  return ModelBuilder::of_ids("m", 11)
      .add("words", EmbeddingAttributes{kWords, kWordFeatures})
      .add("gru0", GruAttributes{kWordFeatures, 12, true, Direction::kForward})
      .add("scores", DenseAttributes{12, 5})
      .finish({"scores", "words"});
}

std::vector<Sequence> word_sequences() { return {random_ids(60, kWords, 1), random_ids(40, kWords, 2)}; }

QuantizeResult quantize_words(const Model& model, const std::string& words, const std::string& scheme = "int8") {
  QuantizeOptions options{.scheme = scheme};
  if (!words.empty()) options.overrides = {{"words", words}};
  return quantize(model, calibrate(model, views(word_sequences())), options);
}

const Warning* warning_of(const QuantizeResult& result, const std::string& code) {
  const auto found = std::ranges::find(result.warnings, code, &Warning::code);
  return found == result.warnings.end() ? nullptr : &*found;
}

void scale_row(Model& model, std::size_t row, float factor) {
  const auto features = static_cast<std::size_t>(kWordFeatures);
  for (float& value : model.tensors.at("words.W").as_mutable<float>().subspan(row * features, features))
    value *= factor;
}

TEST(FewBitEmbedding, IsPackedWithOneFittedScaleAndGivesItsCodes) {
  const Model model = word_model();
  for (const std::string scheme : {"int4", "quaternary", "ternary", "binary"}) {
    for (const std::string& words : {scheme, scheme + "_per_tensor"}) {
      const QuantizeResult result = quantize_words(model, words);
      const Tensor& packed = result.model.tensor("words.W");
      const WeightFormat& format = *weight_format_of(packed.kind);
      EXPECT_EQ(packed.kind, find_scheme(scheme)->weights);
      EXPECT_EQ(packed.bytes.size(), kWords * format.row_bytes(kWordFeatures));
      ASSERT_EQ(packed.scales.size(), 1u);
      const auto scale = static_cast<double>(packed.scales[0]);
      EXPECT_EQ(result.model.node("words").outputs[0].format, (Format{NumberType::kI8, packed.scales[0], 0}));
      EXPECT_EQ(result.model.node("gru0").scheme, "int8");
      EXPECT_EQ(warning_of(result, "coarse_rows"), nullptr) << words;
      EXPECT_EQ(warning_of(result, "narrow_rows"), nullptr) << words;

      // Features of uneven size are folded first, as those of eight bits are (A44).
      const Channels channels = channels_of(result.model, "words");
      EXPECT_EQ(words.ends_with("_per_tensor") && !channels.empty(), false) << words;
      std::vector<float> table;
      for (const float value : model.tensor("words.W").as<float>())
        table.push_back(
            static_cast<float>(static_cast<double>(value) / channels.scale_of(table.size() % kWordFeatures)));
      const auto loss_of = [&](double candidate) {
        double loss = 0;
        for (const float value : table) {
          const double real = static_cast<double>(value);
          loss += std::pow(real - candidate * format.nearest(real, candidate), 2);
        }
        return loss;
      };
      double best = std::numeric_limits<double>::infinity();
      for (int i = 1; i <= 1000; ++i) best = std::min(best, loss_of(i * 1e-3 * max_abs(table)));
      EXPECT_LE(loss_of(scale), (scheme == "int4" ? 1.03 : 1.001) * best) << words;  // int4: the best of nine

      const Sequence fresh = random_ids(50, kWords, 9);
      const auto rows = Session(result.model).run(view(fresh))[1].bytes;
      ASSERT_EQ(rows.size(), 50u * kWordFeatures);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto id = static_cast<std::size_t>(fresh.ids[i / kWordFeatures]);
        const float value = table[id * kWordFeatures + i % kWordFeatures];
        EXPECT_EQ(static_cast<std::int8_t>(rows[i]), format.nearest(static_cast<double>(value), scale))
            << words << " " << i;
      }
    }
  }
}

TEST(FewBitEmbedding, FollowsTheSchemeOfTheModelWhereItsRowSaysSo) {
  const Model model = word_model();
  EXPECT_EQ(quantize_words(model, "", "int4").model.tensor("words.W").kind, NumberType::kI4);
  EXPECT_EQ(quantize_words(model, "", "int4_per_tensor").model.tensor("words.W").kind, NumberType::kI4);
  for (const std::string scheme : {"quaternary", "ternary", "binary", "ternary_per_tensor"})
    EXPECT_EQ(quantize_words(model, "", scheme).model.tensor("words.W").kind, NumberType::kI8) << scheme;
}

// Rows that need 16 bits get them from a scheme for the whole model, or 8 where nothing that reads them takes 16; a
// node's own scheme goes before its rows' needs.
TEST(FewBitEmbedding, AskedForByNameGoesBeforeSixteenBits) {
  Model model = word_model();
  scale_row(model, 7, 50);
  model.tensors.at("words.W").as_mutable<float>()[7 * static_cast<std::size_t>(kWordFeatures)] =
      0;  // not in this feature
  EXPECT_EQ(quantize_words(model, "", "int4").model.tensor("words.W").kind, NumberType::kI16);
  const QuantizeResult narrow = quantize_words(model, "", "int4_per_tensor");
  EXPECT_EQ(narrow.model.tensor("words.W").kind, NumberType::kI8);
  EXPECT_NE(warning_of(narrow, "narrow_rows"), nullptr);
  for (const std::string scheme : {"int4", "quaternary", "ternary", "binary"}) {
    const QuantizeResult result = quantize_words(model, scheme);
    EXPECT_EQ(result.model.tensor("words.W").kind, find_scheme(scheme)->weights);
    const Warning* warning = warning_of(result, "coarse_rows");
    ASSERT_NE(warning, nullptr) << scheme;
    EXPECT_EQ(warning->node + " " + warning->point, "words row 7");
    EXPECT_LT(*warning->value, *warning->limit);
    EXPECT_EQ(warning->limit, find_scheme(scheme)->lowest_sqnr_db);
    EXPECT_NE(warning->text.find("--override 'words=int8'"), std::string::npos) << warning->text;
    EXPECT_EQ(warning_of(result, "narrow_rows"), nullptr);
  }
}

// Padding is such a row.
TEST(FewBitEmbedding, ARowOfZerosIsWarnedOfWhereNoCodeIsZero) {
  Model model = word_model();
  scale_row(model, 0, 0);
  for (const std::string scheme : {"int4", "quaternary", "ternary", "binary"}) {
    const QuantizeResult result = quantize_words(model, scheme);
    const Warning* warning = warning_of(result, "no_zero");
    const WeightFormat& format = *weight_format_of(result.model.tensor("words.W").kind);
    EXPECT_EQ(warning == nullptr, format.has_zero()) << scheme;
    if (warning == nullptr) continue;
    EXPECT_EQ(warning->point, "row 0");
    const Channels channels = channels_of(result.model, "words");
    double most = 0;
    for (std::size_t c = 0; c < kWordFeatures; ++c)
      most = std::max(most, channels.empty() ? 1.0 : static_cast<double>(channels.scale_of(c)));
    EXPECT_EQ(warning->value, static_cast<double>(result.model.tensor("words.W").scales[0]) * most);
    EXPECT_EQ(warning->text.substr(0, 41), "row 0 of 'words' is 0 throughout, and " + scheme.substr(0, 3));
  }
  scale_row(model, 3, 0);
  EXPECT_EQ(warning_of(quantize_words(model, "binary"), "no_zero")->text.substr(0, 41),
            "2 rows of 'words', row 0 first, are 0 thr");
}

TEST(Quantize, AllCalibrationMethodsGiveAModelThatRuns) {
  const Model model = small_model();
  const std::vector<Sequence> sequences{random_sequence(60, 6, 1)};
  for (const char* method : {"minmax", "percentile", "entropy", "mse"}) {
    const Calibration calibration =
        calibrate(model, views(sequences), {.method = method_from_name(method), .percentile = 99.9});
    Session session(quantize(model, calibration).model);
    EXPECT_EQ(session.run(view(sequences[0]))[0].steps, 60u) << method;
  }
}

TEST(Quantize, TinyWeightsBesideALargeBiasKeepTheBias) {
  Model model = small_model();
  for (float& w : model.tensors.at("gru0.W").as_mutable<float>().first(6)) w = 1e-9f;  // row 0: only a bias
  model.tensors.at("gru0.b").as_mutable<float>()[0] = 0.75f;
  const Model integer = quantize(model, calibration_of(model)).model;
  const double unit =
      static_cast<double>(integer.tensor("gru0.W").scale_of_row(0) * integer.inputs[0].value.format.scale);
  const double recurrent = static_cast<double>(model.tensor("gru0.b_recurrent").as<float>()[0]);  // joins b for z and r
  EXPECT_NEAR(integer.tensor("gru0.b").as<std::int32_t>()[0] * unit, 0.75 + recurrent, 1e-6);
  EXPECT_EQ(integer.tensor("gru0.b_recurrent").rows(), 8);
}

TEST(Quantize, IslandsNeedPermissionAndAreNamed) {
  const Model model = small_model();
  const Calibration calibration = calibration_of(model);
  expect_error([&] { quantize(model, calibration, {.ignore = {"gru1"}}); }, ErrorKind::kUsage,
               "'gru1' would stay in float");
  const QuantizeResult result = quantize(model, calibration, {.ignore = {"gru1"}, .allow_float = true});
  EXPECT_EQ(result.model.node("gru1").scheme, "f32");
  EXPECT_EQ(result.model.node("scores").formats.count("input"), 1u);
  ASSERT_FALSE(result.warnings.empty());
  EXPECT_EQ(result.warnings[0].code, "float_island");
  EXPECT_EQ(result.warnings[0].node, "gru1");
  EXPECT_NE(result.warnings[0].text.find("'gru1' stays a float island"), std::string::npos);
  Session session(result.model), real(model);
  const Sequence fresh = random_sequence(50, 6, 9);
  const std::vector<float> expected = real.run(view(fresh))[0].real(), found = session.run(view(fresh))[0].real();
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(expected[i], found[i], 0.2);
}

TEST(Quantize, OverridesPickASchemeANode) {
  const Model model = small_model();
  const Model mixed = quantize(model, calibration_of(model), {.overrides = {{"gru.", "int8_per_tensor"}}}).model;
  EXPECT_EQ(mixed.node("gru0").scheme, "int8_per_tensor");
  EXPECT_EQ(mixed.node("scores").scheme, "int8");
}

TEST(Quantize, RefusesWithNames) {
  const Model model = small_model();
  const Calibration calibration = calibration_of(model);
  expect_error([&] { quantize(model, calibration, {.scheme = "int9"}); }, ErrorKind::kUsage, "did you mean 'int8'");
  expect_error(
      [&] {
        quantize(model, calibration, {.overrides = {{"lstm", "int8"}}});
      },
      ErrorKind::kUsage, "'lstm' matches no node; the model has: gru0, gru1, scores");
  expect_error(
      [&] {
        quantize(model, calibration, {.overrides = {{"(", "int8"}}});
      },
      ErrorKind::kUsage, "'(' without its ')'");
  expect_error(
      [&] {
        quantize(model, calibration, {.overrides = {{"gru.", "int4"}, {"gru1", "int8"}}});
      },
      ErrorKind::kUsage,
      "'gru1' has no effect: every node that it matches belongs to a rule that goes before it ('gru1' to 'gru.'");
  const Model relu = small_model(true);
  const Calibration relu_calibration = calibration_of(relu);
  expect_error([&] { quantize(relu, relu_calibration); }, ErrorKind::kBadInput, "'rnn0' has no integer form");
  expect_error([&] { quantize(model, relu_calibration); }, ErrorKind::kBadInput, "'gru0.input'");
  const Model integer = quantize(model, calibration).model;
  expect_error([&] { quantize(integer, calibration); }, ErrorKind::kBadInput, "has scheme int8 already");
}

TEST(Calibrate, RefusesWithNames) {
  const Model model = small_model();
  expect_error([&] { calibrate(model, {}); }, ErrorKind::kBadInput, "calibration has no data");
  const std::vector<Sequence> wrong{random_sequence(5, 6, 1), random_sequence(5, 7, 1)};
  expect_error([&] { calibrate(model, views(wrong)); }, ErrorKind::kBadInput, "calibration sequence 1");
  const Sequence zeros{10, 6, std::vector<float>(60), {}};
  const Calibration flat = calibrate(model, std::vector{view(zeros)});
  expect_error([&] { quantize(model, flat); }, ErrorKind::kBadInput, "'gru0.input' is 0 in all 60 values");
}

}  // namespace
}  // namespace quaver::testing
