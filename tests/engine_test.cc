// engine_test.cc - the engine's promises, on every kind of model, float and integer, on every path:
// step() gives run()'s bits for any chunking, batch position and thread count; step() allocates nothing; states are
// values.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "quaver/core/error.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/model/sample_models.h"
#include "quaver/quantize/quantize.h"
#include "support/count_allocations.h"
#include "support/paths.h"
#include "support/random_model.h"

namespace quaver::testing {
namespace {

constexpr std::int64_t kFeatures = 13;

struct ModelCase {
  std::string name;
  Model model;  // float
  bool ids = false;
  std::string named{};  // a node that has the scheme by its name, so that an embedding has its weights as well
};

LstmAttributes lstm(std::int64_t input, std::int64_t hidden, unsigned variant,
                    Direction direction = Direction::kForward) {
  LstmAttributes a;
  a.input_size = input;
  a.hidden_size = hidden;
  a.input_forget = (variant & 1) != 0;
  a.peephole = (variant & 2) != 0;
  a.layer_norm = (variant & 4) != 0;
  a.projection_size = (variant & 8) != 0 ? hidden / 2 : 0;
  a.direction = direction;
  return a;
}

GruAttributes gru(std::int64_t input, std::int64_t hidden, bool after, Direction direction = Direction::kForward) {
  return {input, hidden, after, direction};
}

std::vector<ModelCase> make_cases() {
  std::vector<ModelCase> cases;
  const auto add = [&](std::string name, Model model, bool ids = false, std::string named = "") {
    cases.push_back({std::move(name), std::move(model), ids, std::move(named)});
  };
  for (unsigned variant = 0; variant < 16; ++variant) {
    const LstmAttributes a = lstm(kFeatures, 20, variant);
    ModelBuilder builder("m", kFeatures, 100 + variant);
    builder.add("lstm0", a).add("scores", DenseAttributes{a.output_size(), 5});
    add(std::string("lstm") + (a.input_forget ? "_cifg" : "") + (a.peephole ? "_peephole" : "") +
            (a.layer_norm ? "_norm" : "") + (a.projection_size > 0 ? "_projection" : ""),
        builder.finish());
  }
  LstmAttributes clipped = lstm(kFeatures, 20, 8);
  clipped.clip = 0.7f;
  clipped.projection_clip = 0.3f;
  add("lstm_clips", ModelBuilder("m", kFeatures, 120).add("lstm0", clipped).finish());
  for (const bool after : {true, false}) {
    const std::string form = after ? "after" : "before";
    add("gru_" + form, ModelBuilder("m", kFeatures, 130).add("gru0", gru(kFeatures, 20, after)).finish());
    add("gru_stacked_mean_" + form, ModelBuilder("m", kFeatures, 131)
                                        .add("gru0", gru(kFeatures, 20, after))
                                        .add("gru1", gru(20, 17, after))
                                        .add("pool", PoolAttributes{Pooling::kMean})
                                        .add("scores", DenseAttributes{17, 5})
                                        .add("probabilities", SoftmaxAttributes{})
                                        .finish());
    add("gru_bidirectional_" + form, ModelBuilder("m", kFeatures, 132)
                                         .add("gru0", gru(kFeatures, 20, after, Direction::kBidirectional))
                                         .add("gru1", gru(40, 9, after, Direction::kReverse))
                                         .add("scores", DenseAttributes{9, 5})
                                         .finish());
  }
  add("lstm_bidirectional", ModelBuilder("m", kFeatures, 140)
                                .add("lstm0", lstm(kFeatures, 20, 0, Direction::kBidirectional))
                                .add("lstm1", lstm(40, 12, 15, Direction::kBidirectional))
                                .add("pool", PoolAttributes{Pooling::kMax})
                                .add("scores", DenseAttributes{12, 5})
                                .finish());
  add("gru_final", ModelBuilder("m", kFeatures, 144)
                       .add("gru0", gru(kFeatures, 20, true, Direction::kBidirectional))
                       .add("pool", PoolAttributes{Pooling::kFinal})
                       .add("scores", DenseAttributes{40, 5})
                       .finish());
  add("lstm_last_relu_argmax", ModelBuilder("m", kFeatures, 141)
                                   .add("lstm0", lstm(kFeatures, 20, 0))
                                   .add("pool", PoolAttributes{Pooling::kLast})
                                   .add("hidden", DenseAttributes{20, 15})
                                   .add("relu", ActivationAttributes{Nonlinearity::kRelu})
                                   .add("scores", DenseAttributes{15, 5})
                                   .add("class", ArgmaxAttributes{})
                                   .finish({"scores", "class"}));
  // Several blocks of units and part of one on every path; the last are large enough for threads to share a step.
  for (const unsigned variant : {0u, 1u, 7u, 8u})
    add("lstm_blocks_" + std::to_string(variant),
        ModelBuilder("m", kFeatures, 150 + variant).add("lstm0", lstm(kFeatures, 70, variant)).finish());
  add("lstm_large", ModelBuilder("m", kFeatures, 160).add("lstm0", lstm(kFeatures, 200, 0)).finish());
  for (const bool after : {true, false})
    add(std::string("gru_large_") + (after ? "after" : "before"),
        ModelBuilder("m", kFeatures, 161).add("gru0", gru(kFeatures, 240, after)).finish());
  add("rnn", ModelBuilder("m", kFeatures, 142)
                 .add("rnn0", RnnAttributes{kFeatures, 20, Nonlinearity::kTanh, Direction::kForward})
                 .finish());
  // Embeddings with a row far larger than the others have int16 codes; a pool hands them on.
  const auto large_row = [](Model model) {
    for (float& value : model.tensors.at("embedding.W").as_mutable<float>().subspan(7 * 11, 11)) value *= 50;
    return model;
  };
  const auto of_wide = [&] {
    ModelBuilder builder = ModelBuilder::of_ids("m", 145);
    builder.add("embedding", EmbeddingAttributes{50, 11});
    return builder;
  };
  add("wide_lstm", large_row(of_wide().add("lstm0", lstm(11, 20, 0)).finish()), true);
  add("wide_lstm_norm_peephole", large_row(of_wide().add("lstm0", lstm(11, 20, 7)).finish()), true);
  for (const bool after : {true, false})
    add(std::string("wide_gru_") + (after ? "after" : "before"),
        large_row(of_wide().add("gru0", gru(11, 70, after, Direction::kBidirectional)).finish()), true);
  add("wide_rnn",
      large_row(of_wide().add("rnn0", RnnAttributes{11, 20, Nonlinearity::kTanh, Direction::kForward}).finish()), true);
  add("wide_stack",
      large_row(of_wide()
                    .add("lstm0", lstm(11, 40, 0, Direction::kBidirectional))
                    .add("gru1", gru(80, 33, true))
                    .add("pool", PoolAttributes{Pooling::kMean})
                    .add("scores", DenseAttributes{33, 5})
                    .finish()),
      true);
  add("wide_pool_dense",
      large_row(of_wide().add("pool", PoolAttributes{Pooling::kMean}).add("scores", DenseAttributes{11, 5}).finish()),
      true);
  add("embedding_gru",
      ModelBuilder::of_ids("m", 143)
          .add("embedding", EmbeddingAttributes{50, 11})
          .add("gru0", gru(11, 20, true))
          .add("scores", DenseAttributes{20, 50})
          .finish(),
      true);
  add("embedding_of_few_bits",
      ModelBuilder::of_ids("m", 146)
          .add("embedding", EmbeddingAttributes{50, 11})
          .add("lstm0", lstm(11, 20, 0))
          .add("scores", DenseAttributes{20, 50})
          .finish({"scores", "embedding"}),
      true, "embedding");
  return cases;
}

const std::vector<ModelCase>& cases() {
  static const std::vector<ModelCase> all = make_cases();
  return all;
}

std::vector<Sequence> make_sequences(const ModelCase& c) {
  std::vector<Sequence> sequences;
  for (const std::size_t steps : {1u, 2u, 7u, 30u, 19u, 64u})
    sequences.push_back(c.ids ? random_ids(steps, 50, 7 + steps) : random_sequence(steps, kFeatures, 7 + steps));
  return sequences;
}

Model quantized(const ModelCase& c, const std::string& scheme) {
  const std::vector<Sequence> sequences = make_sequences(c);
  QuantizeOptions options{.scheme = scheme};
  if (!c.named.empty()) options.overrides = {{c.named, scheme}};
  return quantize(c.model, calibrate(c.model, views(sequences)), options).model;
}

struct Parameter {
  std::size_t index;
  std::string scheme;
  Isa isa;
};

// Few bits with a scale a gate differ from those with a scale a row by constants alone: a third of the models shows it.
bool is_left_out(std::size_t index, const Scheme& scheme) {
  const bool few_bits_a_gate = number_type_row(scheme.weights).bits < 8 && !scheme.scale_a_row;
  return few_bits_a_gate && index % 3 != 0 && cases()[index].named.empty();
}

std::vector<Parameter> parameters() {
  std::vector<Parameter> all;
  for (std::size_t i = 0; i < cases().size(); ++i) {
    for (const std::string& scheme : scheme_names()) {
      if (is_left_out(i, *find_scheme(scheme))) continue;
      for (const Isa isa : all_isas())
        if (isa == Isa::kScalar || !is_float_scheme(scheme)) all.push_back({i, scheme, isa});
    }
  }
  return all;
}

std::string parameter_name(const ::testing::TestParamInfo<Parameter>& info) {
  return cases()[info.param.index].name + "_" + info.param.scheme + "_" + std::string(isa_name(info.param.isa));
}

class EngineTest : public ::testing::TestWithParam<Parameter> {
 protected:
  void SetUp() override {
    QUAVER_SKIP_WITHOUT(GetParam().isa);
    const ModelCase& c = cases()[GetParam().index];
    ids_ = c.ids;
    model_ = GetParam().scheme == "f32" ? c.model : quantized(c, GetParam().scheme);
    sequences_ = make_sequences(c);
  }
  Session session(std::size_t threads = 1) const {
    return Session(model_, {.threads = threads, .isa = GetParam().isa});
  }

