// sums_test.cc - gates whose addends are far beyond what they are cut to: W x = -S against R h = S - D, which cut off
// one by one would come out with the other sign. Every cell and variant against float, on every path, sums up to 500.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/quantize.h"
#include "support/random_model.h"

namespace quaver::testing {
namespace {

// Features: 0 holds 1, 1 pulls the gates under test the other way, 2 sets the latch.
constexpr std::size_t kFeatures = 3, kSteps = 24;

Sequence pulses() {
  Sequence sequence{kSteps, kFeatures, std::vector<float>(kSteps * kFeatures), {}};
  for (std::size_t t = 0; t < kSteps; ++t) {
    sequence.values[t * kFeatures] = 1;
    sequence.values[t * kFeatures + 1] = t == 6 || t == 7 || t == 15 || t == 20 ? 1.0f : 0.0f;
    sequence.values[t * kFeatures + 2] = t == 2 || t == 11 || t == 18 ? 1.0f : 0.0f;
  }
  return sequence;
}

// A model of one node whose tensors are all 0 until they are set.
class Cell {
 public:
  explicit Cell(const Operation& operation)
      : model_(ModelBuilder("sums", kFeatures, 1).add("cell", operation).finish()) {
    for (auto& [name, tensor] : model_.tensors) std::ranges::fill(tensor.as_mutable<float>(), 0.0f);
  }
  // In all directions.
  void set(const std::string& name, std::size_t row, double value, std::size_t column = 0) {
    for (const char* suffix : {"", "_reverse"}) {
      const auto found = model_.tensors.find("cell." + name + suffix);
      if (found == model_.tensors.end()) continue;
      const auto columns = static_cast<std::size_t>(found->second.row_size());
      found->second.as_mutable<float>()[row * columns + column] = static_cast<float>(value);
    }
  }
  // W x = -S where feature 1 is 1, R h = what unit 0 gives times `weight`.
  void oppose(std::size_t row, double sum, double weight) {
    set("W", row, -sum, 1);
    set("R", row, weight, 0);
  }
  const Model& model() const { return model_; }

