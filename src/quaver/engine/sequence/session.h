// session.h - runs a model, float or integer: whole sequences with run(), streams with step().
//
//   auto session = quaver::Session(model, {.threads = 1});
//   auto state = session.initial_state();
//   session.step(frame, state, scores);        // noexcept, no allocation, no lock, no system call
//
// step() refuses what does not fit, and says so in its StepResult; step_checked() throws instead, with the numbers.
// step() gives the bits that run() gives over the whole sequence, for any chunking, batch position and thread count.
// The border: real frames are normalised ("input.mean") and, in an integer model, coded to the input format; outputs
// are turned into reals. Callers that hold codes use the overloads that take them; then no float is touched at all.
// A Session that was moved from can be assigned to, copied and destroyed; all else throws Error (usage), and what is
// noexcept refuses or is empty.
// Threads: a Session is one worker; copies share the prepared weights and may run at the same time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/cells/observer.h"
#include "quaver/core/team.h"
#include "quaver/engine/sequence/state.h"
#include "quaver/engine/sequence/step_result.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/model/formats/channels.h"
#include "quaver/model/model.h"

namespace quaver {

// Where a session's packed weights lie. Huge pages (2 MiB, core/huge_pages.h) save translating addresses where a step
// reads much more than a near cache holds; whether that pays depends on the machine (docs/decisions/10).
enum class WeightPages {
  kPlain,  // as the allocator gives them
  kHuge,   // matrices of at least 2 MiB are moved into huge pages, as far as the system does it: costs a copy of them
  // Both kinds are timed on one thread, and the faster stays: costs preparing the model twice, 22 turns of at least
  // 2 ms and two steps, and until then the weights twice.
  // Nothing is timed where kHuge moves nothing. The bits are the same with all three.
  kMeasured,
};

struct SessionOptions {
  // run() over a batch gives each thread whole sequences. A single sequence or step is shared between threads where
  // that pays: the units of large cells, the halves of bidirectional ones. With 1, step() takes no lock and makes no
  // system call; with more, the other threads spin for a moment after each step, then sleep until the next one.
  // At most Team::kMostWorkers; 0 counts as 1.
  std::size_t threads = 1;
  Isa isa = chosen_isa();
  WeightPages pages = WeightPages::kPlain;  // Session::huge_page_bytes() says what came of it
};

// What one input of a model is given, a view: reals, or ids, or codes; the other two stay empty. Of one step one frame
// (of each stream), of a sequence a frame a step, of an input without time one frame either way.
struct InputView {
  std::size_t input = 0;  // Session::input()
  std::span<const float> real{};
  std::span<const std::int32_t> ids{};
  std::span<const std::int8_t> codes{};
};

// Where an output of one step goes: reals (decoded), or its codes as bytes; the other stays empty.
struct OutputView {
  std::size_t output = 0;  // Session::output()
  std::span<float> real{};
  std::span<std::byte> codes{};
};

// One sequence to run, a view: real frames [steps, features], or ids [steps], or input codes [steps, features]; the
// other two stay empty. Of a model with several inputs all three do, and `inputs` has each of them once.
struct SequenceView {
  std::size_t steps = 0;
  std::span<const float> real{};
  std::span<const std::int32_t> ids{};
  std::span<const std::int8_t> codes{};
  std::vector<InputView> inputs{};
};
// What a sequence gives an input of its model; nothing where it gives it nothing.
InputView given(const SequenceView& sequence, std::size_t input);
// Steps begin .. begin + steps - 1 of a sequence of this model.
SequenceView part_of(const SequenceView& sequence, std::size_t begin, std::size_t steps, const Model& model);

// One output of one sequence, as the model codes it.
struct Result {
  Value value;
  std::size_t steps = 1;  // 1 when the value is a vector
  AlignedVector<std::byte> bytes;
  Channels channels = {};