  bool ids_ = false;
  Model model_;
  std::vector<Sequence> sequences_;
};

TEST_P(EngineTest, StepGivesTheBitsOfRun) {
  Session s = session();
  if (!s.streams()) {
    EXPECT_THROW(s.initial_state(), Error);
    return;
  }
  for (const Sequence& sequence : sequences_) {
    const std::vector<Result> whole = s.run(view(sequence));
    State state = s.initial_state();
    std::vector<float> scores(s.score_count()), streamed;
    for (std::size_t t = 0; t < sequence.steps; ++t) {
      if (ids_)
        s.step(sequence.ids[t], state, scores);
      else
        s.step(std::span(sequence.values).subspan(t * kFeatures, kFeatures), state, scores);
      streamed.insert(streamed.end(), scores.begin(), scores.end());
    }
    const std::vector<float> expected = whole[0].real();
    ASSERT_GE(streamed.size(), expected.size());
    // A pooled output is one vector: the stream's last one.
    EXPECT_TRUE(std::equal(expected.rbegin(), expected.rend(), streamed.rbegin()));
  }
}

// PyTorch's h_n: the forward half of the last step beside the reverse half of the first, in codes as in reals.
TEST(Engine, FinalPoolingIsTheLastStateOfEachDirection) {
  constexpr std::int64_t kUnits = 7;
  const auto check = [](const Operation& cell, std::size_t forward) {
    const Model real = ModelBuilder("m", kFeatures, 9)
                           .add("cell", cell)
                           .add("pool", PoolAttributes{Pooling::kFinal})
                           .finish({"cell", "pool"});
    const std::vector<Sequence> sequences{random_sequence(9, kFeatures, 1), random_sequence(1, kFeatures, 2)};
    const auto batch = views(sequences);
    const Model integer = quantize(real, calibrate(real, batch), {}).model;
    for (const Model* model : {&real, &integer}) {
      Session session(*model);
      for (const SequenceView& sequence : batch) {
        const std::vector<Result> results = session.run(sequence);
        const std::vector<float> y = results[0].real(), pooled = results[1].real();
        const std::size_t size = pooled.size();
        for (std::size_t j = 0; j < size; ++j)
          EXPECT_EQ(pooled[j], y[(j < forward ? sequence.steps - 1 : 0) * size + j]) << model->scheme << " " << j;
      }
    }
  };
  check(lstm(kFeatures, kUnits, 0, Direction::kBidirectional), kUnits);
  check(gru(kFeatures, kUnits, true, Direction::kBidirectional), kUnits);
  check(lstm(kFeatures, 2 * kUnits, 8, Direction::kReverse), 0);
}

TEST_P(EngineTest, AnyChunkingAndBatchPositionGivesTheSameBits) {
  Session s = session();
  const std::vector<SequenceView> batch = views(sequences_);
  std::vector<std::vector<Result>> alone;
  for (const SequenceView& sequence : batch) alone.push_back(s.run(sequence));
  for (const std::size_t threads : {1u, 2u, 5u}) EXPECT_EQ(session(threads).run(batch), alone) << threads << " threads";
  const std::vector<SequenceView> reversed(batch.rbegin(), batch.rend());
  EXPECT_EQ(session(2).run(reversed), std::vector(alone.rbegin(), alone.rend()));
  if (!s.streams()) return;

  Random random(11);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    State state = s.initial_state();
    std::vector<float> joined;
    for (std::size_t t = 0; t < batch[i].steps;) {
      const std::size_t steps = 1 + random.below(batch[i].steps - t);
      SequenceView chunk{steps, {}, {}, {}};
      if (ids_)
        chunk.ids = batch[i].ids.subspan(t, steps);
      else
        chunk.real = batch[i].real.subspan(t * kFeatures, steps * kFeatures);
      const std::vector<float> part = s.run(chunk, state)[0].real();
      joined.insert(joined.end(), part.begin(), part.end());
      t += steps;
    }
    const std::vector<float> expected = alone[i][0].real();
    EXPECT_TRUE(std::equal(expected.rbegin(), expected.rend(), joined.rbegin()));
  }
}

// Long sequences pass the nodes in blocks, several of one group ending in different ones.
TEST(Engine, BlocksOfLongSequencesGiveTheBitsOfSteps) {
  constexpr std::int64_t kInputs = 16, kUnits = 32;
  const auto build = [](const Operation& pool) {
    return ModelBuilder("m", kInputs, 11)
        .add("gru0", gru(kInputs, kUnits, true))
        .add("pool", pool)
        .add("scores", DenseAttributes{kUnits, 2})
        .finish({"scores", "gru0"});
  };
  std::vector<Sequence> sequences;
  for (const std::size_t steps : {20000u, 9000u, 1u}) sequences.push_back(random_sequence(steps, kInputs, steps));
  const auto batch = views(sequences);
  const std::vector<Sequence> few{random_sequence(200, kInputs, 1)};
  for (const Pooling pooling : {Pooling::kLast, Pooling::kMean}) {
    const Model real = build(PoolAttributes{pooling});
    for (const Model& model : {real, quantize(real, calibrate(real, views(few)), {}).model}) {
      Session session(model);
      const std::vector<std::vector<Result>> together = session.run(batch);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        EXPECT_EQ(session.run(batch[i]), together[i]);
        State state = session.initial_state();
        std::vector<float> scores(session.score_count());
        for (std::size_t t = 0; t < batch[i].steps; ++t) {
          session.step(batch[i].real.subspan(t * kInputs, kInputs), state, scores);
          if (t % 1000 != 0) continue;
          const std::span<const std::byte> code = session.output_codes(1);
          EXPECT_TRUE(std::ranges::equal(code, std::span(together[i][1].bytes).subspan(t * code.size(), code.size())));
        }
        EXPECT_EQ(together[i][0].real(), scores);
      }
    }
  }
}

