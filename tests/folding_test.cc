// folding_test.cc - inputs that nobody normalised, and inner values of uneven sizes, through quantize with its default
// method: the integer model keeps what the float one says. All data is generated.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/quantize/quantize.h"
#include "support/random_model.h"

namespace quaver::testing {
namespace {

double sqnr_db(std::span<const float> expected, std::span<const float> found) {
  double signal = 0, noise = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double f = static_cast<double>(expected[i]), error = f - static_cast<double>(found[i]);
    signal += f * f;
    noise += error * error;
  }
  return 10 * std::log10(signal / noise);
}

// Of the first output of an integer model against the float one.
double sqnr_db(const Model& reference, const Model& integer, const std::vector<Sequence>& sequences) {
  Session first(reference), second(integer);
  std::vector<float> expected, found;
  for (const Sequence& sequence : sequences) {
    const std::vector<float> f = first.run(view(sequence))[0].real(), q = second.run(view(sequence))[0].real();
    expected.insert(expected.end(), f.begin(), f.end());
    found.insert(found.end(), q.begin(), q.end());
  }
  return sqnr_db(expected, found);
}

std::vector<Sequence> normal_sequences(std::size_t count, std::size_t steps, std::size_t features, std::uint64_t seed) {
  Random random(seed);
  std::vector<Sequence> sequences;
  for (std::size_t i = 0; i < count; ++i) {
    Sequence sequence{steps, features, std::vector<float>(steps * features), {}};
    for (float& value : sequence.values) value = static_cast<float>(random.normal());
    sequences.push_back(std::move(sequence));
  }
  return sequences;
}

enum class Cell { kLstm, kGru, kRnn, kLayerNormLstm };

// One cell over `features`, uniform weights of torch's size.
Model cell_model(Cell cell, std::int64_t features, std::int64_t hidden, std::uint64_t seed) {
  Operation operation =
      LstmAttributes{.input_size = features, .hidden_size = hidden, .layer_norm = cell == Cell::kLayerNormLstm};
  if (cell == Cell::kGru) operation = GruAttributes{.input_size = features, .hidden_size = hidden};
  if (cell == Cell::kRnn) operation = RnnAttributes{.input_size = features, .hidden_size = hidden};
  Model model = ModelBuilder("cell", features, seed).add("cell", operation).finish();
  Random random(seed);
  const double k = 1 / std::sqrt(static_cast<double>(hidden));
  for (auto& [name, tensor] : model.tensors)
    if (!name.starts_with("cell.L"))
      for (float& value : tensor.as_mutable<float>()) value = static_cast<float>(random.uniform(-k, k));
  return model;
}

// x -> scale x + offset a feature, and the weights that undo it.
struct Units {
  std::vector<double> scale, offset;

  void apply(std::vector<Sequence>& sequences) const {
    for (Sequence& sequence : sequences)
      for (std::size_t i = 0; i < sequence.values.size(); ++i) {
        const std::size_t c = i % sequence.features;
        sequence.values[i] = static_cast<float>(offset[c] + scale[c] * static_cast<double>(sequence.values[i]));
      }
  }
  void apply(Model& model) const {
    Tensor& W = model.tensors.at("cell.W");
    const auto cols = static_cast<std::size_t>(W.row_size());
    const std::span<float> weights = W.as_mutable<float>();
    std::vector<double> moved(weights.size() / cols);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double w = static_cast<double>(weights[i]) / scale[i % cols];
      weights[i] = static_cast<float>(w);
      moved[i / cols] += static_cast<double>(weights[i]) * offset[i % cols];
    }
    if (model.tensors.contains("cell.L")) return;  // the norm takes away what all rows share, and its b comes later
    const std::span<float> b = model.tensors.at("cell.b").as_mutable<float>();
    for (std::size_t r = 0; r < b.size(); ++r) b[r] = static_cast<float>(static_cast<double>(b[r]) - moved[r]);
  }
};

