#include "quaver/engine/sequence/session.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <exception>
#include <functional>
#include <mutex>
#include <numeric>

#include "quaver/cells/scratch.h"
#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/engine/sequence/plan.h"

namespace quaver {
namespace {

// A pool's count of steps comes back from a file: its next step divides by it.
void check_step_count(const std::string& name, std::span<const std::byte> bytes) {
  std::int64_t count = 0;
  std::memcpy(&count, bytes.data(), sizeof count);
  if (count < 0 || count > kMostStateSteps)
    throw_bad_input(concat("saved state '", name, "' counts ", count, " steps, expected 0 to ", kMostStateSteps));
}

// size = steps * features, which may be too much for a number of 64 bits.
bool holds(std::size_t size, std::size_t steps, std::size_t features) {
  return size % features == 0 && size / features == steps;
}

// Everything a caller of run() can get wrong with one input of a sequence, said with its place. steps: frames
// of it.
void check_input(const Value& input, std::int64_t vocabulary, const FramesPath& border, std::size_t steps,
                 const InputView& given, const std::string& which) {
  const auto features = static_cast<std::size_t>(input.size());
  if (!given.real.empty() + !given.ids.empty() + !given.codes.empty() > 1)
    throw_bad_input(concat(which, " has ", given.real.size(), " reals, ", given.ids.size(), " ids and ",
                           given.codes.size(), " codes, expected one of the three and the others empty"));
  if (input.format.kind == NumberType::kI32) {
    if (!holds(given.ids.size(), steps, features))
      throw_bad_input(concat(which, " has ", given.ids.size(), " ids for ", steps,
                             " time steps; this model reads ids (int32), ", features == 1 ? "one" : concat(features),
                             " a step"));
    for (std::size_t i = 0; i < given.ids.size(); ++i)
      if (given.ids[i] < 0 || given.ids[i] >= vocabulary)
        throw_bad_input(concat(which, ", step ", i / features, ": id ", given.ids[i], " is outside the vocabulary of ",
                               vocabulary, " (expected 0..", vocabulary - 1, ")"));
    return;
  }
  if (!given.ids.empty())
    throw_bad_input(concat(which, " holds ids, but this model reads frames of ", features, " features"));
  if (!given.codes.empty()) {
    if (input.format.kind != NumberType::kI8)
      throw_bad_input(concat(which, " holds int8 codes, but this model's input is ", type_name(input.format.kind),
                             ": pass real features"));
    if (!holds(given.codes.size(), steps, features))
      throw_bad_input(
          concat(which, " has ", given.codes.size(), " codes, expected ", steps, " steps x ", features, " features"));
    return;
  }
  if (!holds(given.real.size(), steps, features))
    throw_bad_input(concat(which, " has ", given.real.size(), " values, expected ", steps, " steps x ", features,
                           " features; was the model made for other features?"));
  if (border.are_finite(given.real.data(), given.real.size())) return;
  for (std::size_t i = 0; i < given.real.size(); ++i)
    if (!std::isfinite(given.real[i]))
      throw_bad_input(concat(which, ", step ", i / features, ", feature ", i % features, " is ", given.real[i],
                             ", expected a finite number"));
}

InputView only_input(const SequenceView& sequence) { return {0, sequence.real, sequence.ids, sequence.codes}; }

std::span<const InputView> inputs_of(const SequenceView& sequence, const InputView& only) {
  return sequence.inputs.empty() ? std::span<const InputView>(&only, 1) : std::span(sequence.inputs);
}

// Whether a view of a step has one kind of numbers, which the input reads, and one frame for each of `states`.
StepRefusal judge_input(const Value& value, const InputView& given, std::size_t states) noexcept {
  const NumberType kind = value.format.kind;
  const std::size_t held = given.real.size() + given.ids.size() + given.codes.size();
  const bool mixed = held != std::max({given.real.size(), given.ids.size(), given.codes.size()});
  const bool fits = kind == NumberType::kI32 ? given.real.empty() && given.codes.empty()
                                             : given.ids.empty() && (given.codes.empty() || kind == NumberType::kI8);
  if (mixed || !fits) return StepRefusal::kInputKind;
  return held == states * static_cast<std::size_t>(value.size()) ? StepRefusal::kNone : StepRefusal::kInputSize;
}

std::unique_ptr<Team> make_team(std::size_t threads) { return threads > 1 ? std::make_unique<Team>(threads) : nullptr; }

}  // namespace

InputView given(const SequenceView& sequence, std::size_t input) {
  const InputView only = only_input(sequence);
  for (const InputView& one : inputs_of(sequence, only))
    if (one.input == input) return one;
  return {input};
}

SequenceView part_of(const SequenceView& sequence, std::size_t begin, std::size_t steps, const Model& model) {
  const auto cut = [&](auto values) {
    const std::size_t size = values.size() / sequence.steps;
    return values.subspan(begin * size, steps * size);
  };
  SequenceView part{steps, cut(sequence.real), cut(sequence.ids), cut(sequence.codes), sequence.inputs};
  for (InputView& input : part.inputs)
    if (input.input < model.inputs.size() && model.inputs[input.input].value.has_time)
      input = {input.input, cut(input.real), cut(input.ids), cut(input.codes)};
  return part;
}

std::vector<float> Result::real() const {
  std::vector<float> real(steps * static_cast<std::size_t>(value.size()));
  decode(value, channels, bytes.data(), real);
  return real;
}

Session::Session(const Model& model, SessionOptions options)
    : plan_(Plan::on_pages(model, options.isa, options.pages)),
      workspace_(std::make_unique<Workspace>(*plan_)),
      team_(make_team(options.threads)) {}

Session::Session(const Session& other)
    : plan_(other.plan_),
      workspace_(plan_ == nullptr ? nullptr : std::make_unique<Workspace>(*plan_)),
      team_(make_team(other.team_ == nullptr ? 1 : other.team_->size())) {}

Session& Session::operator=(const Session& other) {
  if (this != &other) *this = Session(other);
  return *this;
}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

const Session::Plan& Session::plan() const {
  if (plan_ == nullptr) throw_usage("this Session was moved from and has no model; assign one to it first");
  return *plan_;
}

const Model& Session::model() const { return plan().model; }
Isa Session::isa() const { return plan().isa; }
bool Session::streams() const { return plan().looks_ahead.empty(); }
std::size_t Session::input_features() const { return plan().input_features(); }
std::size_t Session::score_count() const { return plan().score_count(); }
std::size_t Session::input(std::string_view name) const {
  std::vector<std::string> names;
  for (const ModelInput& input : plan().model.inputs) {
    if (input.name == name) return names.size();
    names.push_back(input.name);
  }
  throw_bad_input(concat("the model has no input '", printable(name), "'; its inputs are: ", join(names, ", ")));
}

std::size_t Session::output(std::string_view name) const {
  const std::vector<std::string>& names = plan().model.outputs;
  const auto found = std::ranges::find(names, name);
  if (found == names.end())
    throw_bad_input(concat("the model has no output '", printable(name), "'; its outputs are: ", join(names, ", ")));
  return static_cast<std::size_t>(found - names.begin());
}

std::size_t Session::weight_bytes() const { return plan().weight_bytes; }
std::size_t Session::huge_page_bytes() const { return plan().huge_page_bytes; }
const StateLayout& Session::state_layout() const { return *plan().layout; }
std::size_t Session::threads() const {
  plan();
  return team_ == nullptr ? 1 : team_->size();
}

State Session::initial_state() const {
  if (!streams())
    throw_bad_input(concat("model '", printable(plan_->model.name), "' can not stream: node '", plan_->looks_ahead,
                           "' runs backwards over the whole sequence; use run() on whole sequences, without a state"));
  AlignedVector<std::byte> bytes(plan_->state_bytes);
  plan_->reset(bytes.data());
  return {plan_->layout, std::move(bytes)};
}

State Session::restore_state(const std::vector<std::pair<std::string, std::span<const std::byte>>>& parts) const {
  State state = initial_state();
  std::size_t wanted = 0;
  for (const StatePart& part : plan_->layout->parts) {
    if (part.derived()) continue;
    ++wanted;
    const auto given = std::ranges::find(parts, part.name, [](const auto& entry) { return entry.first; });
    if (given == parts.end())
      throw_bad_input(concat("saved state lacks '", part.name, "'; was it made by another model?"));
    const std::span<std::byte> target = state.part(part.name);
    if (given->second.size() != target.size())
      throw_bad_input(concat("saved state '", part.name, "' has ", given->second.size(), " bytes, expected ",
                             target.size(), " (", part.count, " elements); was it made by another model?"));
    std::ranges::copy(given->second, target.begin());
    if (part.counts) check_step_count(part.name, target);
  }
  if (parts.size() != wanted)
    throw_bad_input(concat("saved state has ", parts.size(), " parts, expected ", wanted, " for this model"));
  state.derive();
  return state;
}

// ---- what a step refuses ----------------------------------------------------------------------------------------

struct Session::StepArguments {
  enum class Input { kReals, kIds, kCodes } input;
  std::size_t input_size;  // elements, of all states together
  std::span<const State> states;
  enum class Output { kNone, kScores, kBytes } output;
  std::size_t output_size;