 private:
  Model model_;
};

// What stays of S when the opposite addend has been taken off: far enough from 0 for S times half a code of h.
double margin(double sum) { return std::max(6.0, 0.06 * sum); }

// Unit 0 holds h = tanh(1). Unit 1 is a latch: feature 2 sets it, its forget gate is under test and resets it. Unit 2
// shows the sum of its cell gate.
Model lstm(LstmAttributes attributes, double sum) {
  attributes.input_size = kFeatures;
  attributes.hidden_size = 3;
  Cell cell(attributes);
  const bool cifg = attributes.input_forget;
  const std::size_t n = 3, o = cifg ? 0 : n, f = o + n, z = f + n;
  const double h0 = std::tanh(1.0), open = 9;
  for (std::size_t j = 0; j < n; ++j) cell.set("b", o + j, open);
  cell.set("b", f, -open);
  cell.set("b", z, open);
  cell.set("b", f + 2, -open);
  cell.set("b", z + 1, 1.2);
  if (!cifg) {
    cell.set("b", 0, open);
    cell.set("b", 2, open);
    cell.set("b", 1, -open);
    cell.set("W", 1, 2 * open, 2);
  }
  double recurrent = sum - margin(sum);
  if (attributes.peephole) {  // the latch's own cell is the third addend of its forget gate
    recurrent -= 0.3 * sum;
    cell.set("P", cifg ? n + 1 : 2 * n + 1, 0.25 * sum);
  }
  cell.oppose(f + 1, sum, recurrent / h0);
  cell.oppose(z + 2, sum, (sum - margin(sum)) / h0);
  for (std::size_t j = 0; j < static_cast<std::size_t>(attributes.projection_size); ++j)
    cell.set("W_projection", j, 1, j);
  return cell.model();
}

// The same units behind a layer norm, which sees the differences between a gate's units alone: the opposed sum of one
// stands beside two that stay at +-margin. Where a row of L is 0, the gate is its bias.
Model layer_norm_lstm(Direction direction, double sum) {
  constexpr std::size_t n = 3, i = 0, o = n, f = 2 * n, z = 3 * n;
  Cell cell(LstmAttributes{.input_size = kFeatures, .hidden_size = n, .layer_norm = true, .direction = direction});
  for (std::size_t row = 0; row < 4 * n; ++row) cell.set("L", row, 0);
  const double h0 = std::tanh(1.0), open = 9, beside = margin(sum);
  for (std::size_t j = 0; j < n; ++j) cell.set("b", o + j, open);
  cell.set("b", i, open);
  cell.set("b", i + 2, open);
  cell.set("b", f, -open);
  cell.set("b", f + 2, -open);
  cell.set("b", z, open);
  cell.set("b", z + 1, 1.2);
  const auto spread = [&](std::size_t high, std::size_t low, double size) {
    cell.set("W", high, size);
    cell.set("W", low, -size);
  };
  spread(i, i + 2, 1);
  spread(o, o + 2, 1);
  spread(f, f + 2, beside);
  spread(z, z + 1, beside);
  cell.set("W", i + 1, 4, 2);
  cell.set("L", i + 1, 14);
  cell.set("b", i + 1, -open);
  cell.oppose(f + 1, sum, (sum - beside) / h0);
  cell.set("L", f + 1, 12);
  cell.set("b", f + 1, 2);
  cell.oppose(z + 2, sum, (sum - beside) / h0);
  cell.set("L", z + 2, 2);
  return cell.model();
}

// Unit 0 holds h = 1. Unit 1 takes its candidate when the update gate under test lets it. Unit 2's candidate has a
// large recurrent half u, of which a reset gate of 2.4 / u lets 2.4 through (reset before: a sum under test). Unit 3's
// reset gate is under test.
Model gru(bool after, Direction direction, double sum) {
  constexpr std::size_t kUnits = 4, z = 0, r = kUnits, h = 2 * kUnits;
  Cell cell(GruAttributes{kFeatures, kUnits, after, direction});
  const double open = 9, u = std::min(sum, 120.0), let_through = 2.4 / u;
  for (const std::size_t unit : {0u, 2u, 3u}) cell.set("b", z + unit, -open);
  cell.set("b", r, open);
  cell.set("b", h, open);
  cell.oppose(z + 1, sum, sum - margin(sum));
  cell.set("W", h + 1, 3, 2);
  cell.set("b", h + 1, -1);
  if (after) {
    cell.set("b", r + 2, std::log(let_through / (1 - let_through)));
    cell.set("b_recurrent", h + 2, u);
    cell.set("b", h + 2, -1);
    cell.set("b_recurrent", h + 3, 2);
  } else {
    cell.oppose(h + 2, sum, sum - margin(sum));
    cell.set("R", h + 3, 2, 3);
    cell.set("b", h + 3, 0.5);
  }
  cell.oppose(r + 3, sum, sum - margin(sum));
  return cell.model();
}

Model rnn(Direction direction, double sum) {
  Cell cell(RnnAttributes{kFeatures, 2, Nonlinearity::kTanh, direction});
  cell.set("b", 0, 9);
  cell.oppose(1, sum, sum - margin(sum));
  return cell.model();
}

// Whole codes of the format that its row gets: the limit times a power of two. Where inputs lie on their codes, too, a
// sum under test has no error of its own, and what is left is the arithmetic's.
double on_codes(double sum, double limit) {
  return std::ldexp(limit, static_cast<int>(std::lround(std::log2(sum / limit))));
}

struct Case {
  std::string name;
  Model int8, int4;  // float models for these schemes
  double sum;
  const Model& model(const std::string& scheme) const { return scheme == "int4" ? int4 : int8; }
};

std::vector<Case> make_cases() {
  std::vector<Case> cases;
  for (const double sum : {8.0, 16.0, 64.0, 500.0}) {
    const auto add = [&](const std::string& name, const auto& make) {
      cases.push_back(
          {name + "_" + std::to_string(static_cast<int>(sum)), make(on_codes(sum, 127)), make(on_codes(sum, 7)), sum});
    };
    const auto add_lstm = [&](const std::string& name, const LstmAttributes& attributes) {
      add(name, [&](double exact) { return lstm(attributes, exact); });
    };
    add_lstm("lstm", {});
    add_lstm("lstm_cifg", {.input_forget = true});
    add_lstm("lstm_peephole", {.peephole = true});
    add_lstm("lstm_projection", {.projection_size = 3});
    add_lstm("lstm_bidirectional", {.peephole = true, .direction = Direction::kBidirectional});
    for (const Direction direction : {Direction::kForward, Direction::kBidirectional})
      add(direction == Direction::kForward ? "lstm_layer_norm" : "lstm_layer_norm_bidirectional",
          [&](double exact) { return layer_norm_lstm(direction, exact); });
    for (const bool after : {true, false}) {
      const std::string form = after ? "gru_after" : "gru_before";
      add(form, [&](double exact) { return gru(after, Direction::kForward, exact); });
      add(form + "_bidirectional", [&](double exact) { return gru(after, Direction::kBidirectional, exact); });
    }
    add("rnn", [](double exact) { return rnn(Direction::kForward, exact); });
    add("rnn_reverse", [](double exact) { return rnn(Direction::kReverse, exact); });
  }
  return cases;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = make_cases();
  return all;
}

double largest_error(const std::vector<float>& expected, const std::vector<float>& found) {
  double largest = 0;
  EXPECT_EQ(expected.size(), found.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(expected[i]) - static_cast<double>(found[i])));
  return largest;
}

class SumsTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  const Case& c() const { return cases()[GetParam()]; }
  Model quantized(const std::string& scheme) const {
    const std::vector<SequenceView> views{view(pulses_)};
    const Model& model = c().model(scheme);
    return quantize(model, calibrate(model, views), {.scheme = scheme}).model;
  }
  std::vector<float> outputs(const Model& model, Isa isa) const {
    return Session(model, {.isa = isa}).run(view(pulses_))[0].real();
  }
  const Sequence pulses_ = pulses();
};

