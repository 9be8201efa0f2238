// graph_test.cc - models that are no chains: joins, several inputs and outputs, what recurrent nodes end with. Every
// one runs, streams, quantizes and compares, on every path, with the bits of its steps.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <set>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/engine/sequence/operations/row.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/operations/row.h"
#include "quaver/quantize/quantize.h"
#include "quaver/report/cost/operations/row.h"
#include "support/count_allocations.h"
#include "support/paths.h"
#include "support/random_model.h"

namespace quaver::testing {
namespace {

using testing_support::paths_here;

constexpr std::int64_t kFeatures = 7, kContext = 3;

// What a model's inputs are given: a list of reals or ids for each.
struct GivenInput {
  std::vector<float> real{};
  std::vector<std::int32_t> ids{};
};
struct GivenSequence {
  std::size_t steps = 0;
  std::vector<GivenInput> inputs;

  SequenceView view() const {
    SequenceView view{steps};
    for (std::size_t i = 0; i < inputs.size(); ++i) view.inputs.push_back({i, inputs[i].real, inputs[i].ids});
    return view;
  }
  // Frame t, of an input without time its only one.
  std::vector<InputView> frame(std::size_t t, const Model& model) const {
    std::vector<InputView> views;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Value& value = model.inputs[i].value;
      const auto size = static_cast<std::size_t>(value.size()), at = value.has_time ? t : 0;
      views.push_back({i});
      if (inputs[i].ids.empty()) {
        views.back().real = std::span(inputs[i].real).subspan(at * size, size);
      } else {
        views.back().ids = std::span(inputs[i].ids).subspan(at * size, size);
      }
    }
    return views;
  }
};

GivenSequence sequence_for(const Model& model, std::size_t steps, std::uint64_t seed) {
  GivenSequence sequence{steps, {}};
  for (const ModelInput& input : model.inputs) {
    const std::size_t frames = input.value.has_time ? steps : 1;
    GivenInput& given = sequence.inputs.emplace_back();
    ++seed;
    if (input.value.format.kind == NumberType::kI32)
      given.ids = random_ids(frames, 9, seed).ids;
    else
      given.real = random_sequence(frames, static_cast<std::size_t>(input.value.size()), seed).values;
  }
  return sequence;
}

struct GraphCase {
  std::string name;
  Model model;  // float
  bool streams = true;
};

std::vector<GraphCase> cases() {
  std::vector<GraphCase> cases;
  // x -> {LSTM, Dense} -> Add -> Concat
  cases.push_back({"add_concat", ModelBuilder("m", kFeatures, 1)
                                     .add("lstm", LstmAttributes{kFeatures, 20}, {"input"})
                                     .add("dense", DenseAttributes{kFeatures, 20}, {"input"})
                                     .add("sum", AddAttributes{}, {"lstm", "dense"})
                                     .add("both", ConcatAttributes{}, {"sum", "lstm", "input"})
                                     .add("scores", DenseAttributes{40 + kFeatures, 5})
                                     .finish({"scores", "sum", "both"})});
  // A residual stack: every layer adds to what it reads.
  cases.push_back({"residual", ModelBuilder("m", 16, 2)
                                   .add("gru0", GruAttributes{16, 16})
                                   .add("sum0", AddAttributes{}, {"gru0", "input"})
                                   .add("gru1", GruAttributes{16, 16, false})
                                   .add("sum1", AddAttributes{}, {"gru1", "sum0", "input"})
                                   .add("relu", ActivationAttributes{Nonlinearity::kRelu})
                                   .finish()});
  cases.push_back({"last_states", ModelBuilder("m", kFeatures, 3)
                                      .add("lstm", LstmAttributes{kFeatures, 20}, {"input"}, 3)
                                      .add("gru", GruAttributes{20, 12}, {"lstm"}, 2)
                                      .add("ends", ConcatAttributes{}, {"lstm.h_n", "gru.h_n", "lstm.c_n"})
                                      .add("scores", DenseAttributes{52, 5})
                                      .finish({"scores", "lstm.c_n", "gru.h_n", "gru"})});
  LstmAttributes both_ways{kFeatures, 20};
  both_ways.projection_size = 9;
  both_ways.direction = Direction::kBidirectional;
  cases.push_back({"last_states_bidirectional",
                   ModelBuilder("m", kFeatures, 4)
                       .add("lstm", both_ways, {"input"}, 3)
                       .add("pool", PoolAttributes{Pooling::kFinal})
                       .add("difference", ConcatAttributes{}, {"pool", "lstm.h_n"})
                       .finish({"lstm.h_n", "lstm.c_n", "pool", "difference"}),
                   false});
  // Frames, ids and a context that does not change over time.
  cases.push_back({"three_inputs", ModelBuilder("m",
                                                {{"frames", {{kFeatures}, true, {}}},
                                                 {"ids", {{1}, true, {NumberType::kI32, 1.0f, 0}}},
                                                 {"context", {{kContext}, false, {}}}},
                                                5)
                                       .add("words", EmbeddingAttributes{9, 6}, {"ids"})
                                       .add("hints", DenseAttributes{kContext, 4}, {"context"})
                                       .add("all", ConcatAttributes{}, {"frames", "words", "hints"})
                                       .add("gru", GruAttributes{kFeatures + 10, 24})
                                       .add("gate", DenseAttributes{kContext, 24}, {"context"})
                                       .add("shifted", AddAttributes{}, {"gru", "gate"})
                                       .add("last", PoolAttributes{Pooling::kMean})
                                       .add("scores", DenseAttributes{24, 5})
                                       .finish({"scores", "shifted"})});
  // Along the axis of each frame, both ways, and then over time; and one that carries its state from frame to frame.
  GruAttributes rows_both_ways{kFeatures, 10};
  rows_both_ways.direction = Direction::kBidirectional;
  rows_both_ways.axis = 0;
  LstmAttributes carried{kFeatures, 8};
  carried.axis = 0;
  carried.carry = true;
  cases.push_back({"inside_frames", ModelBuilder("m", {{"input", {{5, kFeatures}, true, {}}}}, 7)
                                        .add("rows", rows_both_ways, {"input"}, 2)
                                        .add("through", carried, {"input"}, 3)
                                        .add("ends", ConcatAttributes{}, {"rows.h_n", "through.h_n", "through.c_n"})
                                        .add("lstm", LstmAttributes{36, 12})
                                        .add("scores", DenseAttributes{12, 5})
                                        .finish({"scores", "rows", "through", "through.c_n"})});
  // Two heads that share a trunk, one of them over rows of a frame with two axes.
  cases.push_back({"rows", ModelBuilder("m", {{"input", {{4, kFeatures}, true, {}}}}, 6)
                               .add("wide", DenseAttributes{kFeatures, 12})
                               .add("narrow", DenseAttributes{kFeatures, 12}, {"input"})
                               .add("sum", AddAttributes{}, {"wide", "narrow"})
                               .add("tanh", ActivationAttributes{Nonlinearity::kTanh})
                               .add("scores", DenseAttributes{12, 5})
                               .add("shares", SoftmaxAttributes{}, {"scores"})
                               .add("class", ArgmaxAttributes{}, {"scores"})
                               .add("mean", PoolAttributes{Pooling::kMean}, {"tanh"})
                               .finish({"scores", "class", "mean", "shares"})});
  cases.push_back({"two_rates_of_one_past", ModelBuilder("m", kFeatures, 8)
                                                .add("slow", RnnAttributes{kFeatures, 10}, {"input"}, 2)
                                                .add("fast", RnnAttributes{kFeatures, 10}, {"input"})
                                                .add("sum", AddAttributes{}, {"slow", "fast", "fast"})
                                                .finish({"sum", "slow.h_n"})});
  return cases;
}

std::vector<GivenSequence> data_for(const Model& model) {
  std::vector<GivenSequence> data;
  // Many: what does not change over time is seen once a sequence.
  for (std::size_t steps = 20; steps < 60; ++steps) data.push_back(sequence_for(model, steps, 10 * steps));
  return data;
}

std::vector<SequenceView> views_of(const std::vector<GivenSequence>& data) {
  std::vector<SequenceView> views;
  for (const GivenSequence& sequence : data) views.push_back(sequence.view());
  return views;
}

Model integers(const Model& model, const std::string& scheme) {
  const std::vector<GivenSequence> data = data_for(model);
  QuantizeOptions options;
  options.scheme = scheme;
  return quantize(model, calibrate(model, views_of(data)), options).model;
}

// The frame of step t of a result; of one without time all that there is.
std::span<const std::byte> frame_of(const Result& result, std::size_t t) {
  const std::size_t bytes = result.bytes.size() / result.steps;
  return std::span(result.bytes).subspan(result.value.has_time ? t * bytes : 0, bytes);
}

class Graphs : public ::testing::TestWithParam<std::tuple<std::size_t, std::string>> {
 protected:
  Graphs() : given_(cases()[std::get<0>(GetParam())]) {
    const std::string& scheme = std::get<1>(GetParam());
    model_ = scheme == "f32" ? given_.model : integers(given_.model, scheme);
  }
  GraphCase given_;
  Model model_;
};

TEST_P(Graphs, RunsAndStepsGiveTheSameBitsOnEveryPath) {
  const GivenSequence sequence = sequence_for(model_, 37, 77);
  const std::vector<Result> expected = Session(model_, {.isa = Isa::kScalar}).run(sequence.view());
  for (const Isa isa : paths_here()) {
    Session session(model_, {.isa = isa});
    EXPECT_EQ(session.run(sequence.view()), expected) << isa_name(isa);
    EXPECT_EQ(session.streams(), given_.streams);
    if (!given_.streams) continue;
    State state = session.initial_state();
    std::vector<std::vector<std::byte>> codes;
    std::vector<OutputView> outputs;
    for (const Result& result : expected) codes.emplace_back(result.bytes.size() / result.steps);
    for (std::size_t i = 0; i < codes.size(); ++i) outputs.push_back({i, {}, codes[i]});
    for (std::size_t t = 0; t < sequence.steps; ++t) {
      const std::vector<InputView> frame = sequence.frame(t, model_);
      const std::size_t before = allocation_count();
      const StepResult result = session.step(frame, state, outputs);
      EXPECT_EQ(allocation_count(), before);
      ASSERT_TRUE(result.accepted());
      for (std::size_t i = 0; i < codes.size(); ++i) {
        if (!expected[i].value.has_time && t + 1 < sequence.steps) continue;
        ASSERT_TRUE(std::ranges::equal(codes[i], frame_of(expected[i], t)))
            << isa_name(isa) << ", step " << t << ", output " << model_.outputs[i];
      }
    }
    // What the last step gave stays readable, whatever shares its place.
    for (std::size_t i = 0; i < codes.size(); ++i) EXPECT_TRUE(std::ranges::equal(session.output_codes(i), codes[i]));
  }
}

TEST_P(Graphs, SequencesOfABatchGiveTheirBitsAlone) {
  std::vector<GivenSequence> data;
  for (const std::size_t steps : {5u, 61u, 1u, 17u, 61u, 30u}) data.push_back(sequence_for(model_, steps, steps));
  const std::vector<SequenceView> views = views_of(data);
  for (const std::size_t threads : {1u, 3u}) {
    Session session(model_, {.threads = threads});
    const std::vector<std::vector<Result>> together = session.run(views);
    for (std::size_t i = 0; i < views.size(); ++i) EXPECT_EQ(together[i], session.run(views[i])) << i;
  }
}

TEST_P(Graphs, StreamsSideBySideGiveTheirBitsAlone) {
  if (!given_.streams) return;                      // said in the test above
  constexpr std::size_t kStreams = 40, kSteps = 6;  // more than a group
  for (const Isa isa : paths_here()) {
    Session session(model_, {.isa = isa});
    std::vector<GivenSequence> data;
    for (std::size_t s = 0; s < kStreams; ++s) data.push_back(sequence_for(model_, kSteps, 900 + s));
    std::vector<State> states(kStreams, session.initial_state()), alone = states;
    const std::size_t outputs = model_.outputs.size();
    for (std::size_t t = 0; t < kSteps; ++t) {
      std::vector<GivenInput> frames(model_.inputs.size());
      for (const GivenSequence& sequence : data) {
        const std::vector<InputView> frame = sequence.frame(t, model_);
        for (std::size_t i = 0; i < frame.size(); ++i) {
          frames[i].real.insert(frames[i].real.end(), frame[i].real.begin(), frame[i].real.end());
          frames[i].ids.insert(frames[i].ids.end(), frame[i].ids.begin(), frame[i].ids.end());
        }
      }
      std::vector<InputView> inputs;
      for (std::size_t i = 0; i < frames.size(); ++i) inputs.push_back({i, frames[i].real, frames[i].ids});
      std::vector<std::vector<float>> reals;
      std::vector<OutputView> views;
      for (std::size_t i = 0; i < outputs; ++i) {
        const Value& value = model_.value(model_.outputs[i]);
        reals.emplace_back(kStreams * static_cast<std::size_t>(value.size()));
      }
      for (std::size_t i = 0; i < outputs; ++i) views.push_back({i, reals[i]});
      ASSERT_TRUE(session.step(inputs, states, views));
      for (std::size_t s = 0; s < kStreams; ++s) {
        const std::vector<InputView> frame = data[s].frame(t, model_);
        for (std::size_t i = 0; i < outputs; ++i) {
          const std::size_t size = reals[i].size() / kStreams;
          std::vector<float> one(size);
          State copy = alone[s];
          const OutputView view{i, one};
          ASSERT_TRUE(session.step(frame, copy, std::span(&view, 1)));
          ASSERT_TRUE(std::ranges::equal(one, std::span(reals[i]).subspan(s * size, size)))
              << isa_name(isa) << ", stream " << s << ", output " << model_.outputs[i];
          if (i + 1 == outputs) alone[s] = copy;
        }
      }
    }
    EXPECT_EQ(states, alone);
  }
}

TEST_P(Graphs, IntegersAreNearFloat) {
  const Scheme& scheme = *find_scheme(std::get<1>(GetParam()));
  if (is_float_scheme(scheme.name)) return;
  const GivenSequence sequence = sequence_for(model_, 60, 5);
  const std::vector<Result> exact = Session(given_.model).run(sequence.view());
  const std::vector<Result> coded = Session(model_).run(sequence.view());
  for (std::size_t i = 0; i < exact.size(); ++i) {
    if (exact[i].value.format.kind == NumberType::kI32) continue;
    const std::vector<float> f = exact[i].real(), q = coded[i].real();
    double signal = 0, error = 0;
    for (std::size_t j = 0; j < f.size(); ++j) {
      signal += static_cast<double>(f[j]) * static_cast<double>(f[j]);
      error += std::pow(static_cast<double>(f[j]) - static_cast<double>(q[j]), 2);
    }
    // dB: random weights lose more than trained ones, and where a model ends in one vector its few numbers scatter.
    const double spare = number_type_row(scheme.weights).bits >= 8 ? 1 : scheme.scale_a_row ? 3 : 5;
    EXPECT_GT(10 * std::log10(signal / error), scheme.lowest_sqnr_db - spare) << model_.outputs[i];
  }
}

std::string case_name(const ::testing::TestParamInfo<std::tuple<std::size_t, std::string>>& parameter) {
  return cases()[std::get<0>(parameter.param)].name + "_" + std::get<1>(parameter.param);
}
INSTANTIATE_TEST_SUITE_P(All, Graphs,
                         ::testing::Combine(::testing::Range<std::size_t>(0, cases().size()),
                                            ::testing::ValuesIn(scheme_names())),
                         case_name);

// What the tests above ask of a sequence in a batch, a stream among others and a step holds for every operation.
TEST(GraphCases, HaveEveryOperation) {
  std::set<std::string_view> found;
  for (const GraphCase& one : cases())
    for (const Node& node : one.model.nodes) found.insert(operation_name(node.operation));
  for (const std::string_view name : operation_names()) EXPECT_TRUE(found.contains(name)) << name;
}

// docs/operations.md is what the rows of the floors say.
TEST(Operations, HaveARowOnEveryFloorAndAreListed) {
  std::ifstream file(std::string(QUAVER_SOURCE_DIR) + "/docs/operations.md");
  const std::string document{std::istreambuf_iterator<char>(file), {}};
  for (const std::string_view name : operation_names()) {
    const Operation operation = operation_from_name(name);
    const OperationRow& row = row_of(operation);
    EXPECT_EQ(std::ranges::count(layer_rows(), name, &LayerRow::operation), 1) << name;
    EXPECT_NO_THROW(quantize_row(operation)) << name;
    EXPECT_EQ(std::ranges::count(cost_rows(), name, &CostRow::operation), 1) << name;
    Node node{.name = "n", .operation = operation, .scheme = "int4"};
    node.outputs = {{.shape = {1}, .format = {NumberType::kI8, 1, 0}}};
    std::vector<std::string> attributes, packed;
    visit_fields(operation, [&](std::string_view field, const auto&) { attributes.emplace_back(field); });
    for (const TensorSlot& slot : tensor_slots(node))
      if (slot.kind == NumberType::kI4) packed.push_back(slot.name.substr(2));
    const std::string inputs = row.least_inputs() == row.most_inputs()
                                   ? concat(row.least_inputs())
                                   : concat(row.least_inputs(), " to ", row.most_inputs());
    const auto slots = row.output_slots();
    const auto code = [](std::string text) { return text.empty() ? text : concat("`", text, "`"); };
    const std::string line = concat("| ", code(std::string(name)), " | ", inputs, row.reads_ids() ? " of ids" : "",
                                    " | ", code(join(std::vector<std::string>(slots.begin(), slots.end()), " ")), " | ",
                                    code(join(attributes, " ")), " | ", code(join(packed, " ")), " |");
    EXPECT_NE(document.find(line), std::string::npos) << "docs/operations.md lacks the line\n" << line;
  }
}

// ---- what a step refuses ----------------------------------------------------------------------------------------

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(GraphSteps, RefuseWhatDoesNotFit) {
  const Model model = cases()[4].model;  // frames, ids, context
  Session session(model);
  State state = session.initial_state();
  const GivenSequence sequence = sequence_for(model, 1, 3);
  std::vector<float> scores(5), shifted(24);
  const std::vector<OutputView> outputs{{session.output("shifted"), shifted}, {session.output("scores"), scores}};
  const std::vector<InputView> good = sequence.frame(0, model);
  std::vector<InputView> turned{good.rbegin(), good.rend()};
  EXPECT_TRUE(session.step_checked(turned, state, outputs)) << "any order";
  const State before = state;
  const auto refused = [&](std::vector<InputView> inputs, std::vector<OutputView> wanted, StepRefusal refusal,
                           const std::string& text) {
    EXPECT_EQ(session.step(inputs, state, wanted).refusal, refusal) << text;
    const std::string error = error_of([&] { session.step_checked(inputs, state, wanted); });
    EXPECT_NE(error.find(text), std::string::npos) << error;
    EXPECT_EQ(state, before);
  };
  refused({good[0], good[1]}, outputs, StepRefusal::kInputs,
          "given 2 inputs ('frames', 'ids'), expected each of 3 once");
  refused({good[0], good[1], good[1]}, outputs, StepRefusal::kInputs, "'ids', 'ids'");
  refused({good[0], good[1], {7, good[2].real}}, outputs, StepRefusal::kInputs, "7");
  refused({good[0], good[1], {2, good[2].real.first(2)}}, outputs, StepRefusal::kInputSize,
          "2 reals, 0 ids and 0 codes for the input 'context'");
  refused({{0, good[0].real, good[1].ids}, good[1], good[2]}, outputs, StepRefusal::kInputKind, "'frames'");
  refused({good[0], {1, good[0].real}, good[2]}, outputs, StepRefusal::kInputKind, "'ids', which is i32");
  refused(good, {{2, scores}}, StepRefusal::kOutputSize, "output 2, the model has 2");
  refused(good, {{0, std::span(scores).first(4)}}, StepRefusal::kOutputSize,
          "4 reals and 0 bytes of the output 'scores'");
  EXPECT_EQ(session.step(good[0].real, state, scores).refusal, StepRefusal::kInputs);
  EXPECT_NE(error_of([&] { session.step_checked(good[0].real, state, scores); }).find("3 inputs"), std::string::npos);
  EXPECT_NE(error_of([&] { session.input("frame"); }).find("its inputs are: frames, ids, context"), std::string::npos);
  EXPECT_NE(error_of([&] { session.output("words"); }).find("its outputs are: scores, shifted"), std::string::npos);
}

TEST(GraphRuns, RefuseWhatDoesNotFit) {
  const Model model = cases()[4].model;
  Session session(model);
  const GivenSequence sequence = sequence_for(model, 4, 3);
  const auto refused = [&](const std::function<void(SequenceView&)>& change, const std::string& text) {
    SequenceView view = sequence.view();
    change(view);
    const std::string error = error_of([&] { session.run(view); });
    EXPECT_NE(error.find(text), std::string::npos) << error;
  };
  refused([](SequenceView& view) { view.inputs.pop_back(); }, "gives 2 inputs, the model has 3: frames, ids, context");
  refused([](SequenceView& view) { view.inputs[1].input = 0; }, "gives input 0 twice");
  refused([](SequenceView& view) { view.inputs[1].input = 9; }, "gives input 9, which the model does not have");
  refused([](SequenceView& view) { view.real = view.inputs[0].real; }, "a list of inputs and values beside it");
  refused([](SequenceView& view) { view.steps = 5; }, "input 'frames' has 28 values, expected 5 steps x 7 features");
  refused([](SequenceView& view) { view.inputs[2].real = view.inputs[0].real; },
          "input 'context' has 28 values, expected 1 steps x 3 features");
}

// ---- h_n and c_n ------------------------------------------------------------------------------------------------

TEST(LastStates, AreWhatTheCellHoldsAtTheEnd) {
  for (const char* scheme : {"f32", "int8"}) {
    Model model = cases()[2].model;
    if (std::string(scheme) != "f32") model = integers(model, scheme);
    Session session(model);
    const GivenSequence sequence = sequence_for(model, 21, 8);
    State state = session.initial_state();
    const std::vector<Result> results = session.run(sequence.view(), state);
    const std::span<const std::byte> c = state.part("lstm.c");
    EXPECT_TRUE(std::ranges::equal(results[1].bytes, c)) << scheme;
    EXPECT_TRUE(std::ranges::equal(results[2].bytes, frame_of(results[3], 20))) << "h_n is the last y";
  }
}

TEST(LastStates, OfBothDirectionsAreEachDirectionsEnd) {
  const Model model = cases()[3].model;
  const std::vector<Result> results = Session(model).run(sequence_for(model, 9, 8).view());
  EXPECT_EQ(results[0].real(), results[2].real()) << "h_n is what the pool 'final' takes";
  EXPECT_EQ(results[1].value.size(), 40);
}

// ---- inner axes -------------------------------------------------------------------------------------------------

TEST(InsideFrames, CarriedRowsAreTheStepsOfAStream) {
  constexpr std::size_t kRows = 4, kFrames = 9;
  for (const char* scheme : {"f32", "int8"}) {
    GruAttributes gru{kFeatures, 12};
    Model stream = ModelBuilder("m", kFeatures, 21).add("gru", gru).finish();
    if (std::string(scheme) != "f32") stream = integers(stream, scheme);
    const GivenSequence sequence = sequence_for(stream, kRows * kFrames, 3);
    const Result expected = Session(stream).run(sequence.view())[0];
    for (const bool carry : {true, false}) {
      Model framed = stream;
      auto& attributes = std::get<GruAttributes>(framed.nodes[0].operation);
      attributes.axis = 0;
      attributes.carry = carry;
      framed.inputs[0].value.shape = {kRows, kFeatures};
      framed.nodes[0].outputs[0].shape = {kRows, 12};
      SequenceView frames = sequence.view();
      frames.steps = kFrames;
      const Result found = Session(framed).run(frames)[0];
      ASSERT_EQ(found.bytes.size(), expected.bytes.size());
      EXPECT_EQ(found.bytes == expected.bytes, carry) << scheme;
      EXPECT_TRUE(std::equal(found.bytes.begin(), found.bytes.begin() + kRows * 12, expected.bytes.begin()))
          << "the first frame starts as the stream does";
      EXPECT_EQ(Session(framed).initial_state().layout().parts.empty(), !carry);
    }
  }
}

// ---- states in real numbers -------------------------------------------------------------------------------------

TEST(States, AreSetInRealNumbersAndTheirCopiesFollow) {
  const Model model =
      integers(ModelBuilder("m", kFeatures, 9).add("gru", GruAttributes{kFeatures, 12}).finish(), "int8");
  Session session(model);
  const GivenSequence sequence = sequence_for(model, 30, 4);
  State state = session.initial_state();
  session.run(sequence.view(), state);
  State copy = session.initial_state();
  EXPECT_EQ(copy.set("gru.h", state.reals("gru.h")), 0u);
  EXPECT_EQ(copy, state) << "h and the int8 copy that follows from it";
  std::vector<float> reals(12, 0.25f);
  reals[3] = 1.5f;
  reals[7] = -2.0f;
  EXPECT_EQ(copy.set("gru.h", reals), 2u) << "Q0.15 ends at 1";
  EXPECT_EQ(copy.reals("gru.h")[0], 0.25f);
  EXPECT_EQ(copy.reals("gru.h")[7], -1.0f);
  const auto refused = [&](const std::string& part, std::vector<float> given, const std::string& text) {
    const State before = copy;
    const std::string error = error_of([&] { copy.set(part, given); });
    EXPECT_NE(error.find(text), std::string::npos) << error;
    EXPECT_EQ(copy, before);
  };
  refused("gru.h8", reals, "'gru.h8' follows from the others");
  refused("gru.x", reals, "no part 'gru.x'");
  refused("gru.h", {1.0f}, "was given 1 numbers, expected 12");
  reals[5] = NAN;
  refused("gru.h", reals, "was given nan at 5");
}

TEST(States, OfEveryPartComeBackFromRealNumbers) {
  for (const char* scheme : {"f32", "int8"})
    for (const Pooling pooling : {Pooling::kMean, Pooling::kMax}) {
      Model model = ModelBuilder("m", kFeatures, 11)
                        .add("lstm", LstmAttributes{kFeatures, 12})
                        .add("rnn", RnnAttributes{12, 6})
                        .add("pool", PoolAttributes{pooling})
                        .finish();
      if (std::string(scheme) != "f32") model = integers(model, scheme);
      Session session(model);
      State state = session.initial_state(), copy = state;
      session.run(sequence_for(model, 30, 4).view(), state);
      for (const StatePart& part : state.layout().parts) {
        if (part.derived()) continue;
        EXPECT_EQ(copy.set(part.name, state.reals(part.name)), 0u) << part.name;
      }
      EXPECT_EQ(copy, state) << scheme;
      EXPECT_NE(error_of([&] { copy.set("pool.count", std::vector{1.5f}); }).find("whole number"), std::string::npos);
      EXPECT_NE(error_of([&] { copy.set("pool.count", std::vector{-1.0f}); }).find("whole number"), std::string::npos);
    }
}

}  // namespace
}  // namespace quaver::testing