  StepArguments(Input i, std::size_t in, std::span<const State> s, Output o, std::size_t out) noexcept
      : input(i), input_size(in), states(s), output(o), output_size(out) {}
  StepArguments(std::span<const float> frame, const State& state, std::span<float> scores) noexcept
      : StepArguments(Input::kReals, frame.size(), {&state, 1}, Output::kScores, scores.size()) {}
  StepArguments(std::int32_t /*id*/, const State& state, std::span<float> scores) noexcept
      : StepArguments(Input::kIds, 1, {&state, 1}, Output::kScores, scores.size()) {}
  StepArguments(std::span<const std::int8_t> frame, const State& state) noexcept
      : StepArguments(Input::kCodes, frame.size(), {&state, 1}, Output::kNone, 0) {}
  StepArguments(std::span<const float> frames, std::span<const State> of, std::span<float> scores) noexcept
      : StepArguments(Input::kReals, frames.size(), of, Output::kScores, scores.size()) {}
  StepArguments(std::span<const std::int8_t> frames, std::span<const State> of, std::span<std::byte> codes) noexcept
      : StepArguments(Input::kCodes, frames.size(), of, Output::kBytes, codes.size()) {}

  bool read_by(const Plan& plan) const noexcept {
    const NumberType kind = plan.values[0].format.kind;
    switch (input) {
      case Input::kReals: return kind != NumberType::kI32;
      case Input::kIds: return kind == NumberType::kI32;
      case Input::kCodes: return kind == NumberType::kI8;
    }
    return false;
  }
  std::size_t expected_output(const Plan& plan) const noexcept {
    switch (output) {
      case Output::kNone: return 0;
      case Output::kScores: return states.size() * plan.score_count();
      case Output::kBytes: return states.size() * value_bytes(plan.values[plan.outputs[0]]);
    }
    return 0;
  }
};

bool Session::owns(const State& state) const noexcept {
  return state.layout_ != nullptr && state.layout_->fingerprint == plan_->layout->fingerprint &&
         state.bytes_.size() == plan_->state_bytes;
}

// Inlined, since then nearly all of it is known: some 30 instructions instead of 80.
[[gnu::always_inline]] inline StepResult Session::judge(const StepArguments& arguments) const noexcept {
  if (plan_ == nullptr) return {StepRefusal::kNoModel};
  if (plan_->inputs.size() != 1) return {StepRefusal::kInputs};
  if (!arguments.read_by(*plan_)) return {StepRefusal::kInputKind};
  if (arguments.input_size != arguments.states.size() * plan_->input_features()) return {StepRefusal::kInputSize};
  if (arguments.output_size != arguments.expected_output(*plan_)) return {StepRefusal::kOutputSize};
  for (const State& state : arguments.states)
    if (!owns(state)) return {StepRefusal::kState};
  return {};
}

StepResult Session::judge(std::span<const InputView> inputs, std::span<const State> states,
                          std::span<const OutputView> outputs) const noexcept {
  if (plan_ == nullptr) return {StepRefusal::kNoModel};
  if (inputs.size() != plan_->inputs.size()) return {StepRefusal::kInputs};
  static_assert(kMaxInputs <= 64);
  std::uint64_t given = 0;  // a bit an input
  for (const InputView& input : inputs) {
    if (input.input >= inputs.size() || (given >> input.input & 1) != 0) return {StepRefusal::kInputs};
    given |= std::uint64_t{1} << input.input;
    const StepRefusal refusal = judge_input(plan_->values[plan_->inputs[input.input].value], input, states.size());
    if (refusal != StepRefusal::kNone) return {refusal};
  }
  for (const OutputView& output : outputs) {
    if (output.output >= plan_->outputs.size()) return {StepRefusal::kOutputSize};
    const Value& value = plan_->values[plan_->outputs[output.output]];
    const bool reals = output.real.size() == states.size() * static_cast<std::size_t>(value.size());
    const bool codes = output.codes.size() == states.size() * value_bytes(value);
    if (!(reals && output.codes.empty()) && !(codes && output.real.empty())) return {StepRefusal::kOutputSize};
  }
  for (const State& state : states)
    if (!owns(state)) return {StepRefusal::kState};
  return {};
}

std::string Session::whose_state(const State& state) const {
  if (state.layout_ == nullptr) return "the state was moved from; start from initial_state()";
  return concat("the state belongs to model ", hex64(state.fingerprint()), ", this is model ",
                hex64(plan_->layout->fingerprint), "; start from initial_state()");
}

StepResult Session::checked(StepResult result, const StepArguments& arguments) const {
  const std::size_t count = arguments.states.size();
  switch (result.refusal) {
    case StepRefusal::kNone: break;
    case StepRefusal::kNoModel: plan(); break;
    case StepRefusal::kInputKind: {
      constexpr std::array kNames{"reals", "ids", "int8 codes"};
      throw_bad_input(concat("a step was given ", kNames.at(static_cast<std::size_t>(arguments.input)),
                             ", but this model's input is ", type_name(plan_->values[0].format.kind)));
    }
    case StepRefusal::kInputSize:
      throw_bad_input(concat("a step of ", count, " states was given ", arguments.input_size, " elements, expected ",
                             count, " x ", input_features(), " features"));
    case StepRefusal::kOutputSize:
      throw_bad_input(concat("a step of ", count, " states was given room for ", arguments.output_size,
                             arguments.output == StepArguments::Output::kBytes ? " bytes" : " scores", ", expected ",
                             arguments.expected_output(*plan_)));
    case StepRefusal::kInputs:
      throw_bad_input(concat("a step was given one frame, but this model has ", plan_->inputs.size(),
                             " inputs: pass each of them as an InputView"));
    case StepRefusal::kState:
      for (std::size_t i = 0; i < count; ++i)
        if (const State& state = arguments.states[i]; !owns(state))
          throw_bad_input(concat(count == 1 ? "" : concat("state ", i, ": "), whose_state(state)));
  }
  return result;
}

StepResult Session::checked(StepResult result, std::span<const InputView> inputs, std::span<const State> states,
                            std::span<const OutputView> outputs) const {
  if (result.accepted()) return result;
  const Plan& prepared = plan();
  const auto name = [&](std::size_t input) {
    return input < prepared.inputs.size() ? concat("'", prepared.model.inputs[input].name, "'") : concat(input);
  };
  if (result.refusal == StepRefusal::kInputs) {
    std::vector<std::string> given;
    for (const InputView& input : inputs) given.push_back(name(input.input));
    throw_bad_input(concat("a step was given ", inputs.size(), " inputs (", join(given, ", "), "), expected each of ",
                           prepared.inputs.size(), " once"));
  }
  for (const InputView& input : inputs) {
    const Value& value = prepared.values[prepared.inputs[input.input].value];
    if (judge_input(value, input, states.size()) == StepRefusal::kNone) continue;
    throw_bad_input(concat("a step of ", states.size(), " states was given ", input.real.size(), " reals, ",
                           input.ids.size(), " ids and ", input.codes.size(), " codes for the input ",
                           name(input.input), ", which is ", type_name(value.format.kind), ", expected ",
                           states.size() * static_cast<std::size_t>(value.size()), " of one kind that it reads"));
  }
  for (const OutputView& output : outputs) {
    if (output.output >= prepared.outputs.size())
      throw_bad_input(
          concat("a step was asked for output ", output.output, ", the model has ", prepared.outputs.size()));
    if (result.refusal != StepRefusal::kOutputSize) break;
    const Value& value = prepared.values[prepared.outputs[output.output]];
    const std::size_t reals = states.size() * static_cast<std::size_t>(value.size()),
                      bytes = states.size() * value_bytes(value);
    if ((output.real.size() == reals && output.codes.empty()) || (output.codes.size() == bytes && output.real.empty()))
      continue;
    throw_bad_input(concat("a step of ", states.size(), " states was given room for ", output.real.size(),
                           " reals and ", output.codes.size(), " bytes of the output '",
                           prepared.model.outputs[output.output], "', expected ", reals, " reals or ", bytes,
                           " bytes"));
  }
  for (std::size_t i = 0; i < states.size(); ++i)
    if (!owns(states[i]))
      throw_bad_input(concat(states.size() == 1 ? "" : concat("state ", i, ": "), whose_state(states[i])));
  return result;
}

// ---- one step --------------------------------------------------------------------------------------------------

void Session::advance(State& state) noexcept {
  const WorkingMemory memory = workspace_->step_memory(team_.get());
  std::byte* const* pointers = workspace_->pointers.data();
  for (const Plan::Stage& stage : plan_->stages) {
    std::byte* const* in = pointers + stage.first_pointer;
    stage.layer->step(in, in + stage.inputs.size(), state.data() + stage.state_offset, memory, nullptr);
  }
}

StepResult Session::step(std::span<const float> frame, State& state, std::span<float> scores) noexcept {
  if (const StepResult result = judge({frame, state, scores}); !result) return result;
  plan_->enter(0, frame.data(), workspace_->values[0]);
  advance(state);
  const std::size_t first = plan_->outputs[0];
  plan_->leave(first, workspace_->values[first], scores);
  return {};
}

StepResult Session::step(std::int32_t id, State& state, std::span<float> scores) noexcept {
  if (const StepResult result = judge({id, state, scores}); !result) return result;
  std::memcpy(workspace_->values[0], &id, sizeof id);
  advance(state);
  const std::size_t first = plan_->outputs[0];
  plan_->leave(first, workspace_->values[first], scores);
  return {};
}

StepResult Session::step(std::span<const std::int8_t> frame, State& state) noexcept {
  if (const StepResult result = judge({frame, state}); !result) return result;
  std::memcpy(workspace_->values[0], frame.data(), frame.size());
  advance(state);
  return {};
}

std::span<const std::byte> Session::output_codes(std::size_t output) const noexcept {
  if (plan_ == nullptr || output >= plan_->outputs.size()) return {};
  const std::size_t value = plan_->outputs[output];
  return {workspace_->values[value], value_bytes(plan_->values[value])};
}

StepResult Session::encode(std::span<const float> frame, std::span<std::int8_t> codes) const noexcept {
  if (plan_ == nullptr) return {StepRefusal::kNoModel};
  if (plan_->values[0].format.kind != NumberType::kI8) return {StepRefusal::kInputKind};
  if (frame.size() != plan_->input_features()) return {StepRefusal::kInputSize};
  if (codes.size() != frame.size()) return {StepRefusal::kOutputSize};
  plan_->enter(0, frame.data(), std::as_writable_bytes(codes).data());
  return {};
}

StepResult Session::decode(std::span<const std::byte> codes, std::span<float> reals,
                           std::size_t output) const noexcept {
  if (plan_ == nullptr) return {StepRefusal::kNoModel};
  if (output >= plan_->outputs.size()) return {StepRefusal::kInputSize};
  const std::size_t value = plan_->outputs[output];
  if (codes.size() != value_bytes(plan_->values[value])) return {StepRefusal::kInputSize};
  if (reals.size() != static_cast<std::size_t>(plan_->values[value].size())) return {StepRefusal::kOutputSize};
  plan_->leave(value, codes.data(), reals);
  return {};
}

// ---- one step of many streams ----------------------------------------------------------------------------------

template <typename Enter, typename Leave>
void Session::advance_streams(std::span<State> states, const Enter& enter, const Leave& leave) noexcept {
  std::array<std::byte*, kCellGroup> parts{};
  std::byte* const* pointers = workspace_->pointers.data();
  for (std::size_t first = 0; first < states.size(); first += kCellGroup) {
    const std::size_t count = std::min(kCellGroup, states.size() - first);
    for (std::size_t s = 0; s < count; ++s) enter(first + s, s);
    const WorkingMemory memory = workspace_->step_memory(team_.get());
    for (const Plan::Stage& stage : plan_->stages) {
      for (std::size_t s = 0; s < count; ++s) parts[s] = states[first + s].data() + stage.state_offset;
      std::byte* const* in = pointers + stage.first_pointer;
      stage.layer->step_streams(in, in + stage.inputs.size(), parts.data(), count, memory);
    }
    for (std::size_t s = 0; s < count; ++s) leave(first + s, s);
  }
}

StepResult Session::step(std::span<const float> frames, std::span<State> states, std::span<float> scores) noexcept {
  if (const StepResult result = judge({frames, states, scores}); !result) return result;
  const std::size_t features = plan_->input_features(), count = plan_->score_count(), output = plan_->outputs[0];
  const std::size_t in_bytes = value_bytes(plan_->values[0]), out_bytes = value_bytes(plan_->values[output]);
  std::byte *const in = workspace_->values[0], *const out = workspace_->values[output];
  advance_streams(
      states, [&](std::size_t s, std::size_t at) { plan_->enter(0, frames.data() + s * features, in + at * in_bytes); },
      [&](std::size_t s, std::size_t at) {
        plan_->leave(output, out + at * out_bytes, scores.subspan(s * count, count));
      });
  return {};
}

StepResult Session::step(std::span<const std::int8_t> frames, std::span<State> states,
                         std::span<std::byte> codes) noexcept {
  if (const StepResult result = judge({frames, states, codes}); !result) return result;
  const std::size_t features = plan_->input_features(), output = plan_->outputs[0],
                    bytes = value_bytes(plan_->values[output]);
  std::byte *const in = workspace_->values[0], *const out = workspace_->values[output];
  advance_streams(
      states,
      [&](std::size_t s, std::size_t at) { std::memcpy(in + at * features, frames.data() + s * features, features); },
      [&](std::size_t s, std::size_t at) { std::memcpy(codes.data() + s * bytes, out + at * bytes, bytes); });
  return {};
}

StepResult Session::step(std::span<const InputView> inputs, std::span<State> states,
                         std::span<const OutputView> outputs) noexcept {
  if (const StepResult result = judge(inputs, states, outputs); !result) return result;
  advance_streams(
      states,
      [&](std::size_t s, std::size_t at) {
        for (const InputView& input : inputs) {
          const std::size_t v = plan_->inputs[input.input].value, bytes = value_bytes(plan_->values[v]);
          enter_frames(input, s, 1, workspace_->values[v] + at * bytes);
        }
      },
      [&](std::size_t s, std::size_t at) {
        for (const OutputView& output : outputs) {
          const std::size_t v = plan_->outputs[output.output], bytes = value_bytes(plan_->values[v]);
          const std::byte* from = workspace_->values[v] + at * bytes;
          if (output.real.empty()) {
            std::memcpy(output.codes.data() + s * bytes, from, bytes);
          } else {
            const auto size = static_cast<std::size_t>(plan_->values[v].size());
            plan_->leave(v, from, output.real.subspan(s * size, size));
          }
        }
      });
  return {};
}

StepResult Session::step(std::span<const InputView> inputs, State& state,
                         std::span<const OutputView> outputs) noexcept {
  return step(inputs, std::span(&state, 1), outputs);
}

// ---- steps that throw ------------------------------------------------------------------------------------------

StepResult Session::step_checked(std::span<const float> frame, State& state, std::span<float> scores) {
  return checked(step(frame, state, scores), {frame, state, scores});
}

StepResult Session::step_checked(std::int32_t id, State& state, std::span<float> scores) {
  return checked(step(id, state, scores), {id, state, scores});
}

StepResult Session::step_checked(std::span<const std::int8_t> frame, State& state) {
  return checked(step(frame, state), {frame, state});
}

StepResult Session::step_checked(std::span<const float> frames, std::span<State> states, std::span<float> scores) {
  return checked(step(frames, states, scores), {frames, states, scores});
}

StepResult Session::step_checked(std::span<const std::int8_t> frames, std::span<State> states,
                                 std::span<std::byte> codes) {
  return checked(step(frames, states, codes), {frames, states, codes});
}

StepResult Session::step_checked(std::span<const InputView> inputs, State& state, std::span<const OutputView> outputs) {
  return checked(step(inputs, state, outputs), inputs, {&state, 1}, outputs);
}

StepResult Session::step_checked(std::span<const InputView> inputs, std::span<State> states,
                                 std::span<const OutputView> outputs) {
  return checked(step(inputs, states, outputs), inputs, states, outputs);
}

// ---- whole sequences -------------------------------------------------------------------------------------------

void Session::check_sequence(const Plan& plan, const SequenceView& sequence, const std::string& which) {
  if (sequence.steps == 0) throw_bad_input(concat(which, " is empty, expected at least one time step"));
  if (!sequence.inputs.empty() && !(sequence.real.empty() && sequence.ids.empty() && sequence.codes.empty()))
    throw_bad_input(concat(which, " has a list of inputs and values beside it, expected one of the two"));
  const InputView only = only_input(sequence);
  const std::span<const InputView> inputs = inputs_of(sequence, only);
  std::vector<std::string> names;
  for (const ModelInput& input : plan.model.inputs) names.push_back(input.name);
  if (inputs.size() != names.size())
    throw_bad_input(concat(which, " gives ", inputs.size(), inputs.size() == 1 ? " input" : " inputs",
                           ", the model has ", names.size(), ": ", join(names, ", ")));
  std::vector<bool> given(inputs.size());
  for (const InputView& input : inputs) {
    if (input.input >= given.size() || given[input.input])
      throw_bad_input(concat(which, " gives input ", input.input,
                             input.input >= given.size() ? ", which the model does not have" : " twice", "; it has ",
                             names.size(), ": ", join(names, ", ")));
    given[input.input] = true;
    const Plan::Input& at = plan.inputs[input.input];
    const Value& value = plan.values[at.value];
    check_input(value, at.vocabulary, *plan.border, value.has_time ? sequence.steps : 1, input,
                names.size() == 1 ? which : concat(which, ", input '", names[input.input], "'"));
  }
}

void Session::enter_frames(const InputView& given, std::size_t first, std::size_t count, std::byte* to) const noexcept {
  const Value& value = plan_->values[plan_->inputs[given.input].value];
  const auto size = static_cast<std::size_t>(value.size());
  if (!given.ids.empty()) {
    const auto ids = given.ids.subspan(first * size, count * size);
    std::memcpy(to, ids.data(), ids.size_bytes());
  } else if (!given.codes.empty()) {
    const auto codes = given.codes.subspan(first * size, count * size);
    std::memcpy(to, codes.data(), codes.size_bytes());
  } else {
    const std::size_t bytes = value_bytes(value);
    for (std::size_t t = 0; t < count; ++t)
      plan_->enter(given.input, given.real.data() + (first + t) * size, to + t * bytes);
  }
}

void Session::enter_sequence(const SequenceView& sequence, std::size_t first, std::size_t steps,
                             const Workspace& workspace, std::size_t step, std::size_t index) const {
  const InputView only = only_input(sequence);
  for (const InputView& given : inputs_of(sequence, only)) {
    const std::size_t v = plan_->inputs[given.input].value, bytes = value_bytes(plan_->values[v]);
    if (plan_->values[v].has_time) {
      enter_frames(given, first, steps, workspace.values[v] + step * bytes);
    } else {
      enter_frames(given, 0, 1, workspace.values[v] + index * bytes);
    }
  }
}

std::vector<Result> Session::empty_results(std::size_t steps) const {
  std::vector<Result> results;
  for (const std::size_t v : plan_->outputs) {
    const Value& value = plan_->values[v];
    results.push_back({value, value.has_time ? steps : 1, {}, plan_->channels[v]});
    results.back().bytes.reserve(results.back().steps * value_bytes(value));
  }
  return results;
}

void Session::append_results(const Workspace& workspace, std::size_t first_step, std::size_t steps, std::size_t index,
                             std::vector<Result>& results) const {
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Value& value = results[i].value;
    const std::size_t bytes = value_bytes(value);
    const std::byte* from = workspace.values[plan_->outputs[i]] + (value.has_time ? first_step : index) * bytes;
    if (!value.has_time) results[i].bytes.clear();
    results[i].bytes.insert(results[i].bytes.end(), from, from + (value.has_time ? steps : 1) * bytes);
  }
}