TEST_P(SumsTest, AreThoseOfFloat) {
  for (const char* scheme : {"int8", "int4"}) {
    const std::vector<float> expected = outputs(c().model(scheme), Isa::kScalar);
    const Model model = quantized(scheme);
    const std::vector<float> found = outputs(model, Isa::kScalar);
    EXPECT_LT(largest_error(expected, found), 0.04) << scheme;
    // The rule of version 1 on the same codes: the test sees the difference where there is one.
    Model halves = model;
    halves.nodes[0].sums = Sums::kHalves;
    std::erase_if(halves.nodes[0].formats, [](const auto& format) { return format.first.starts_with("candidate"); });
    if (c().sum < 16) continue;
    EXPECT_GT(largest_error(expected, outputs(halves, Isa::kScalar)), 0.3) << scheme;
  }
}

// Batches, steps, many streams and every path give the bits of a sequence on the scalar one.
TEST_P(SumsTest, AreTheSameEverywhere) {
  for (const char* scheme : {"int8", "int4"}) {
    const Model model = quantized(scheme);
    Session scalar(model, {.isa = Isa::kScalar});
    const std::vector<Result> expected = scalar.run(view(pulses_));
    for (const Isa isa : all_isas()) {
      if (!isa_supported(isa)) continue;
      Session session(model, {.isa = isa});
      EXPECT_EQ(session.run(view(pulses_)), expected) << isa_name(isa);
      const std::vector<SequenceView> batch(3, view(pulses_));
      for (const std::vector<Result>& results : session.run(batch)) EXPECT_EQ(results, expected) << isa_name(isa);
      if (!session.streams()) continue;
      const std::size_t width = session.score_count();
      constexpr std::size_t kStreams = 3;
      std::vector<State> states(kStreams, session.initial_state());
      State alone = session.initial_state();
      std::vector<float> scores(kStreams * width), one(width), streamed;
      for (std::size_t t = 0; t < kSteps; ++t) {
        const auto frame = std::span(pulses_.values).subspan(t * kFeatures, kFeatures);
        std::vector<float> frames;
        for (std::size_t s = 0; s < kStreams; ++s) frames.insert(frames.end(), frame.begin(), frame.end());
        session.step(std::span<const float>(frames), std::span<State>(states), std::span<float>(scores));
        session.step(frame, alone, one);
        for (std::size_t s = 0; s < kStreams; ++s)
          EXPECT_TRUE(std::equal(one.begin(), one.end(), &scores[s * width])) << isa_name(isa) << " step " << t;
        streamed.insert(streamed.end(), one.begin(), one.end());
      }
      EXPECT_EQ(streamed, expected[0].real()) << isa_name(isa);
    }
  }
}