Units units_of(std::size_t features, double spread, double offset) {
  Units units;
  for (std::size_t c = 0; c < features; ++c) {
    const double place = features == 1 ? 0 : 2.0 * static_cast<double>(c) / static_cast<double>(features - 1) - 1;
    units.scale.push_back(std::pow(10.0, spread * place));
    units.offset.push_back(offset * units.scale.back());
  }
  return units;
}

// What is left is what the bits of input and weights leave, whatever the units: none of it may be lost by them.
double expected_db(Cell cell) { return cell == Cell::kLayerNormLstm ? 25 : 29; }

TEST(Folding, FeaturesOfAllSizesKeepTheirDecibels) {
  for (const Cell cell : {Cell::kLstm, Cell::kGru, Cell::kRnn, Cell::kLayerNormLstm}) {
    double alike = 0;
    for (const double spread : {0.0, 0.5, 1.0, 2.0, 3.0}) {
      Model model = cell_model(cell, 8, 24, 12);
      std::vector<Sequence> data = normal_sequences(24, 60, 8, 3), fresh = normal_sequences(3, 60, 8, 4);
      const Units units = units_of(8, spread, 0);
      units.apply(model);
      units.apply(data);
      units.apply(fresh);
      const Model integer = quantize(model, calibrate(model, views(data))).model;
      const double found = sqnr_db(model, integer, fresh);
      if (spread == 0) alike = found;
      EXPECT_GE(found, expected_db(cell)) << static_cast<int>(cell) << " spread " << spread;
      EXPECT_GE(found, alike - 0.5) << static_cast<int>(cell) << " spread " << spread;
    }
  }
}

TEST(Folding, OffsetsKeepTheSwing) {
  for (const Cell cell : {Cell::kLstm, Cell::kGru, Cell::kRnn, Cell::kLayerNormLstm}) {
    double without = 0;
    for (const double offset : {0.0, 10.0, 100.0, 1000.0}) {
      Model model = cell_model(cell, 2, 16, 4);
      std::vector<Sequence> data = normal_sequences(24, 60, 2, 5), fresh = normal_sequences(4, 60, 2, 6);
      const Units units = units_of(2, 0, offset);
      units.apply(model);
      units.apply(data);
      units.apply(fresh);
      const Model integer = quantize(model, calibrate(model, views(data))).model;
      const double found = sqnr_db(model, integer, fresh);
      if (offset == 0) without = found;
      EXPECT_GE(found, expected_db(cell)) << static_cast<int>(cell) << " offset " << offset;
      if (cell != Cell::kLayerNormLstm) {  // its norm sees another network
        EXPECT_GE(found, without - 2.5) << static_cast<int>(cell) << " offset " << offset;
      }
    }
  }
}

TEST(Folding, AConstantFeatureKeepsARangeAndIsNamed) {
  for (const double constant : {0.0, 1.0, 10000.0}) {
    Model model = cell_model(Cell::kLstm, 4, 16, 4);
    std::vector<Sequence> data = normal_sequences(4, 60, 4, 5);
    Units units = units_of(4, 0, 0);
    units.offset[2] = constant;
    units.apply(model);
    for (Sequence& sequence : data)
      for (std::size_t i = 2; i < sequence.values.size(); i += 4) sequence.values[i] = static_cast<float>(constant);
    const QuantizeResult result = quantize(model, calibrate(model, views(data)));
    EXPECT_GE(sqnr_db(model, result.model, data), 35) << constant;
    const auto warning = std::ranges::find(result.warnings, "constant_feature", &Warning::code);
    ASSERT_NE(warning, result.warnings.end()) << constant;
    EXPECT_EQ(warning->node, "input");
    EXPECT_EQ(warning->point, "feature 2");
    EXPECT_EQ(warning->value, constant);
    const Channels channels = channels_of(result.model, "input");
    if (!channels.empty()) {
      EXPECT_GE(channels.scale_of(2), std::max(constant, 1.0) / 128);
    }
  }
}