std::vector<Result> Session::run_one(const SequenceView& sequence, std::byte* state, Observer* observer) {
  check_sequence(*plan_, sequence, "the sequence");
  Workspace& workspace = *workspace_;
  // An observer sees all steps of a node before those of the next one.
  const std::size_t block = observer == nullptr ? plan_->block_steps(1, sequence.steps) : sequence.steps;
  workspace.reserve_run(*plan_, block);
  std::vector<Result> results = empty_results(sequence.steps);
  for (std::size_t first = 0; first < sequence.steps; first += block) {
    const std::size_t count = std::min(block, sequence.steps - first);
    enter_sequence(sequence, first, count, workspace, 0, 0);
    for (const Plan::Stage& stage : plan_->stages) {
      std::byte* const* in = workspace.pointers.data() + stage.first_pointer;
      stage.layer->run({in, in + stage.inputs.size(), state + stage.state_offset, stage.has_time ? count : 1},
                       workspace.scratch.data(), observer, team_.get());
    }
    append_results(workspace, 0, count, 0, results);
  }
  return results;
}

std::vector<Result> Session::run(const SequenceView& sequence, Observer* observer) {
  const Plan& prepared = plan();  // throws where there is none, and so no workspace
  return run_one(sequence, workspace_->fresh_state(prepared, 0), observer);
}

