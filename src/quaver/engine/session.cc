#include "quaver/engine/session.h"

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
#include "quaver/engine/plan.h"

namespace quaver {
namespace {

// A pool's count of steps comes back from a file: its next step divides by it.
constexpr std::string_view kStepCountPart = ".count";
constexpr std::int64_t kMostSteps = std::int64_t{1} << 40;

void check_step_count(const std::string& name, std::span<const std::byte> bytes) {
  std::int64_t count = 0;
  std::memcpy(&count, bytes.data(), sizeof count);
  if (count < 0 || count > kMostSteps)
    throw_bad_input(concat("saved state '", name, "' counts ", count, " steps, expected 0 to ", kMostSteps));
}

// size = steps * features, which may be too much for a number of 64 bits.
bool holds(std::size_t size, std::size_t steps, std::size_t features) {
  return size % features == 0 && size / features == steps;
}

// The door of run(): everything a caller can get wrong, said with its place.
void check_sequence(const Value& input, const std::vector<Node>& nodes, const SequenceView& sequence,
                    const std::string& which) {
  const auto features = static_cast<std::size_t>(input.size());
  if (sequence.steps == 0) throw_bad_input(concat(which, " is empty, expected at least one time step"));
  if (!sequence.real.empty() + !sequence.ids.empty() + !sequence.codes.empty() > 1)
    throw_bad_input(concat(which, " has ", sequence.real.size(), " reals, ", sequence.ids.size(), " ids and ",
                           sequence.codes.size(), " codes, expected one of the three and the others empty"));
  if (input.format.kind == NumberType::kI32) {
    if (sequence.ids.size() != sequence.steps)
      throw_bad_input(concat(which, " has ", sequence.ids.size(), " ids for ", sequence.steps,
                             " time steps; this model reads ids (int32), one a step"));
    std::int64_t vocabulary = INT64_MAX;
    for (const Node& node : nodes)
      if (const auto* embedding = std::get_if<EmbeddingAttributes>(&node.operation);
          embedding != nullptr && node.inputs[0] == "input")
        vocabulary = std::min(vocabulary, embedding->vocabulary);
    for (std::size_t t = 0; t < sequence.steps; ++t)
      if (sequence.ids[t] < 0 || sequence.ids[t] >= vocabulary)
        throw_bad_input(concat(which, ", step ", t, ": id ", sequence.ids[t], " is outside the vocabulary of ",
                               vocabulary, " (expected 0..", vocabulary - 1, ")"));
    return;
  }
  if (!sequence.ids.empty())
    throw_bad_input(concat(which, " holds ids, but this model reads frames of ", features, " features"));
  if (!sequence.codes.empty()) {
    if (input.format.kind != NumberType::kI8)
      throw_bad_input(concat(which, " holds int8 codes, but this model's input is ", type_name(input.format.kind),
                             ": pass real features"));
    if (!holds(sequence.codes.size(), sequence.steps, features))
      throw_bad_input(concat(which, " has ", sequence.codes.size(), " codes, expected ", sequence.steps, " steps x ",
                             features, " features"));
    return;
  }
  if (!holds(sequence.real.size(), sequence.steps, features))
    throw_bad_input(concat(which, " has ", sequence.real.size(), " values, expected ", sequence.steps, " steps x ",
                           features, " features; was the model made for other features?"));
  for (std::size_t i = 0; i < sequence.real.size(); ++i)
    if (!std::isfinite(sequence.real[i]))
      throw_bad_input(concat(which, ", step ", i / features, ", feature ", i % features, " is ", sequence.real[i],
                             ", expected a finite number"));
}

std::unique_ptr<Team> make_team(std::size_t threads) { return threads > 1 ? std::make_unique<Team>(threads) : nullptr; }

}  // namespace

std::vector<float> Result::real() const {
  std::vector<float> real(steps * static_cast<std::size_t>(value.size()));
  decode(value, channels, bytes.data(), real);
  return real;
}

Session::Session(const Model& model, SessionOptions options)
    : plan_(std::make_shared<const Plan>(model, options.isa)),
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
std::size_t Session::weight_bytes() const { return plan().weight_bytes; }
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
    if (part.derived) continue;
    ++wanted;
    const auto given = std::ranges::find(parts, part.name, [](const auto& entry) { return entry.first; });
    if (given == parts.end())
      throw_bad_input(concat("saved state lacks '", part.name, "'; was it made by another model?"));
    const std::span<std::byte> target = state.part(part.name);
    if (given->second.size() != target.size())
      throw_bad_input(concat("saved state '", part.name, "' has ", given->second.size(), " bytes, expected ",
                             target.size(), " (", part.count, " elements); was it made by another model?"));
    std::ranges::copy(given->second, target.begin());
    if (part.name.ends_with(kStepCountPart)) check_step_count(part.name, target);
  }
  if (parts.size() != wanted)
    throw_bad_input(concat("saved state has ", parts.size(), " parts, expected ", wanted, " for this model"));
  for (const Plan::Stage& stage : plan_->stages) stage.layer->restore_derived(state.data() + stage.state_offset);
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
  if (!arguments.read_by(*plan_)) return {StepRefusal::kInputKind};
  if (arguments.input_size != arguments.states.size() * plan_->input_features()) return {StepRefusal::kInputSize};
  if (arguments.output_size != arguments.expected_output(*plan_)) return {StepRefusal::kOutputSize};
  for (const State& state : arguments.states)
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
    case StepRefusal::kState:
      for (std::size_t i = 0; i < count; ++i)
        if (const State& state = arguments.states[i]; !owns(state))
          throw_bad_input(concat(count == 1 ? "" : concat("state ", i, ": "), whose_state(state)));
  }
  return result;
}