TEST(Folding, PerTensorFoldsNothingAndNamesNarrowFeatures) {
  Model model = cell_model(Cell::kLstm, 8, 24, 12);
  std::vector<Sequence> data = normal_sequences(6, 60, 8, 3);
  const Units units = units_of(8, 1, 0);
  units.apply(model);
  units.apply(data);
  const QuantizeResult result = quantize(model, calibrate(model, views(data)), {.scheme = "int8_per_tensor"});
  EXPECT_TRUE(channels_of(result.model, "input").empty());
  const auto narrow = std::ranges::count(result.warnings, "narrow_feature", &Warning::code);
  EXPECT_GE(narrow, 3);  // of ranges up to 100 times smaller, those below a sixteenth
  EXPECT_LT(narrow, 8);
}

// ---- a spike ---------------------------------------------------------------------------------------------------

TEST(Spike, OneValueCostsCleanDataNothingAndIsNamed) {
  for (const Cell cell : {Cell::kGru, Cell::kLstm}) {
    const Model model = cell_model(cell, 4, 16, 36);
    const std::vector<Sequence> clean = normal_sequences(4, 250, 4, 37);
    std::vector<Sequence> data = normal_sequences(20, 250, 4, 36);
    const double without = sqnr_db(model, quantize(model, calibrate(model, views(data))).model, clean);
    for (const float spike : {30.0f, -100.0f, 1e4f}) {
      data[3].values[40 * 4 + 2] = spike;
      const QuantizeResult result = quantize(model, calibrate(model, views(data)));
      EXPECT_GE(sqnr_db(model, result.model, clean), without - 1) << spike;
      const auto warning = std::ranges::find(result.warnings, "range_cut", &Warning::code);
      ASSERT_NE(warning, result.warnings.end()) << spike;
      EXPECT_EQ(warning->point, "feature 2");
      EXPECT_EQ(warning->value, spike);
      EXPECT_LT(std::abs(*warning->limit), 6);
    }
  }
}

// Large values that come again are data: nothing is cut, and they are coded as before.
TEST(Spike, RareLargeValuesStay) {
  const Model model = cell_model(Cell::kGru, 4, 16, 36);
  const auto with_bursts = [](std::uint64_t seed) {
    std::vector<Sequence> data = normal_sequences(20, 250, 4, seed);
    Random random(seed);
    for (Sequence& sequence : data)
      for (float& value : sequence.values)
        if (random.uniform() < 0.001) value *= 10;
    return data;
  };
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const QuantizeResult result = quantize(model, calibrate(model, views(with_bursts(seed))));
    EXPECT_EQ(std::ranges::count(result.warnings, "range_cut", &Warning::code), 0) << seed;
  }
}

TEST(ChannelRanges, AnEventIsOnePlaceInOneSequence) {
  const auto ranges = [](const std::function<void(std::vector<Sequence>&)>& change) {
    std::vector<Sequence> data = normal_sequences(4, 100, 1, 9);
    change(data);
    ChannelRanges found(1, 400);
    for (std::size_t i = 0; i < data.size(); ++i)
      for (std::size_t t = 0; t < data[i].steps; ++t) found.add(std::span(data[i].values).subspan(t, 1), i, t);
    return found.statistics();
  };
  EXPECT_TRUE(ranges([](auto&) {}).cuts.empty());
  const ChannelStatistics once = ranges([](auto& data) { data[1].values[7] = 50; });
  ASSERT_EQ(once.cuts.size(), 1u);
  EXPECT_EQ(once.cuts[0].sequence, 1u);
  EXPECT_EQ(once.cuts[0].step, 7u);
  EXPECT_EQ(once.cuts[0].extreme, 50);
  EXPECT_EQ(once.high[0], once.cuts[0].kept);
  EXPECT_LT(once.high[0], 5);
  // An artifact that swings both ways within few steps is one event too, in both directions.
  EXPECT_EQ(ranges([](auto& data) {
              data[1].values[7] = 50;
              data[1].values[8] = 45;
              data[1].values[9] = -60;
            }).cuts.size(),
            2u);
  EXPECT_TRUE(ranges([](auto& data) { data[1].values[7] = data[1].values[70] = 50; }).cuts.empty());
  EXPECT_TRUE(ranges([](auto& data) { data[1].values[7] = data[2].values[7] = 50; }).cuts.empty());
  EXPECT_TRUE(ranges([](auto& data) {  // a feature that is 0 but once: that is what it says
                for (Sequence& sequence : data) std::ranges::fill(sequence.values, 0.0f);
                data[1].values[7] = 1;
              })
                  .cuts.empty());
}