// One sequence, its steps, and steps of many streams at once: shared or not, grouped or not, the same bits.
TEST_P(EngineTest, TeamsAndStreamsGiveTheSameBits) {
  Session s = session(), shared = session(3);
  const SequenceView sequence = view(sequences_[4]);
  const std::vector<Result> expected = s.run(sequence);
  EXPECT_EQ(shared.run(sequence), expected);
  if (!s.streams() || ids_) return;

  constexpr std::size_t kStreams = 37;  // a whole group and part of one
  std::vector<State> alone(kStreams, s.initial_state()), together = alone, shared_together = alone;
  std::vector<float> scores(kStreams * s.score_count()), shared_scores = scores, one(s.score_count());
  for (std::size_t t = 0; t + kStreams <= sequences_[5].steps; t += 9) {
    const auto frames = std::span(sequences_[5].values).subspan(t * kFeatures, kStreams * kFeatures);
    s.step(frames, std::span<State>(together), scores);
    shared.step(frames, std::span<State>(shared_together), shared_scores);
    EXPECT_EQ(shared_scores, scores);
    for (std::size_t i = 0; i < kStreams; ++i) {
      shared.step(frames.subspan(i * kFeatures, kFeatures), alone[i], one);
      EXPECT_TRUE(std::equal(one.begin(), one.end(), &scores[i * one.size()])) << "stream " << i;
    }
  }
  EXPECT_EQ(together, alone);
  EXPECT_EQ(shared_together, alone);
}

