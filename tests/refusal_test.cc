// refusal_test.cc - what the engine refuses, and that a refusal reads nothing, writes nothing and says why: sizes that
// do not fit, inputs of another kind, states, memories and sessions of another network or moved from. Every array has
// exactly its size, so that a read beyond one is seen under valgrind and the address sanitizer.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/quantize/quantize.h"
#include "quaver/quaver.h"
#include "support/random_model.h"

namespace quaver::testing {
namespace {

constexpr std::size_t kFeatures = 3, kUnits = 5, kStreams = 4, kVocabulary = 9;

Model real_model(std::uint64_t seed = 1) {
  return ModelBuilder("m", kFeatures, seed)
      .add("gru", GruAttributes{kFeatures, kUnits, true, Direction::kForward})
      .finish();
}

Model int8_model(std::uint64_t seed = 1) {
  const std::vector<Sequence> sequences{random_sequence(20, kFeatures, 7)};
  const Model model = real_model(seed);
  return quantize(model, calibrate(model, views(sequences)), {.scheme = "int8"}).model;
}

Model id_model() {
  return ModelBuilder::of_ids("m", 1)
      .add("embedding", EmbeddingAttributes{kVocabulary, kFeatures})
      .add("gru", GruAttributes{kFeatures, kUnits, true, Direction::kForward})
      .finish();
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

#define EXPECT_ERROR(action, text)                           \
  do {                                                       \
    const std::string found = error_of([&] { action; });     \
    EXPECT_NE(found.find(text), std::string::npos) << found; \
  } while (false)

State moved_from(State state) {
  State taken = std::move(state);
  return state;  // NOLINT(bugprone-use-after-move)
}

// ---- one step --------------------------------------------------------------------------------------------------

// Each refusal of a step of one stream, by step() and step_checked(), with everything as it was afterwards.
class StepRefusals {
 public:
  explicit StepRefusals(const Model& model) : session_(model), state_(session_.initial_state()) {
    const std::vector<float> frame(session_.input_features(), 0.5f);
    if (model.inputs[0].value.format.kind == NumberType::kI32) {
      EXPECT_TRUE(session_.step(1, state_, scores_));
    } else {
      EXPECT_TRUE(session_.step(frame, state_, scores_));
    }
  }
  Session& session() { return session_; }
  State& state() { return state_; }

  template <typename Input>
  void expect(const Input& input, State& state, std::size_t room, StepRefusal refusal, const std::string& text) {
    std::vector<float> scores(room, 7.0f);
    expect_untouched(
        state, [&] { return session_.step(input, state, scores); },
        [&] { session_.step_checked(input, state, scores); }, refusal, text);
    EXPECT_EQ(scores, std::vector<float>(room, 7.0f));
  }
  void expect_codes(const std::vector<std::int8_t>& codes, State& state, StepRefusal refusal, const std::string& text) {
    expect_untouched(
        state, [&] { return session_.step(codes, state); }, [&] { session_.step_checked(codes, state); }, refusal,
        text);
  }

 private:
  std::vector<std::byte> output() const {
    const auto codes = session_.output_codes();
    return {codes.begin(), codes.end()};
  }
  void expect_untouched(const State& state, const std::function<StepResult()>& step,
                        const std::function<void()>& checked, StepRefusal refusal, const std::string& text) {
    const State before = state;
    const std::vector<std::byte> codes = output();
    EXPECT_EQ(step().refusal, refusal) << text;
    EXPECT_ERROR(checked(), text);
    EXPECT_EQ(state, before);
    EXPECT_EQ(output(), codes);
  }

  Session session_;
  State state_;
  std::vector<float> scores_ = std::vector<float>(kUnits);
};

TEST(StepRefusal, FramesAndScoresOfOtherSizes) {
  for (const Model& model : {real_model(), int8_model()}) {
    StepRefusals refusals(model);
    for (const std::size_t size : {std::size_t{0}, kFeatures - 1, kFeatures + 1, 2 * kFeatures})
      refusals.expect(std::vector<float>(size), refusals.state(), kUnits, StepRefusal::kInputSize,
                      "a step of 1 states was given " + std::to_string(size) + " elements, expected 1 x 3 features");
    for (const std::size_t room : {std::size_t{0}, kUnits - 1, kUnits + 1})
      refusals.expect(std::vector<float>(kFeatures), refusals.state(), room, StepRefusal::kOutputSize,
                      "room for " + std::to_string(room) + " scores, expected 5");
  }
  StepRefusals ids(id_model());
  ids.expect(2, ids.state(), kUnits - 1, StepRefusal::kOutputSize, "room for 4 scores, expected 5");
  StepRefusals codes(int8_model());
  for (const std::size_t size : {std::size_t{0}, kFeatures - 1, std::size_t{100000}})
    codes.expect_codes(std::vector<std::int8_t>(size), codes.state(), StepRefusal::kInputSize,
                       "was given " + std::to_string(size) + " elements, expected 1 x 3 features");
}

TEST(StepRefusal, InputsOfAnotherKind) {
  StepRefusals real(real_model()), coded(int8_model()), ids(id_model());
  real.expect(2, real.state(), kUnits, StepRefusal::kInputKind, "was given ids, but this model's input is f32");
  coded.expect(2, coded.state(), kUnits, StepRefusal::kInputKind, "was given ids, but this model's input is i8");
  ids.expect(std::vector<float>(1), ids.state(), kUnits, StepRefusal::kInputKind,
             "was given reals, but this model's input is i32");
  real.expect_codes(std::vector<std::int8_t>(kFeatures), real.state(), StepRefusal::kInputKind,
                    "was given int8 codes, but this model's input is f32");
  ids.expect_codes(std::vector<std::int8_t>(1), ids.state(), StepRefusal::kInputKind,
                   "was given int8 codes, but this model's input is i32");
}

TEST(StepRefusal, StatesOfAnotherModelOrMovedFrom) {
  for (const Model& model : {real_model(), int8_model()}) {
    StepRefusals refusals(model);
    State same_sizes = Session(real_model(2)).initial_state(), of_ids = Session(id_model()).initial_state(),
          gone = moved_from(refusals.state());
    for (State* state : {&same_sizes, &of_ids})
      refusals.expect(std::vector<float>(kFeatures), *state, kUnits, StepRefusal::kState,
                      "the state belongs to model " + hex64(state->fingerprint()) + ", this is model " +
                          hex64(refusals.state().fingerprint()));
    refusals.expect(std::vector<float>(kFeatures), gone, kUnits, StepRefusal::kState, "the state was moved from");
  }
  StepRefusals codes(int8_model()), ids(id_model());
  State other = Session(int8_model(2)).initial_state(), gone = moved_from(other);
  codes.expect_codes(std::vector<std::int8_t>(kFeatures), other, StepRefusal::kState, "the state belongs to model");
  codes.expect_codes(std::vector<std::int8_t>(kFeatures), gone, StepRefusal::kState, "the state was moved from");
  ids.expect(2, other, kUnits, StepRefusal::kState, "the state belongs to model");
}

TEST(StepRefusal, NoneWhereAllFits) {
  StepRefusals codes(int8_model()), ids(id_model());
  State by_reals = codes.state(), by_codes = codes.state();
  const std::vector<std::int8_t> frame(
      kFeatures, static_cast<std::int8_t>(codes.session().model().inputs[0].value.format.zero_point));
  std::vector<float> scores(kUnits);
  EXPECT_TRUE(codes.session().step_checked(frame, by_codes).accepted());
  EXPECT_TRUE(codes.session().step_checked(std::vector<float>(kFeatures), by_reals, scores));
  EXPECT_EQ(by_codes, by_reals);
  EXPECT_TRUE(ids.session().step_checked(3, ids.state(), scores));
}

// ---- steps of many streams -------------------------------------------------------------------------------------

TEST(StepRefusal, ManyStreamsAreRefusedAsAWhole) {
  for (const Model& model : {real_model(), int8_model()}) {
    Session session(model);
    const auto expect = [&](std::size_t inputs, std::vector<State> states, std::size_t room, StepRefusal refusal,
                            const std::string& text) {
      const std::vector<State> before = states;
      const std::vector<float> frames(inputs, 0.5f);
      std::vector<float> scores(room, 7.0f);
      EXPECT_EQ(session.step(frames, std::span<State>(states), scores).refusal, refusal) << text;
      EXPECT_ERROR(session.step_checked(frames, std::span<State>(states), scores), text);
      EXPECT_EQ(states, before);
      EXPECT_EQ(scores, std::vector<float>(room, 7.0f));
      if (is_float(model.inputs[0].value.format)) return;
      const std::size_t bytes = session.output_codes().size();
      const std::vector<std::int8_t> codes(inputs, 1);
      std::vector<std::byte> output(room / kUnits * bytes + room % kUnits, std::byte{7});
      const std::vector<std::byte> output_before = output;
      EXPECT_EQ(session.step(codes, std::span<State>(states), output).refusal, refusal) << text;
      EXPECT_THROW(session.step_checked(codes, std::span<State>(states), output), Error);
      EXPECT_EQ(states, before);
      EXPECT_EQ(output, output_before);
    };
    const std::vector<State> states(kStreams, session.initial_state());
    for (const std::size_t inputs : {std::size_t{0}, kFeatures, kStreams * kFeatures - 1, (kStreams + 1) * kFeatures})
      expect(inputs, states, kStreams * kUnits, StepRefusal::kInputSize,
             "a step of 4 states was given " + std::to_string(inputs) + " elements, expected 4 x 3 features");
    for (const std::size_t room : {std::size_t{0}, kUnits, kStreams * kUnits + 1})
      expect(kStreams * kFeatures, states, room, StepRefusal::kOutputSize,
             "room for " + std::to_string(room) + " scores, expected 20");
    std::vector<State> foreign = states, gone = states;
    foreign.back() = Session(real_model(2)).initial_state();
    expect(kStreams * kFeatures, foreign, kStreams * kUnits, StepRefusal::kState,
           "state 3: the state belongs to model");
    gone[2] = moved_from(gone[2]);
    expect(kStreams * kFeatures, gone, kStreams * kUnits, StepRefusal::kState, "state 2: the state was moved from");
    std::vector<State> none;
    EXPECT_TRUE(session.step(std::span<const float>{}, std::span<State>(none), std::span<float>{}));
  }
  Session real(real_model()), ids(id_model());
  std::vector<State> states(kStreams, real.initial_state()), of_ids(kStreams, ids.initial_state());
  std::vector<std::byte> output(kStreams * kUnits * sizeof(float));
  std::vector<float> scores(kStreams * kUnits);
  EXPECT_EQ(real.step(std::vector<std::int8_t>(kStreams * kFeatures), std::span<State>(states), output).refusal,
            StepRefusal::kInputKind);
  EXPECT_EQ(ids.step(std::vector<float>(kStreams), std::span<State>(of_ids), scores).refusal, StepRefusal::kInputKind);
}

// ---- infinities ------------------------------------------------------------------------------------------------

TEST(StepBorder, WhatIsNoNumberCountsAsZero) {
  Model normalized = int8_model();
  normalized.tensors["input.mean"] = Tensor::from<float>({3}, std::vector<float>{1.0f, -2.0f, 0.5f});
  normalized.tensors["input.inverse_deviation"] = Tensor::from<float>({3}, std::vector<float>{0.5f, 2.0f, 1.0f});
  constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNone = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> frame{kInfinity, -kInfinity, kNone}, zeros(kFeatures);
  for (const Model& model : {real_model(), int8_model(), normalized}) {
    Session session(model);
    State found = session.initial_state(), expected = found;
    std::vector<float> scores(kUnits), expected_scores(kUnits);
    EXPECT_TRUE(session.step(frame, found, scores));
    EXPECT_TRUE(session.step(zeros, expected, expected_scores));
    EXPECT_EQ(scores, expected_scores);
    EXPECT_EQ(found, expected);

    std::vector<State> streams(kStreams, session.initial_state());
    std::vector<float> frames, stream_scores(kStreams * kUnits);
    for (std::size_t s = 0; s < kStreams; ++s) frames.insert(frames.end(), frame.begin(), frame.end());
    EXPECT_TRUE(session.step(frames, std::span<State>(streams), stream_scores));
    EXPECT_EQ(streams, std::vector<State>(kStreams, expected));
  }
}

// ---- values that were moved from -------------------------------------------------------------------------------

TEST(MovedFrom, StateBelongsToNoModel) {
  Session session(real_model());
  State state = session.initial_state();
  const State gone = moved_from(state);
  EXPECT_EQ(gone.fingerprint(), 0u);
  EXPECT_EQ(gone, moved_from(state));
  EXPECT_FALSE(gone == state);
  EXPECT_ERROR(gone.layout(), "moved from");
  EXPECT_ERROR(gone.part("gru.h"), "moved from");
  State copy = gone;
  EXPECT_EQ(copy, gone);
  EXPECT_ERROR(session.run(view(random_sequence(4, kFeatures, 1)), copy), "the state was moved from");
  copy = state;
  EXPECT_EQ(copy, state);
}

TEST(MovedFrom, SessionRefusesAllButANewValue) {
  for (const std::size_t threads : {1u, 3u}) {
    Session taken(real_model(), {.threads = threads});
    Session session = std::move(taken);
    const Session copy = taken;  // NOLINT(bugprone-use-after-move)
    State state = session.initial_state();
    std::vector<State> states(kStreams, state);
    std::vector<float> scores(kUnits);
    std::vector<std::byte> bytes;
    const std::vector<float> frame(kFeatures);
    const std::vector<std::int8_t> codes(kFeatures);
    EXPECT_EQ(taken.step(frame, state, scores).refusal, StepRefusal::kNoModel);
    EXPECT_EQ(taken.step(1, state, scores).refusal, StepRefusal::kNoModel);
    EXPECT_EQ(taken.step(codes, state).refusal, StepRefusal::kNoModel);
    EXPECT_EQ(taken.step(frame, std::span<State>(states), scores).refusal, StepRefusal::kNoModel);
    EXPECT_EQ(taken.step(codes, std::span<State>(states), bytes).refusal, StepRefusal::kNoModel);
    EXPECT_TRUE(taken.output_codes().empty());
    const SequenceView sequence{.steps = 1, .real = frame};
    for (const auto& action : std::vector<std::function<void()>>{
             [&] { taken.step_checked(frame, state, scores); }, [&] { taken.model(); }, [&] { taken.isa(); },
             [&] { taken.streams(); }, [&] { taken.input_features(); }, [&] { taken.score_count(); },
             [&] { taken.weight_bytes(); }, [&] { taken.threads(); }, [&] { taken.initial_state(); },
             [&] { taken.restore_state({}); }, [&] { taken.run(sequence); }, [&] { taken.run(sequence, state); },
             [&] { taken.run(std::vector{sequence}); }, [&] { copy.model(); }})
      EXPECT_ERROR(action(), "moved from");
    taken = session;
    EXPECT_EQ(taken.threads(), threads);
    EXPECT_TRUE(taken.step(frame, state, scores));
    EXPECT_EQ(taken.run(sequence), session.run(sequence));
  }
}

TEST(OutputCodes, AreReadableForEveryOutputAndEmptyForNone) {
  Session session(real_model());
  for (const std::byte byte : session.output_codes()) EXPECT_EQ(byte, std::byte{0});
  EXPECT_EQ(session.output_codes().size(), kUnits * sizeof(float));
  EXPECT_TRUE(session.output_codes(1).empty());
  EXPECT_TRUE(session.output_codes(SIZE_MAX).empty());
}

// ---- sequences -------------------------------------------------------------------------------------------------

TEST(RunRefusal, SequencesThatSetSeveralInputsOrAnother) {
  const std::vector<float> real(5 * kFeatures);
  const std::vector<std::int32_t> ids(1000, 1), five(5, 1);
  const std::vector<std::int8_t> codes(5 * kFeatures);
  for (const Model& model : {real_model(), int8_model(), id_model()}) {
    Session session(model, {.threads = 2});
    State state = session.initial_state();
    for (const SequenceView& sequence :
         {SequenceView{5, real, ids, {}}, SequenceView{5, real, five, {}}, SequenceView{5, real, {}, codes},
          SequenceView{5, {}, five, codes}, SequenceView{5, real, five, codes}}) {
      EXPECT_ERROR(session.run(sequence), "expected one of the three");
      EXPECT_ERROR(session.run(sequence, state), "expected one of the three");
      EXPECT_ERROR(session.run(std::vector{sequence, sequence}), "sequence 0 has");
    }
  }
  EXPECT_ERROR(Session(real_model()).run(SequenceView{.steps = 5, .ids = five}), "holds ids, but this model reads");
  EXPECT_ERROR(Session(int8_model()).run(SequenceView{.steps = 5, .ids = five}), "holds ids, but this model reads");
  EXPECT_ERROR(Session(real_model()).run(SequenceView{.steps = 5, .codes = codes}), "input is f32");
  EXPECT_ERROR(Session(id_model()).run(SequenceView{.steps = 5, .real = real}), "this model reads ids");
}

// 2^62 steps of 4 features are 0 elements in 64 bits.
TEST(RunRefusal, StepCountsThatWrap) {
  Model model = ModelBuilder("m", 4, 1).add("gru", GruAttributes{4, kUnits, true, Direction::kForward}).finish();
  EXPECT_ERROR(Session(model).run(SequenceView{.steps = std::size_t{1} << 62}), "has 0 values");
}

// ---- memories --------------------------------------------------------------------------------------------------

MemoryNetwork memory_network(const std::string& scheme, std::size_t vocabulary, std::uint64_t seed = 1) {
  MemoryNetwork network;
  network.name = network.task = "stories";
  network.shape = {
      .vocabulary = vocabulary, .memory = 3, .d = 6, .hops = 2, .sentence = 3, .tying = MemoryTying::kLayerwise};
  network.scheme = memory_scheme_from_name(scheme);
  network.words.emplace_back();
  for (std::size_t word = 1; word < vocabulary; ++word) network.words.push_back("w" + std::to_string(word));
  Random random(seed);
  for (std::size_t i = 0; i < parameter_count(network.shape); ++i)
    network.parameters.push_back(static_cast<float>(random.uniform(-1, 1)));
  if (network.scheme.is_scaled()) {
    const std::size_t matrices = memory_matrices(network.shape).size(), hops = network.shape.hops;
    network.scales = {.weights = std::vector<float>(matrices, 0.01f),
                      .embedded = std::vector<float>(matrices, 0.02f),
                      .s = std::vector<float>(hops, 0.1f),
                      .u = std::vector<float>(hops + 1, 0.03f),
                      .query = std::vector<float>(hops, 1.0f)};
    network.parameters = coded_parameters(network.shape, network.scheme, network.scales, network.parameters);
  }
  return network;
}

// Every call that takes a memory, with one that is not the session's own.
void expect_refused(MemorySession& session, Memory& memory, const std::string& text) {
  const std::vector<std::int32_t> words{40};  // that only the larger vocabulary has
  const std::vector<WordNumbers> questions{words};
  std::vector<std::int32_t> answers(1);
  EXPECT_ERROR(session.write(memory, words), text);
  EXPECT_ERROR(session.forget(memory, 0), text);
  EXPECT_ERROR(session.forget_all(memory), text);
  EXPECT_ERROR(session.save(memory), text);
  EXPECT_ERROR(session.answer(memory, words), text);
  EXPECT_ERROR(session.answer(memory, questions, answers), text);
  EXPECT_ERROR(session.explain(memory, words), text);
}

TEST(MemoryRefusal, MemoriesOfAnotherNetworkOrMovedFrom) {
  for (const char* scheme : {"f32", "qmann8", "int8"}) {
    MemorySession small(memory_network(scheme, 5)), large(memory_network(scheme, 60));
    Memory memory = small.empty_memory();
    for (std::int32_t fact = 0; fact < 5; ++fact) small.write(memory, std::vector{fact});
    const Memory before = memory;
    expect_refused(large, memory,
                   "the memory belongs to network " + hex64(memory.fingerprint()) + ", this is network " +
                       hex64(large.empty_memory().fingerprint()));
    EXPECT_EQ(memory, before);

    const Memory taken = std::move(memory);
    EXPECT_EQ(taken, before);
    expect_refused(small, memory, "the memory was moved from");  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(memory.size(), 0u);
    EXPECT_EQ(memory.fingerprint(), 0u);
    EXPECT_EQ(memory.bytes(), 0u);
    EXPECT_ERROR(memory.fact(0), "fact 0 of a memory of 0 facts is not there");
    EXPECT_FALSE(memory == before);
    Memory copy = memory;
    EXPECT_EQ(copy, memory);
    memory = taken;
    EXPECT_EQ(memory, before);
    EXPECT_EQ(small.answer(memory, std::vector{2}), small.answer(before, std::vector{2}));
  }
}

TEST(MemoryRefusal, FactsThatAreNotThere) {
  MemorySession session(memory_network("int8", 5));
  Memory memory = session.empty_memory();
  session.write(memory, std::vector{1, 2});
  EXPECT_EQ(memory.fact(0).size(), 2u);
  for (const std::size_t index : {std::size_t{1}, SIZE_MAX}) {
    EXPECT_ERROR(memory.fact(index), "of a memory of 1 facts is not there");
    EXPECT_ERROR(session.forget(memory, index), "of a memory of 1 facts cannot be forgotten");
  }
}

TEST(MovedFrom, MemorySessionRefusesAllButANewValue) {
  for (const char* scheme : {"f32", "qmann8", "int8"}) {
    MemorySession taken(memory_network(scheme, 5));
    MemorySession session = std::move(taken);
    const MemorySession copy = taken;  // NOLINT(bugprone-use-after-move)
    Memory memory = session.empty_memory();
    const std::vector<std::int32_t> words{1};
    const std::string saved = session.save(memory);
    for (const auto& action : std::vector<std::function<void()>>{
             [&] { taken.network(); }, [&] { taken.capacity(); }, [&] { taken.isa(); }, [&] { taken.on_codes(); },
             [&] { taken.integer_only(); }, [&] { taken.longest_sentence(); }, [&] { taken.bytes_per_fact(); },
             [&] { taken.empty_memory(); }, [&] { taken.restore(std::as_bytes(std::span(saved))); },
             [&] { copy.network(); }})
      EXPECT_ERROR(action(), "moved from");
    expect_refused(taken, memory, "moved from");
    taken = session;
    taken.write(memory, words);
    EXPECT_EQ(taken.answer(memory, words), session.answer(memory, words));
  }
}

// "QVMEMRY1", network, dropped, facts; each fact; a checksum of all.
TEST(MemoryRefusal, SavedCountsOfDroppedFactsThatWouldWrap) {
  MemorySession session(memory_network("int8", 5));
  Memory memory = session.empty_memory();
  for (std::int32_t fact = 0; fact < 5; ++fact) session.write(memory, std::vector{fact});
  const std::string saved = session.save(memory);
  const auto with_dropped = [&](std::uint64_t dropped) {
    std::string bytes = saved.substr(0, saved.size() - 8);
    for (std::size_t i = 0; i < 8; ++i) bytes[16 + i] = static_cast<char>(dropped >> (8 * i) & 255u);
    const std::uint64_t checksum = fnv1a(std::as_bytes(std::span(bytes)));
    for (std::size_t i = 0; i < 8; ++i) bytes += static_cast<char>(checksum >> (8 * i) & 255u);
    return bytes;
  };
  const auto restored = [&](std::uint64_t dropped) {
    const std::string bytes = with_dropped(dropped);
    return session.restore(std::as_bytes(std::span(bytes)));
  };
  EXPECT_EQ(restored(2), memory);
  EXPECT_EQ(restored(std::uint64_t{1} << 40).dropped(), std::uint64_t{1} << 40);
  for (const std::uint64_t dropped : {UINT64_MAX, UINT64_MAX - 3, (std::uint64_t{1} << 62) + 1})
    EXPECT_ERROR(restored(dropped), "says that " + std::to_string(dropped) + " facts were dropped, expected at most");
}

// ---- threads ---------------------------------------------------------------------------------------------------

TEST(Threads, NumbersThatAreNoneOrTooMany) {
  EXPECT_ERROR(Session(real_model(), {.threads = 100000}), "100000 threads, expected 1 to 1024");
  EXPECT_EQ(Session(real_model(), {.threads = 0}).threads(), 1u);
}

#ifndef QUAVER_SANITIZED  // a sanitizer needs all of the address space

// Ends the process: with 0 where each of several sessions was refused after some of its threads had started, and one
// with fewer threads is then had.
[[noreturn]] void start_too_many_threads(const Model& model) {
  constexpr std::size_t kStack = std::size_t{64} << 20, kRoom = std::size_t{300} << 20;  // four stacks
  alarm(30);                                                                             // should it hang
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStack);
  pthread_setattr_default_np(&attributes);
  rlim_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t bytes = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + kRoom;
  const rlimit limit{bytes, bytes};
  setrlimit(RLIMIT_AS, &limit);
  for (int turn = 0; turn < 3; ++turn) {  // what the turn before has started is gone
    try {
      Session session(model, {.threads = 64});
      std::_Exit(1);
    } catch (const Error& error) {
      const std::string text = error.what();
      if (error.kind() != ErrorKind::kFailed || !text.starts_with("could not start 64 threads, only ") ||
          text.starts_with("could not start 64 threads, only 1 ") || !text.ends_with("try fewer: --threads N"))
        std::_Exit(2);
    }
  }
  std::_Exit(Session(model, {.threads = 2}).threads() == 2 ? 0 : 3);
}

TEST(Threads, ThatCannotBeStartedAreAnError) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Model model = real_model();
  EXPECT_EXIT(start_too_many_threads(model), ::testing::ExitedWithCode(0), "");
}

#endif

}  // namespace
}  // namespace quaver::testing