// ---- the border ------------------------------------------------------------------------------------------------

TEST(Border, FoldedFramesEnterAfterNormalization) {
  Model model = cell_model(Cell::kLstm, 3, 12, 8);
  const std::vector<float> mean{5, -200, 0.25f}, inverse{0.5f, 1e-2f, 300};
  model.tensors["input.mean"] = Tensor::from<float>({3}, mean);
  model.tensors["input.inverse_deviation"] = Tensor::from<float>({3}, inverse);
  Units units = units_of(3, 2, 3);
  units.apply(model);
  std::vector<Sequence> data = normal_sequences(4, 60, 3, 5);
  units.apply(data);
  for (Sequence& sequence : data)
    for (std::size_t i = 0; i < sequence.values.size(); ++i)
      sequence.values[i] = mean[i % 3] + sequence.values[i] / inverse[i % 3];
  const Model integer = quantize(model, calibrate(model, views(data))).model;
  EXPECT_FALSE(channels_of(integer, "input").empty());
  EXPECT_GE(sqnr_db(model, integer, data), 33);
}

TEST(Border, CallersOfCodesEncodeAndDecodeAsStepDoes) {
  Model model = cell_model(Cell::kLstm, 3, 12, 8);
  const Units units = units_of(3, 2, 3);
  units.apply(model);
  std::vector<Sequence> data = normal_sequences(4, 60, 3, 5);
  units.apply(data);
  const Model integer = quantize(model, calibrate(model, views(data))).model;
  Session of_reals(integer), of_codes(integer);
  State first = of_reals.initial_state(), second = of_codes.initial_state();
  std::vector<float> scores(12), decoded(12);
  std::vector<std::int8_t> codes(3);
  for (std::size_t t = 0; t < 60; ++t) {
    const std::span<const float> frame = std::span<const float>(data[0].values).subspan(3 * t, 3);
    ASSERT_TRUE(of_reals.step(frame, first, scores));
    ASSERT_TRUE(of_codes.encode(frame, codes));
    ASSERT_TRUE(of_codes.step(codes, second));
    ASSERT_TRUE(of_codes.decode(of_codes.output_codes(), decoded));
    ASSERT_EQ(scores, decoded) << t;
  }
  const std::span<const float> frame = std::span<const float>(data[0].values).first(3);
  EXPECT_EQ(of_codes.encode(frame.first(2), codes).refusal, StepRefusal::kInputSize);
  EXPECT_EQ(of_codes.encode(frame, std::span(codes).first(2)).refusal, StepRefusal::kOutputSize);
  EXPECT_EQ(of_codes.decode(of_codes.output_codes(), std::span(decoded).first(3)).refusal, StepRefusal::kOutputSize);
  EXPECT_EQ(of_codes.decode(of_codes.output_codes().first(3), decoded).refusal, StepRefusal::kInputSize);
  EXPECT_EQ(of_codes.decode(of_codes.output_codes(), decoded, 1).refusal, StepRefusal::kInputSize);
  EXPECT_EQ(Session(model).encode(frame, codes).refusal, StepRefusal::kInputKind);
  const Session taken = std::move(of_reals);
  EXPECT_EQ(of_reals.encode(frame, codes).refusal, StepRefusal::kNoModel);  // NOLINT(bugprone-use-after-move)
}

// ---- rows of an embedding