  std::vector<float> real() const;  // [steps, features], decoded
  bool operator==(const Result&) const = default;
};

class Session {
 public:
  // Prepares the model for this CPU; Error for a model that does not validate or has sums that can leave int32, and
  // (failed) where the threads cannot be started.
  explicit Session(const Model& model, SessionOptions options = {});
  Session(const Session& other);  // shares the prepared model, has working memory of its own
  Session& operator=(const Session& other);
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  const Model& model() const;
  Isa isa() const;
  bool streams() const;                // no reverse or bidirectional node
  std::size_t input_features() const;  // of one real frame of the first input; 1 for ids
  std::size_t score_count() const;     // features of the first output
  // Handles of inputs and outputs for step(), by the names in the model: their places in its lists. Error that lists
  // the names.
  std::size_t input(std::string_view name) const;
  std::size_t output(std::string_view name) const;
  std::size_t weight_bytes() const;  // weights read by one step, packed where they are integers
  // Those of them that lie in huge pages, as the system answered at set-up; 0: in plain ones, because those were asked
  // for, measured as faster, or all that there is.
  std::size_t huge_page_bytes() const;
  std::size_t threads() const;
  // What a stream keeps between steps; of a model that does not stream, what its layers keep within a sequence.
  const StateLayout& state_layout() const;

  State initial_state() const;  // Error when the model cannot stream: which node looks ahead
  // A state from its parts' bytes, e.g. from a file. Error for missing, unknown or wrongly sized parts.
  State restore_state(const std::vector<std::pair<std::string, std::span<const std::byte>>>& parts) const;

  // One time step. frame: input_features() reals (NaN and infinities count as 0), or one id (out of range counts as 0).
  // scores: score_count() reals of the first output. `state` must come from this model.
  StepResult step(std::span<const float> frame, State& state, std::span<float> scores) noexcept;
  StepResult step(std::int32_t id, State& state, std::span<float> scores) noexcept;
  // Codes in, nothing decoded: read outputs with output_codes(). Models whose input is int8 only.
  StepResult step(std::span<const std::int8_t> frame, State& state) noexcept;
  // Every input of the model once, in any order, each reals, ids or codes; any outputs, in any order. The calls with
  // one frame are for models with one input.
  StepResult step(std::span<const InputView> inputs, State& state, std::span<const OutputView> outputs) noexcept;
  // The same of many independent streams: every view [states, size of one frame], of an input without time too.
  StepResult step(std::span<const InputView> inputs, std::span<State> states,
                  std::span<const OutputView> outputs) noexcept;
  // The codes that the last step left, of one output: zeros before the first, empty for an output that is none. run()
  // and steps of many streams leave bytes of no meaning.
  std::span<const std::byte> output_codes(std::size_t output = 0) const noexcept;

  // One time step of many independent streams: state s advances by frame s, with the bits of a step of its own. Weights
  // are read once for up to kCellGroup states. frames: [states, input_features()]; scores: [states, score_count()].
  // Refused as a whole: no state advances unless all fit.
  StepResult step(std::span<const float> frames, std::span<State> states, std::span<float> scores) noexcept;
  // Codes in, codes of the first output out: [states, bytes of one].
  StepResult step(std::span<const std::int8_t> frames, std::span<State> states, std::span<std::byte> codes) noexcept;

  // The same steps for callers who would rather not look: Error (bad input; usage where the Session was moved from) for
  // what step() refuses, naming what was given and what was expected. The result is always an accepted one.
  StepResult step_checked(std::span<const float> frame, State& state, std::span<float> scores);
  StepResult step_checked(std::int32_t id, State& state, std::span<float> scores);
  StepResult step_checked(std::span<const std::int8_t> frame, State& state);
  StepResult step_checked(std::span<const InputView> inputs, State& state, std::span<const OutputView> outputs);
  StepResult step_checked(std::span<const InputView> inputs, std::span<State> states,
                          std::span<const OutputView> outputs);
  StepResult step_checked(std::span<const float> frames, std::span<State> states, std::span<float> scores);
  StepResult step_checked(std::span<const std::int8_t> frames, std::span<State> states, std::span<std::byte> codes);