// ---- one step --------------------------------------------------------------------------------------------------

void Session::advance(State& state) noexcept {
  const WorkingMemory memory = workspace_->step_memory(team_.get());
  for (const Plan::Stage& stage : plan_->stages) {
    const std::byte* in = workspace_->values[stage.input].data();
    std::byte* out = workspace_->values[stage.output].data();
    std::byte* part = state.data() + stage.state_offset;
    stage.layer->step(in, out, part, memory, nullptr);
  }
}

StepResult Session::step(std::span<const float> frame, State& state, std::span<float> scores) noexcept {
  if (const StepResult result = judge({frame, state, scores}); !result) return result;
  plan_->enter(frame.data(), workspace_->values[0].data());
  advance(state);
  const std::size_t first = plan_->outputs[0];
  plan_->leave(first, workspace_->values[first].data(), scores);
  return {};
}

StepResult Session::step(std::int32_t id, State& state, std::span<float> scores) noexcept {
  if (const StepResult result = judge({id, state, scores}); !result) return result;
  std::memcpy(workspace_->values[0].data(), &id, sizeof id);
  advance(state);
  const std::size_t first = plan_->outputs[0];
  plan_->leave(first, workspace_->values[first].data(), scores);
  return {};
}

StepResult Session::step(std::span<const std::int8_t> frame, State& state) noexcept {
  if (const StepResult result = judge({frame, state}); !result) return result;
  std::memcpy(workspace_->values[0].data(), frame.data(), frame.size());
  advance(state);
  return {};
}

std::span<const std::byte> Session::output_codes(std::size_t output) const noexcept {
  if (plan_ == nullptr || output >= plan_->outputs.size()) return {};
  const std::size_t value = plan_->outputs[output];
  return {workspace_->values[value].data(), value_bytes(plan_->values[value])};
}

StepResult Session::encode(std::span<const float> frame, std::span<std::int8_t> codes) const noexcept {
  if (plan_ == nullptr) return {StepRefusal::kNoModel};
  if (plan_->values[0].format.kind != NumberType::kI8) return {StepRefusal::kInputKind};
  if (frame.size() != plan_->input_features()) return {StepRefusal::kInputSize};
  if (codes.size() != frame.size()) return {StepRefusal::kOutputSize};
  plan_->enter(frame.data(), std::as_writable_bytes(codes).data());
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
  const auto value = [&](std::size_t v, std::size_t s) {
    return workspace_->values[v].data() + s * value_bytes(plan_->values[v]);
  };
  std::array<std::byte*, kCellGroup> parts{};
  for (std::size_t first = 0; first < states.size(); first += kCellGroup) {
    const std::size_t count = std::min(kCellGroup, states.size() - first);
    for (std::size_t s = 0; s < count; ++s) enter(first + s, value(0, s));
    const WorkingMemory memory = workspace_->step_memory(team_.get());
    for (const Plan::Stage& stage : plan_->stages) {
      for (std::size_t s = 0; s < count; ++s) parts[s] = states[first + s].data() + stage.state_offset;
      stage.layer->step_streams(value(stage.input, 0), value(stage.output, 0), parts.data(), count, memory);
    }
    for (std::size_t s = 0; s < count; ++s) leave(first + s, value(plan_->outputs[0], s));
  }
}

StepResult Session::step(std::span<const float> frames, std::span<State> states, std::span<float> scores) noexcept {
  if (const StepResult result = judge({frames, states, scores}); !result) return result;
  const std::size_t features = plan_->input_features(), count = plan_->score_count();
  advance_streams(
      states, [&](std::size_t s, std::byte* value) { plan_->enter(frames.data() + s * features, value); },
      [&](std::size_t s, const std::byte* value) {
        plan_->leave(plan_->outputs[0], value, scores.subspan(s * count, count));
      });
  return {};
}