// A row far larger than the others: they keep their decibels, and it has its own where it is read. With gates that the
// others drive all over their range, and with gates that only the row does: there the state reaches several times as
// far where it is read.
TEST(LargeRow, CostsTheOthersNothingAndIsReadWell) {
  constexpr std::int64_t kWords = 50, kFeatures = 16;
  constexpr std::int32_t kLarge = 7;
  const auto ids = [](std::uint64_t seed, bool with_large) {
    std::vector<Sequence> sequences;
    for (std::uint64_t i = 0; i < 8; ++i) {
      Sequence sequence = random_ids(40, kWords, seed + i);
      for (std::int32_t& id : sequence.ids)
        if (id == kLarge && !with_large) id = 8;
      sequences.push_back(std::move(sequence));
    }
    return sequences;
  };
  const std::vector<Operation> readers{
      LstmAttributes{.input_size = kFeatures, .hidden_size = 24},
      LstmAttributes{.input_size = kFeatures, .hidden_size = 24, .peephole = true},
      GruAttributes{.input_size = kFeatures, .hidden_size = 24},
      GruAttributes{.input_size = kFeatures, .hidden_size = 24, .linear_before_reset = false},
      RnnAttributes{.input_size = kFeatures, .hidden_size = 24},
      DenseAttributes{.input_size = kFeatures, .units = 24}};
  for (std::size_t r = 0; r < readers.size(); ++r) {
    double alike = 0;
    for (const auto& [gain, times] : {std::pair{1.2f, 1.0f},
                                      {1.2f, 5.0f},
                                      {1.2f, 10.0f},
                                      {1.2f, 100.0f},
                                      {0.3f, 1.0f},
                                      {0.3f, 5.0f},
                                      {0.3f, 10.0f},
                                      {0.3f, 100.0f}}) {
      Model model = ModelBuilder::of_ids("m", 6)
                        .add("embedding", EmbeddingAttributes{kWords, kFeatures})
                        .add("reader", readers[r])
                        .finish();
      const std::span<float> table = model.tensors.at("embedding.W").as_mutable<float>();
      for (float& value : table) value *= gain;
      for (float& value : table.subspan(kLarge * kFeatures, kFeatures)) value *= times;
      const Model integer = quantize(model, calibrate(model, views(ids(20, true)))).model;
      const double others = sqnr_db(model, integer, ids(60, false));
      if (times == 1) alike = others;
      EXPECT_GE(others, alike - 1) << "reader " << r << " gain " << gain << " times " << times;
      // The steps at which it is read.
      Session first(model), second(integer);
      std::vector<float> expected, found;
      for (const Sequence& sequence : ids(100, true)) {
        const std::vector<float> f = first.run(view(sequence))[0].real(), q = second.run(view(sequence))[0].real();
        for (std::size_t t = 0; t < sequence.ids.size(); ++t) {
          if (sequence.ids[t] != kLarge) continue;
          expected.insert(expected.end(), f.begin() + 24 * static_cast<std::ptrdiff_t>(t),
                          f.begin() + 24 * static_cast<std::ptrdiff_t>(t + 1));
          found.insert(found.end(), q.begin() + 24 * static_cast<std::ptrdiff_t>(t),
                       q.begin() + 24 * static_cast<std::ptrdiff_t>(t + 1));
        }
      }
      ASSERT_FALSE(expected.empty());
      EXPECT_GE(sqnr_db(expected, found), 30) << "reader " << r << " gain " << gain << " times " << times;
    }
  }
}