TEST_P(EngineTest, StepAllocatesNothing) {
  Session s = session();
  if (!s.streams()) return;  // looks ahead
  State state = s.initial_state();
  std::vector<float> scores(s.score_count());
  const Sequence& sequence = sequences_[3];
  ASSERT_NE(allocation_count(), 0u);  // the counter is linked in
  const std::size_t before = allocation_count();
  for (std::size_t t = 0; t < sequence.steps; ++t) {
    if (ids_)
      s.step(sequence.ids[t], state, scores);
    else
      s.step(std::span(sequence.values).subspan(t * kFeatures, kFeatures), state, scores);
  }
  EXPECT_EQ(allocation_count() - before, 0u);
  EXPECT_TRUE(noexcept(s.step(std::span<const float>{}, state, scores)));
}

TEST_P(EngineTest, StatesAreValues) {
  Session s = session();
  if (!s.streams()) return;  // looks ahead
  const SequenceView sequence = view(sequences_[3]);
  State state = s.initial_state();
  s.run(sequence, state);
  EXPECT_FALSE(state == s.initial_state());
  State fork = state;
  Session other = s;
  const auto once = s.run(sequence, state);
  EXPECT_EQ(other.run(sequence, fork), once);
  EXPECT_EQ(fork, state);

  std::vector<std::pair<std::string, std::span<const std::byte>>> parts;
  for (const StatePart& part : state.layout().parts)
    if (!part.derived()) parts.emplace_back(part.name, std::as_const(state).part(part.name));
  EXPECT_EQ(s.restore_state(parts), state);
  parts.pop_back();
  EXPECT_THROW(s.restore_state(parts), Error);
}