  // The border alone, for callers who hand over codes: one frame as step() would code it (normalised, with the scale
  // and offset of its channel), and the codes of an output as step() would give them. codes: input_features() of a
  // model whose input is int8; bytes and reals of one step of that output. Refused as a step is; an output that is none
  // counts as one of no size.
  StepResult encode(std::span<const float> frame, std::span<std::int8_t> codes) const noexcept;
  StepResult decode(std::span<const std::byte> codes, std::span<float> reals, std::size_t output = 0) const noexcept;

  // Whole sequences, from a fresh state: results[sequence][output]. Error (with sequence and step) for an empty
  // sequence, one that sets several of real, ids and codes or another than the model reads, wrong feature count, NaN
  // or infinity, or an id outside the vocabulary. Sequences of different lengths need no padding: each has its own, and
  // the bits of a run alone.
  std::vector<std::vector<Result>> run(std::span<const SequenceView> batch);
  std::vector<Result> run(const SequenceView& sequence, Observer* observer = nullptr);
  // The same, going on from `state` and leaving the new one there (streaming models only).
  std::vector<Result> run(const SequenceView& sequence, State& state, Observer* observer = nullptr);

 private:
  struct Plan;
  struct Workspace;
  struct StepArguments;
  const Plan& plan() const;  // Error where the Session was moved from
  // The door of run(): Error for what does not fit, said with its place.
  static void check_sequence(const Plan& plan, const SequenceView& sequence, const std::string& which);
  StepResult judge(const StepArguments& arguments) const noexcept;
  StepResult checked(StepResult result, const StepArguments& arguments) const;
  bool owns(const State& state) const noexcept;
  std::string whose_state(const State& state) const;  // why it is not this model's
  void advance(State& state) noexcept;
  StepResult judge(std::span<const InputView> inputs, std::span<const State> states,
                   std::span<const OutputView> outputs) const noexcept;
  StepResult checked(StepResult result, std::span<const InputView> inputs, std::span<const State> states,
                     std::span<const OutputView> outputs) const;
  // Each group of streams: enter(stream, its place in the group), the layers, leave(stream, its place in the group).
  template <typename Enter, typename Leave>
  void advance_streams(std::span<State> states, const Enter& enter, const Leave& leave) noexcept;
  // Frames first .. first + count - 1 of what is given, as the first nodes read them.
  void enter_frames(const InputView& given, std::size_t first, std::size_t count, std::byte* to) const noexcept;
  // Steps first .. first + steps - 1 of the sequence, as the first nodes read them: at `step` of the workspace, whose
  // `index`-th sequence it is.
  void enter_sequence(const SequenceView& sequence, std::size_t first, std::size_t steps, const Workspace& workspace,
                      std::size_t step, std::size_t index) const;
  std::vector<Result> empty_results(std::size_t steps) const;  // with room for so many steps
  // Puts the outputs of the next `steps` steps behind those that are there. They begin at `first_step` of the
  // workspace, whose `index`-th sequence it is; of a vector the value as of now stays.
  void append_results(const Workspace& workspace, std::size_t first_step, std::size_t steps, std::size_t index,
                      std::vector<Result>& results) const;
  std::vector<Result> run_one(const SequenceView& sequence, std::byte* state, Observer* observer);
  // results[i] of the sequences i in `group`: at most kCellGroup of them, longest first.
  void run_group(Workspace& workspace, std::span<const SequenceView> batch, std::span<const std::size_t> group,
                 std::span<std::vector<Result>> results) const;

  std::shared_ptr<const Plan> plan_;
  std::unique_ptr<Workspace> workspace_;
  std::unique_ptr<Team> team_;  // where there is more than one thread
};

}  // namespace quaver