// A row that is frequent, as padding is, makes the mean of what is read; the others do not pay for that either.
TEST(LargeRow, MayBeFrequent) {
  constexpr std::int64_t kWords = 50, kFeatures = 16;
  constexpr std::int32_t kLarge = 7;
  const auto ids = [](std::uint64_t seed, std::uint64_t percent) {
    Random random(seed);
    std::vector<Sequence> sequences;
    for (std::uint64_t i = 0; i < 8; ++i) {
      Sequence sequence = random_ids(40, kWords, seed + i);
      for (std::int32_t& id : sequence.ids) {
        if (id == kLarge) id = 8;
        if (random.below(100) < percent) id = kLarge;
      }
      sequences.push_back(std::move(sequence));
    }
    return sequences;
  };
  const std::vector<Operation> readers{LstmAttributes{.input_size = kFeatures, .hidden_size = 24},
                                       GruAttributes{.input_size = kFeatures, .hidden_size = 24},
                                       RnnAttributes{.input_size = kFeatures, .hidden_size = 24},
                                       DenseAttributes{.input_size = kFeatures, .units = 24}};
  for (std::size_t r = 0; r < readers.size(); ++r) {
    double alike = 0;
    for (const auto& [times, percent] : {std::pair{1.0f, 2u}, {100.0f, 2u}, {100.0f, 30u}, {100.0f, 60u}}) {
      Model model = ModelBuilder::of_ids("m", 6)
                        .add("embedding", EmbeddingAttributes{kWords, kFeatures})
                        .add("reader", readers[r])
                        .finish();
      const std::span<float> table = model.tensors.at("embedding.W").as_mutable<float>();
      for (float& value : table) value *= 0.3f;
      for (float& value : table.subspan(kLarge * kFeatures, kFeatures)) value *= times;
      const Model integer = quantize(model, calibrate(model, views(ids(20, percent)))).model;
      const double others = sqnr_db(model, integer, ids(60, 0));
      if (times == 1) alike = others;
      // Errors that cancel for the row no longer cancel for the others: up to 1.5 dB of what rounding to nearest has
      // not.
      EXPECT_GE(others, alike - 1.5) << "reader " << r << " times " << times << ", " << percent << " %";
    }
  }
}

// What reads 16 bits and hands on 8 loses there what the table does not: dense layers hand on 16, the rest is said.
TEST(LargeRow, IsFollowedOrWarnedOf) {
  constexpr std::int64_t kWords = 50, kFeatures = 16;
  const auto large = [](Model model) {
    for (float& value : model.tensors.at("embedding.W").as_mutable<float>().subspan(7 * kFeatures, kFeatures))
      value *= 100;
    return model;
  };
  const auto builder = [&] {
    return std::move(ModelBuilder::of_ids("m", 6).add("embedding", EmbeddingAttributes{kWords, kFeatures}));
  };
  const auto data = [](std::uint64_t seed, bool with_large) {
    std::vector<Sequence> sequences;
    for (std::uint64_t i = 0; i < 8; ++i) {
      sequences.push_back(random_ids(40, kWords, seed + i));
      for (std::int32_t& id : sequences.back().ids)
        if (id == 7 && !with_large) id = 8;
    }
    return sequences;
  };
  const auto quantized = [&](const Model& model) { return quantize(model, calibrate(model, views(data(20, true)))); };
  const Model deep = large(builder()
                               .add("dense0", DenseAttributes{kFeatures, 24})
                               .add("dense1", DenseAttributes{24, 24})
                               .add("lstm", LstmAttributes{.input_size = 24, .hidden_size = 12})
                               .add("scores", DenseAttributes{12, 3})
                               .finish());
  const QuantizeResult followed = quantized(deep);
  for (const char* name : {"dense0", "dense1", "lstm", "scores"})
    EXPECT_EQ(followed.model.node(name).outputs[0].format.kind, NumberType::kI16) << name;
  EXPECT_GE(sqnr_db(deep, followed.model, data(60, false)), 35);

  const auto warned_of = [&](const Model& model) {
    std::string nodes;
    for (const Warning& warning : quantized(model).warnings)
      if (warning.code == "narrow_output") nodes += warning.node + ": " + warning.text;
    return nodes;
  };
  EXPECT_EQ(warned_of(deep), "");
  EXPECT_NE(warned_of(large(builder()
                                .add("dense0", DenseAttributes{kFeatures, 24})
                                .add("relu", ActivationAttributes{Nonlinearity::kRelu})
                                .add("scores", DenseAttributes{24, 3})
                                .finish()))
                .find("'relu' can not read 16"),
            std::string::npos);
  EXPECT_NE(warned_of(large(builder()
                                .add("gru", GruAttributes{.input_size = kFeatures, .hidden_size = 449})
                                .add("last", PoolAttributes{Pooling::kLast})
                                .add("scores", DenseAttributes{449, 3})
                                .finish()))
                .find("'scores' can not read 16"),
            std::string::npos);
  EXPECT_NE(warned_of(large(builder()
                                .add("lstm", LstmAttributes{.input_size = kFeatures, .hidden_size = 449})
                                .add("scores", DenseAttributes{449, 3})
                                .finish()))
                .find("'scores' can not read 16"),
            std::string::npos);
  EXPECT_NE(
      warned_of(large(builder()
                          .add("lstm", LstmAttributes{.input_size = kFeatures, .hidden_size = 12, .projection_size = 6})
                          .add("scores", DenseAttributes{6, 3})
                          .finish()))
          .find("it has a projection"),
      std::string::npos);
}