TEST_P(EngineTest, EveryPathGivesTheBitsOfScalar) {
  Session s = session(), reference(model_, {.threads = 1, .isa = Isa::kScalar});
  const std::vector<SequenceView> batch = views(sequences_);
  EXPECT_EQ(s.run(batch), reference.run(batch));
}

INSTANTIATE_TEST_SUITE_P(All, EngineTest, ::testing::ValuesIn(parameters()), parameter_name);

// ---- codes at the border ---------------------------------------------------------------------------------------

TEST(EngineBorder, CodesInGiveTheBitsOfRealsIn) {
  const ModelCase& c = cases()[0];
  const Model model = quantized(c, "int8");
  Session s(model);
  const Sequence sequence = make_sequences(c)[3];
  State by_reals = s.initial_state(), by_codes = s.initial_state();
  std::vector<float> scores(s.score_count());
  const Format& format = model.inputs[0].value.format;
  const Channels channels = channels_of(model, "input");
  for (std::size_t t = 0; t < sequence.steps; ++t) {
    const auto frame = std::span(sequence.values).subspan(t * kFeatures, kFeatures);
    std::vector<std::int8_t> codes, encoded(kFeatures);
    for (std::size_t f = 0; f < kFeatures; ++f) {
      const double own = (static_cast<double>(frame[f]) - channels.offset_of(f)) / channels.scale_of(f);
      codes.push_back(
          static_cast<std::int8_t>(quantize(own, static_cast<double>(format.scale), format.zero_point, -128, 127)));
    }
    ASSERT_TRUE(s.encode(frame, encoded));
    EXPECT_EQ(encoded, codes) << "step " << t;
    s.step(frame, by_reals, scores);
    const auto expected = s.output_codes();
    const std::vector<std::byte> expected_bytes(expected.begin(), expected.end());
    s.step(codes, by_codes);
    const auto found = s.output_codes();
    EXPECT_EQ(std::vector<std::byte>(found.begin(), found.end()), expected_bytes);
  }
  EXPECT_EQ(by_reals, by_codes);
}