StepResult Session::step(std::span<const std::int8_t> frames, std::span<State> states,
                         std::span<std::byte> codes) noexcept {
  if (const StepResult result = judge({frames, states, codes}); !result) return result;
  const std::size_t features = plan_->input_features(), bytes = value_bytes(plan_->values[plan_->outputs[0]]);
  advance_streams(
      states, [&](std::size_t s, std::byte* value) { std::memcpy(value, frames.data() + s * features, features); },
      [&](std::size_t s, const std::byte* value) { std::memcpy(codes.data() + s * bytes, value, bytes); });
  return {};
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

// ---- whole sequences -------------------------------------------------------------------------------------------

void Session::enter_sequence(const SequenceView& sequence, std::size_t first, std::size_t steps,
                             std::byte* input) const {
  const std::size_t features = input_features();
  if (!sequence.ids.empty()) {
    const auto ids = sequence.ids.subspan(first, steps);
    std::memcpy(input, ids.data(), ids.size_bytes());
  } else if (!sequence.codes.empty()) {
    const auto codes = sequence.codes.subspan(first * features, steps * features);
    std::memcpy(input, codes.data(), codes.size_bytes());
  } else {
    const std::size_t bytes = value_bytes(plan_->values[0]);
    for (std::size_t t = 0; t < steps; ++t)
      plan_->enter(sequence.real.data() + (first + t) * features, input + t * bytes);
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
    const std::byte* from = workspace.values[plan_->outputs[i]].data() + (value.has_time ? first_step : index) * bytes;
    if (!value.has_time) results[i].bytes.clear();
    results[i].bytes.insert(results[i].bytes.end(), from, from + (value.has_time ? steps : 1) * bytes);
  }
}

std::vector<Result> Session::run_one(const SequenceView& sequence, std::byte* state, Observer* observer) {
  check_sequence(plan_->values[0], plan_->model.nodes, sequence, "the sequence");
  Workspace& workspace = *workspace_;
  // An observer sees all steps of a node before those of the next one.
  const std::size_t block = observer == nullptr ? plan_->block_steps(1, sequence.steps) : sequence.steps;
  workspace.reserve(*plan_, block);
  std::vector<Result> results = empty_results(sequence.steps);
  for (std::size_t first = 0; first < sequence.steps; first += block) {
    const std::size_t count = std::min(block, sequence.steps - first);
    enter_sequence(sequence, first, count, workspace.values[0].data());
    for (const Plan::Stage& stage : plan_->stages) {
      const std::size_t steps = plan_->values[stage.input].has_time ? count : 1;
      stage.layer->run({workspace.values[stage.input].data(), workspace.values[stage.output].data(),
                        state + stage.state_offset, steps},
                       workspace.scratch.data(), observer, team_.get());
    }
    append_results(workspace, 0, count, 0, results);
  }
  return results;
}

std::vector<Result> Session::run(const SequenceView& sequence, Observer* observer) {
  plan().reset(workspace_->states.data());
  return run_one(sequence, workspace_->states.data(), observer);
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
  for (std::size_t i = 0; i < group.size(); ++i) {
    results[group[i]] = empty_results(batch[group[i]].steps);
    plan.reset(workspace.states.data() + i * plan.state_bytes);
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
    workspace.reserve(plan, all_steps);
    const auto at = [&](std::size_t v, std::size_t i) {
      return workspace.values[v].data() + (plan.values[v].has_time ? first_steps[i] : i) * value_bytes(plan.values[v]);
    };
    for (std::size_t i = 0; i < running; ++i) enter_sequence(batch[group[i]], first, steps[i], at(0, i));
    for (const Plan::Stage& stage : plan.stages) {
      std::vector<Passage> passages;
      for (std::size_t i = 0; i < running; ++i)
        passages.push_back({at(stage.input, i), at(stage.output, i),
                            workspace.states.data() + i * plan.state_bytes + stage.state_offset,
                            plan.values[stage.input].has_time ? steps[i] : 1});
      stage.layer->run_batch(passages, workspace.scratch.data());
    }
    for (std::size_t i = 0; i < running; ++i) append_results(workspace, first_steps[i], steps[i], i, results[group[i]]);
  }
}

std::vector<std::vector<Result>> Session::run(std::span<const SequenceView> batch) {
  const Plan& prepared = plan();
  for (std::size_t i = 0; i < batch.size(); ++i)
    check_sequence(prepared.values[0], prepared.model.nodes, batch[i], concat("sequence ", i));
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