// A column far larger than the others, whatever the rows: its scale moves into the reader.
TEST(LargeRow, AColumnOfAnEmbeddingIsNoRow) {
  double alike = 0;
  for (const float times : {1.0f, 10.0f, 1000.0f}) {
    Model model = ModelBuilder::of_ids("m", 16)
                      .add("embedding", EmbeddingAttributes{40, 8})
                      .add("cell", GruAttributes{.input_size = 8, .hidden_size = 24})
                      .finish();
    const std::span<float> table = model.tensors.at("embedding.W").as_mutable<float>();
    for (std::size_t i = 3; i < table.size(); i += 8) table[i] *= times;
    const std::span<float> weights = model.tensors.at("cell.W").as_mutable<float>();
    for (std::size_t i = 3; i < weights.size(); i += 8) weights[i] /= times;
    std::vector<Sequence> data, fresh;
    for (std::uint64_t i = 0; i < 8; ++i) {
      data.push_back(random_ids(40, 40, 100 + i));
      fresh.push_back(random_ids(40, 40, 200 + i));
    }
    const double found = sqnr_db(model, quantize(model, calibrate(model, views(data))).model, fresh);
    if (times == 1) alike = found;
    EXPECT_GE(found, alike - 1) << times;
  }
}

// ---- data that the float model cannot take

TEST(Calibration, AnOverflowIsAnErrorThatNamesThePoint) {
  Model model = ModelBuilder("m", 3, 5)
                    .add("cell", RnnAttributes{3, 8, Nonlinearity::kRelu, Direction::kForward})
                    .add("scores", DenseAttributes{8, 2})
                    .finish();
  for (float& value : model.tensors.at("cell.R").as_mutable<float>()) value = 30;
  const std::vector<Sequence> data = normal_sequences(2, 200, 3, 7);
  try {
    calibrate(model, views(data));
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_NE(std::string(error.what()).find("became infinite or not a number"), std::string::npos) << error.what();
  }
}

// ---- between nodes ---------------------------------------------------------------------------------------------

// The rows of a producer times `sizes`, the columns of its reader divided by them.
void unbalance(Model& model, const std::string& producer, const std::string& bias, const std::string& reader,
               double spread) {
  const Units units = units_of(static_cast<std::size_t>(model.tensor(producer).rows()), spread, 0);
  Tensor& rows = model.tensors.at(producer);
  const auto size = static_cast<std::size_t>(rows.row_size());
  for (std::size_t i = 0; i < rows.as<float>().size(); ++i)
    rows.as_mutable<float>()[i] *= static_cast<float>(units.scale[i / size]);
  for (std::size_t i = 0; i < units.scale.size(); ++i)
    model.tensors.at(bias).as_mutable<float>()[i] *= static_cast<float>(units.scale[i]);
  Tensor& columns = model.tensors.at(reader);
  for (std::size_t i = 0; i < columns.as<float>().size(); ++i)
    columns.as_mutable<float>()[i] /= static_cast<float>(units.scale[i % units.scale.size()]);
}