// The engine codes what a float node gives where its edge says so: the same codes as of its real output, saturated, for
// every kind of node that can be an island.
TEST(EngineBorder, FloatIslandsMayGiveCodes) {
  const std::vector<std::pair<std::string, Operation>> islands{
      {"lstm", LstmAttributes{.input_size = kFeatures, .hidden_size = 5, .direction = Direction::kBidirectional}},
      {"gru", GruAttributes{.input_size = kFeatures, .hidden_size = 7, .direction = Direction::kReverse}},
      {"rnn", RnnAttributes{kFeatures, 4, Nonlinearity::kRelu, Direction::kForward}},
      {"dense", DenseAttributes{kFeatures, 3}},
      {"activation", ActivationAttributes{Nonlinearity::kElu}},
      {"pool", PoolAttributes{Pooling::kMean}},
      {"softmax", SoftmaxAttributes{}}};
  for (const auto& [name, operation] : islands) {
    Model model = ModelBuilder("m", kFeatures, 8).add(name, operation).finish();
    const Sequence sequence = random_sequence(9, kFeatures, 2);
    const std::vector<float> reals = Session(model).run(view(sequence))[0].real();
    for (const Format& format : {Format{NumberType::kI8, 0.003f, -5}, Format{NumberType::kI16, 1e-5f, 0}}) {
      model.nodes[0].outputs[0].format = format;
      const Result coded = Session(model).run(view(sequence))[0];
      ASSERT_EQ(coded.value.format, format);
      const std::int32_t end = format.kind == NumberType::kI8 ? 128 : 32768;
      std::vector<float> expected;
      for (const float real : reals) {
        const std::int32_t code =
            quantize(static_cast<double>(real), static_cast<double>(format.scale), format.zero_point, -end, end - 1);
        expected.push_back(static_cast<float>(static_cast<double>(format.scale) * (code - format.zero_point)));
      }
      EXPECT_EQ(coded.real(), expected) << name;
    }
  }
}

// ---- bad input -------------------------------------------------------------------------------------------------

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(EngineErrors, NameSequenceStepAndExpectation) {
  Session s(cases()[0].model);
  Sequence sequence = random_sequence(4, kFeatures, 1);
  EXPECT_NE(error_of([&] { s.run(SequenceView{}); }).find("is empty"), std::string::npos);
  sequence.values[2 * kFeatures + 5] = std::numeric_limits<float>::quiet_NaN();
  const std::string text = error_of([&] {
    s.run(std::vector{view(random_sequence(3, kFeatures, 2)), view(sequence)});
  });
  EXPECT_NE(text.find("sequence 1, step 2, feature 5"), std::string::npos) << text;
  const std::string wrong = error_of([&] { s.run(view(random_sequence(4, kFeatures + 1, 3))); });
  EXPECT_NE(wrong.find("expected 4 steps x 13 features"), std::string::npos) << wrong;
}