std::vector<Result> Session::run(const SequenceView& sequence, State& state, Observer* observer) {
  plan();
  if (!owns(state)) throw_bad_input(whose_state(state));
  return run_one(sequence, state.data(), observer);
}

// ---- batches ---------------------------------------------------------------------------------------------------

void Session::run_group(Workspace& workspace, std::span<const SequenceView> batch, std::span<const std::size_t> group,
                        std::span<std::vector<Result>> results) const {
  const Plan& plan = *plan_;
  const std::size_t longest = batch[group[0]].steps, block = plan.block_steps(group.size(), longest);
  // The last first: none moves once it is there.
  for (std::size_t i = group.size(); i-- > 0;) {
    results[group[i]] = empty_results(batch[group[i]].steps);
    workspace.fresh_state(plan, i);
  }
  std::size_t running = group.size();  // the first ones: the longest
  for (std::size_t first = 0; first < longest; first += block) {
    while (batch[group[running - 1]].steps <= first) --running;
    std::vector<std::size_t> steps, first_steps;  // of the block, and where they lie in the workspace
    std::size_t all_steps = 0;
    for (std::size_t i = 0; i < running; ++i) {
      steps.push_back(std::min(block, batch[group[i]].steps - first));
      first_steps.push_back(all_steps);
      all_steps += steps[i];
    }
    workspace.reserve_run(plan, all_steps);
    for (std::size_t i = 0; i < running; ++i)
      enter_sequence(batch[group[i]], first, steps[i], workspace, first_steps[i], i);
    for (const Plan::Stage& stage : plan.stages) {
      const std::size_t slots = stage.inputs.size() + stage.outputs.size();
      std::vector<std::byte*> frames;  // of all sequences, by slot
      frames.reserve(running * slots);
      std::vector<Passage> passages;
      for (std::size_t i = 0; i < running; ++i) {
        std::byte** in = frames.data() + frames.size();
        for (std::size_t slot = 0; slot < slots; ++slot) {
          const bool read = slot < stage.inputs.size();
          const Value& value = plan.values[read ? stage.inputs[slot] : stage.outputs[slot - stage.inputs.size()]];
          frames.push_back(workspace.pointers[stage.first_pointer + slot] +
                           (value.has_time ? first_steps[i] : i) * value_bytes(value));
        }
        passages.push_back({in, in + stage.inputs.size(),
                            workspace.states.data() + i * plan.state_bytes + stage.state_offset,
                            stage.has_time ? steps[i] : 1});
      }
      stage.layer->run_batch(passages, workspace.scratch.data());
    }
    for (std::size_t i = 0; i < running; ++i) append_results(workspace, first_steps[i], steps[i], i, results[group[i]]);
  }
}