TEST(InnerChannels, UnevenUnitsOfADenseLayerAreFoldedIntoItsRows) {
  Model model = ModelBuilder("m", 6, 5)
                    .add("first", DenseAttributes{6, 10})
                    .add("cell", GruAttributes{10, 16})
                    .add("scores", DenseAttributes{16, 4})
                    .finish();
  const std::vector<Sequence> data = normal_sequences(6, 40, 6, 1), fresh = normal_sequences(3, 40, 6, 2);
  const double even = sqnr_db(model, quantize(model, calibrate(model, views(data))).model, fresh);
  unbalance(model, "first.W", "first.b", "cell.W", 2);
  const Model integer = quantize(model, calibrate(model, views(data))).model;
  EXPECT_FALSE(channels_of(integer, "first").empty());
  EXPECT_GE(sqnr_db(model, integer, fresh), even - 1);
  const Model per_tensor = quantize(model, calibrate(model, views(data)), {.scheme = "int8_per_tensor"}).model;
  EXPECT_TRUE(channels_of(per_tensor, "first").empty());
}

TEST(InnerChannels, UnevenUnitsOfAProjectionAreFoldedIntoAllThatReadsThem) {
  for (const Direction direction : {Direction::kForward, Direction::kBidirectional}) {
    const std::int64_t both = direction == Direction::kBidirectional ? 12 : 6;
    Model model =
        ModelBuilder("m", 6, 5)
            .add("first",
                 LstmAttributes{.input_size = 6, .hidden_size = 12, .projection_size = 6, .direction = direction})
            .add("cell", LstmAttributes{.input_size = both, .hidden_size = 16})
            .finish();
    const std::vector<Sequence> data = normal_sequences(6, 40, 6, 1), fresh = normal_sequences(3, 40, 6, 2);
    const double even = sqnr_db(model, quantize(model, calibrate(model, views(data))).model, fresh);
    const Units units = units_of(6, 1.5, 0);
    for (const std::string& suffix : direction_suffixes(direction)) {
      unbalance(model, "first.W_projection" + suffix, "first.b_projection" + suffix, "first.R" + suffix, 1.5);
    }
    Tensor& columns = model.tensors.at("cell.W");
    for (std::size_t i = 0; i < columns.as<float>().size(); ++i)
      columns.as_mutable<float>()[i] /= static_cast<float>(units.scale[i % 6]);
    const Model integer = quantize(model, calibrate(model, views(data))).model;
    EXPECT_FALSE(channels_of(integer, "first").empty());
    EXPECT_GE(sqnr_db(model, integer, fresh), even - 1) << direction_name(direction);
  }
}

TEST(InnerChannels, OutputsOfAFoldedValueAreInItsOwnUnits) {
  Model model = ModelBuilder("m", 6, 5)
                    .add("first", DenseAttributes{6, 10})
                    .add("cell", GruAttributes{10, 16})
                    .finish({"first", "cell"});
  unbalance(model, "first.W", "first.b", "cell.W", 2);
  const std::vector<Sequence> data = normal_sequences(6, 40, 6, 1);
  const Model integer = quantize(model, calibrate(model, views(data))).model;
  const std::vector<Result> results = Session(integer).run(view(data[0]));
  const std::vector<float> found = results[0].real(), expected = Session(model).run(view(data[0]))[0].real();
  for (std::size_t unit = 0; unit < 10; ++unit) {
    std::vector<float> f, q;
    for (std::size_t i = unit; i < expected.size(); i += 10) {
      f.push_back(expected[i]);
      q.push_back(found[i]);
    }
    EXPECT_GE(sqnr_db(f, q), 25) << unit;
  }
  // A stream's scores are the same reals.
  Session session(integer);
  State state = session.initial_state();
  std::vector<float> scores(session.score_count());
  session.step(std::span(data[0].values).first(6), state, scores);
  for (std::size_t unit = 0; unit < 10; ++unit) EXPECT_EQ(scores[unit], found[unit]);
}

}  // namespace
}  // namespace quaver::testing