TEST(EngineErrors, StepCountsThatNoStreamCanHave) {
  const Model model = ModelBuilder("m", kFeatures, 5)
                          .add("gru0", gru(kFeatures, 6, true))
                          .add("pool", PoolAttributes{Pooling::kMean})
                          .finish();
  Session s(model);
  const State fresh = s.initial_state();
  std::vector<std::pair<std::string, std::span<const std::byte>>> parts;
  for (const StatePart& part : fresh.layout().parts) parts.emplace_back(part.name, fresh.part(part.name));
  const std::vector<std::byte> minus_one(sizeof(std::int64_t), std::byte{0xff});
  for (auto& [name, bytes] : parts)
    if (name == "pool.count") bytes = minus_one;
  EXPECT_NE(error_of([&] { s.restore_state(parts); }).find("'pool.count' counts -1 steps"), std::string::npos);
}

TEST(EngineErrors, IdsOutsideTheVocabulary) {
  Session s(cases().back().model);
  const std::vector<std::int32_t> ids{3, 50};
  const std::string text = error_of([&] { s.run(SequenceView{2, {}, ids, {}}); });
  EXPECT_NE(text.find("id 50 is outside the vocabulary of 50"), std::string::npos) << text;
}

TEST(EngineErrors, StateOfAnotherModel) {
  Session one(cases()[0].model), other(cases()[1].model);
  State state = other.initial_state();
  const Sequence sequence = random_sequence(4, kFeatures, 1);
  EXPECT_NE(error_of([&] { one.run(view(sequence), state); }).find("the state belongs to model"), std::string::npos);
}

// An int8 LSTM whose W is larger than a huge page, and whose R is smaller.
Model with_large_input(Direction direction) {
  constexpr std::int64_t kUnits = 100, kLargeInput = 6000;
  Model model;
  model.scheme = "int8";
  model.inputs = {{"input", {{kLargeInput}, true, {NumberType::kI8, 0.02f, -5}}}};
  samples::append(model, "lstm", lstm(kLargeInput, kUnits, 0, direction), "int8", {NumberType::kI8, 0.01f, 3});
  samples::fill_tensors(model, 1);
  model.tensors["input.scale"] = Tensor::from<float>({kLargeInput}, std::vector<float>(kLargeInput, 0.02f));
  model.outputs = {"lstm"};
  return model;
}

TEST(WeightPagesTest, GiveTheBitsOfPlainOnesAndSayHowManyBytesTheyHold) {
  Random random(3);
  for (const Direction direction : {Direction::kForward, Direction::kBidirectional}) {
    const Model model = with_large_input(direction);
    std::vector<std::int8_t> codes(5 * 6000);
    for (std::int8_t& code : codes) code = static_cast<std::int8_t>(random.between(-128, 127));
    const SequenceView sequence{.steps = 5, .codes = codes};
    Session plain(model);
    EXPECT_EQ(plain.huge_page_bytes(), 0u);
    const auto expected = plain.run(sequence);
    for (const WeightPages pages : {WeightPages::kHuge, WeightPages::kMeasured}) {
      Session session(model, {.threads = 2, .pages = pages});
      EXPECT_LT(session.huge_page_bytes(), session.weight_bytes());  // R stays
      EXPECT_EQ(Session(session).huge_page_bytes(), session.huge_page_bytes());
      EXPECT_EQ(session.run(sequence), expected);
      RecordProperty("huge_page_bytes", std::to_string(session.huge_page_bytes()));
      if (!session.streams()) continue;
      State state = session.initial_state(), plain_state = plain.initial_state();
      const std::size_t before = allocation_count();
      for (std::size_t t = 0; t < 5; ++t) session.step(std::span(codes).subspan(t * 6000, 6000), state);
      EXPECT_EQ(allocation_count() - before, 0u);
      for (std::size_t t = 0; t < 5; ++t) plain.step(std::span(codes).subspan(t * 6000, 6000), plain_state);
      EXPECT_EQ(state, plain_state);
    }
  }
}

TEST(WeightPagesTest, MoveNoMatrixSmallerThanAHugePage) {
  for (const WeightPages pages : {WeightPages::kHuge, WeightPages::kMeasured}) {
    for (const ModelCase& small : make_cases()) {
      Session session(small.model, {.pages = pages});
      EXPECT_EQ(session.huge_page_bytes(), 0u) << small.name;
    }
  }
}

}  // namespace
}  // namespace quaver::testing