std::vector<std::vector<Result>> Session::run(std::span<const SequenceView> batch) {
  const Plan& prepared = plan();
  for (std::size_t i = 0; i < batch.size(); ++i) check_sequence(prepared, batch[i], concat("sequence ", i));
  if (batch.size() == 1) return {run(batch[0])};
  std::vector<std::vector<Result>> results(batch.size());
  // Longest first: a group's sequences end at about the same time. Sequences are independent, so which ones are
  // together, and where, can not change a bit.
  std::vector<std::size_t> order(batch.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, std::greater{}, [&](std::size_t index) { return batch[index].steps; });
  const std::size_t workers = std::min(threads(), batch.size());
  const std::size_t together = std::min(kCellGroup, (batch.size() + workers - 1) / std::max<std::size_t>(workers, 1));

  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_lock;
  const auto work = [&](Workspace& workspace) {
    try {
      for (std::size_t first = next.fetch_add(together); first < order.size(); first = next.fetch_add(together))
        run_group(workspace, batch, std::span(order).subspan(first, std::min(together, order.size() - first)), results);
    } catch (...) {  // out of memory
      const std::lock_guard lock(failure_lock);
      failure = std::current_exception();
    }
  };
  if (workers <= 1) {
    work(*workspace_);
  } else {
    std::vector<std::unique_ptr<Workspace>> others;
    for (std::size_t w = 1; w < workers; ++w) others.push_back(std::make_unique<Workspace>(*plan_));
    team_->run([&](std::size_t piece) {
      if (piece < workers) work(piece == 0 ? *workspace_ : *others[piece - 1]);
    });
  }
  if (failure) std::rethrow_exception(failure);
  return results;
}

}  // namespace quaver