// What is remembered follows float as well: the cell state, or a GRU's and RNN's state of 16 bits.
TEST_P(SumsTest, TheStateIsThatOfFloat) {
  Session in_float(c().int8);
  if (!in_float.streams()) return;
  const Model model = quantized("int8");
  Session session(model);
  State expected = in_float.initial_state(), found = session.initial_state();
  const bool is_lstm = std::holds_alternative<LstmAttributes>(model.nodes[0].operation);
  const std::string part = is_lstm ? "cell.c" : "cell.h";
  const double step = is_lstm ? static_cast<double>(model.nodes[0].formats.at("cell").scale) : 0x1p-15;
  for (std::size_t t = 0; t < kSteps; ++t) {
    const SequenceView frame{1, std::span(pulses_.values).subspan(t * kFeatures, kFeatures), {}, {}};
    in_float.run(frame, expected);
    session.run(frame, found);
    const std::span<const std::byte> reals = std::as_const(expected).part(part),
                                     codes = std::as_const(found).part(part);
    for (std::size_t j = 0; j < reals.size() / sizeof(float); ++j) {
      float real;
      std::int16_t code;
      std::memcpy(&real, &reals[j * sizeof(real)], sizeof(real));
      std::memcpy(&code, &codes[j * sizeof(code)], sizeof(code));
      EXPECT_NEAR(code * step, static_cast<double>(real), 0.04) << "unit " << j << ", step " << t;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, SumsTest, ::testing::Range(std::size_t{0}, cases().size()),
                         [](const ::testing::TestParamInfo<std::size_t>& index) { return cases()[index.param].name; });

// LiteRT's recipe keeps LiteRT's rule, in the LSTM, which LiteRT has.
TEST(Sums, OnlyLiteRtsLstmCutsHalves) {
  const auto sums_of = [](const Model& model, const std::string& scheme) {
    const Sequence sequence = pulses();
    const std::vector<SequenceView> views{view(sequence)};
    return quantize(model, calibrate(model, views), {.scheme = scheme}).model.nodes[0].sums;
  };
  for (const std::string& scheme : scheme_names()) {
    if (is_float_scheme(scheme)) continue;
    EXPECT_EQ(sums_of(lstm({}, 8), scheme), scheme == "int8_per_tensor" ? Sums::kHalves : Sums::kWhole);
    EXPECT_EQ(sums_of(gru(true, Direction::kForward, 8), scheme), Sums::kWhole);
    EXPECT_EQ(sums_of(rnn(Direction::kForward, 8), scheme), Sums::kWhole);
  }
}

// (A24) u of the candidate has as many bits before its point as calibration asks for.
TEST(Sums, TheCandidatesRecurrentHalfHasARangeOfItsOwn) {
  const Sequence sequence = pulses();
  const std::vector<SequenceView> views{view(sequence)};
  for (const auto& [sum, integer_bits] : {std::pair{4.0, 3}, {8.0, 3}, {16.0, 4}, {64.0, 6}, {500.0, 7}}) {
    const Model model = gru(true, Direction::kForward, sum);
    const Model coded = quantize(model, calibrate(model, views)).model;
    EXPECT_EQ(coded.nodes[0].formats.at("candidate_recurrent").scale, std::ldexp(1.0f, integer_bits - 15)) << sum;
  }
}

// The copy of a small state that is handed on uses all of its codes (1/128 would leave it four).
TEST(Sums, SmallStatesAreHandedOnInTheirOwnRange) {
  const auto sqnr_of = [](const Operation& operation, float size = 0.03f) {
    Model model = ModelBuilder("small", kFeatures, 3).add("cell", operation).finish();
    for (const char* name : {"cell.W", "cell.R", "cell.b", "cell.b_recurrent"}) {
      const auto found = model.tensors.find(name);
      if (found == model.tensors.end()) continue;
      for (float& value : found->second.as_mutable<float>()) value *= size;
    }
    const Sequence sequence = random_sequence(200, kFeatures, 5);
    const std::vector<SequenceView> views{view(sequence)};
    const Model coded = quantize(model, calibrate(model, views)).model;
    const std::vector<float> expected = Session(model).run(views[0])[0].real();
    const std::vector<float> found = Session(coded).run(views[0])[0].real();
    double signal = 0, noise = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double real = static_cast<double>(expected[i]), error = static_cast<double>(found[i]) - real;
      signal += real * real;
      noise += error * error;
    }
    return 10 * std::log10(signal / noise);
  };
  for (const bool after : {true, false})
    EXPECT_GT(sqnr_of(GruAttributes{kFeatures, 12, after, Direction::kForward}), 28) << after;
  EXPECT_GT(sqnr_of(RnnAttributes{kFeatures, 12, Nonlinearity::kTanh, Direction::kForward}), 28);
  // Codes are no finer than the state itself.
  EXPECT_GT(sqnr_of(GruAttributes{kFeatures, 12, true, Direction::kForward}, 1e-3f), 15);
}

}  // namespace
}  // namespace quaver::testing
