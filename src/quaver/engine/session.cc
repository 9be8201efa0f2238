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
#include "quaver/core/check.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/engine/plan.h"

namespace quaver {
namespace {

// Codes to reals: real.size() elements.
void decode(const Value& value, const std::byte* bytes, std::span<float> real) noexcept {
  const Format& format = value.format;
  const auto from_codes = [&](const auto* codes) {
    for (std::size_t j = 0; j < real.size(); ++j)
      real[j] = format.scale * static_cast<float>(std::int64_t{codes[j]} - format.zero_point);
  };
  switch (format.kind) {
    case FormatKind::kF32: std::copy_n(reinterpret_cast<const float*>(bytes), real.size(), real.data()); break;
    case FormatKind::kI8: from_codes(reinterpret_cast<const std::int8_t*>(bytes)); break;
    case FormatKind::kI16: from_codes(reinterpret_cast<const std::int16_t*>(bytes)); break;
    case FormatKind::kI32: from_codes(reinterpret_cast<const std::int32_t*>(bytes)); break;
    case FormatKind::kI4: break;  // no value is
  }
}

// A pool's count of steps comes back from a file: its next step divides by it.
constexpr std::string_view kStepCountPart = ".count";
constexpr std::int64_t kMostSteps = std::int64_t{1} << 40;

void check_step_count(const std::string& name, std::span<const std::byte> bytes) {
  std::int64_t count = 0;
  std::memcpy(&count, bytes.data(), sizeof count);
  if (count < 0 || count > kMostSteps)
    throw_bad_input(concat("saved state '", name, "' counts ", count, " steps, expected 0 to ", kMostSteps));
}

// The door of run(): everything a caller can get wrong, said with its place.
void check_sequence(const Value& input, const std::vector<Node>& nodes, const SequenceView& sequence,
                    const std::string& which) {
  const auto features = static_cast<std::size_t>(input.features);
  if (sequence.steps == 0) throw_bad_input(concat(which, " is empty, expected at least one time step"));
  if (input.format.kind == FormatKind::kI32) {
    if (sequence.ids.size() != sequence.steps)
      throw_bad_input(concat(which, " has ", sequence.ids.size(), " ids for ", sequence.steps,
                             " time steps; this model reads ids (int32), one a step"));
    std::int64_t vocabulary = INT64_MAX;
    for (const Node& node : nodes)
      if (const auto* embedding = std::get_if<EmbeddingAttributes>(&node.operation);
          embedding != nullptr && node.input == "input")
        vocabulary = std::min(vocabulary, embedding->vocabulary);
    for (std::size_t t = 0; t < sequence.steps; ++t)
      if (sequence.ids[t] < 0 || sequence.ids[t] >= vocabulary)
        throw_bad_input(concat(which, ", step ", t, ": id ", sequence.ids[t], " is outside the vocabulary of ",
                               vocabulary, " (expected 0..", vocabulary - 1, ")"));
    return;
  }
  if (!sequence.codes.empty()) {
    if (is_float(input.format))
      throw_bad_input(concat(which, " holds int8 codes, but this model is float: pass real features"));
    if (sequence.codes.size() != sequence.steps * features)
      throw_bad_input(concat(which, " has ", sequence.codes.size(), " codes, expected ", sequence.steps, " steps x ",
                             features, " features"));
    return;
  }
  if (sequence.real.size() != sequence.steps * features)
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
  std::vector<float> real(steps * static_cast<std::size_t>(value.features));
  decode(value, bytes.data(), real);
  return real;
}

Session::Session(const Model& model, SessionOptions options)
    : plan_(std::make_shared<const Plan>(model, options.isa)),
      workspace_(std::make_unique<Workspace>(*plan_)),
      team_(make_team(options.threads)) {}

Session::Session(const Session& other)
    : plan_(other.plan_), workspace_(std::make_unique<Workspace>(*plan_)), team_(make_team(other.threads())) {}

Session& Session::operator=(const Session& other) {
  if (this != &other) *this = Session(other);
  return *this;
}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

const Model& Session::model() const { return plan_->model; }
Isa Session::isa() const { return plan_->isa; }
bool Session::streams() const { return plan_->looks_ahead.empty(); }
std::size_t Session::input_features() const { return static_cast<std::size_t>(plan_->values[0].features); }
std::size_t Session::score_count() const { return static_cast<std::size_t>(plan_->values[plan_->outputs[0]].features); }
std::size_t Session::weight_bytes() const { return plan_->weight_bytes; }
std::size_t Session::threads() const { return team_ == nullptr ? 1 : team_->size(); }

State Session::initial_state() const {
  if (!streams())
    throw_bad_input(concat("model '", plan_->model.name, "' can not stream: node '", plan_->looks_ahead,
                           "' runs backwards over the whole sequence; use run() on whole sequences"));
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

// ---- one step --------------------------------------------------------------------------------------------------

void Session::advance(State& state) noexcept {
  QUAVER_DCHECK(state.fingerprint() == plan_->layout->fingerprint);
  const WorkingMemory memory = workspace_->step_memory(team_.get());
  for (const Plan::Stage& stage : plan_->stages) {
    const std::byte* in = workspace_->values[stage.input].data();
    std::byte* out = workspace_->values[stage.output].data();
    std::byte* part = state.data() + stage.state_offset;
    stage.layer->step(in, out, part, memory, nullptr);
  }
}

void Session::step(std::span<const float> frame, State& state, std::span<float> scores) noexcept {
  QUAVER_DCHECK(frame.size() == input_features() && scores.size() == score_count());
  plan_->enter(frame.data(), workspace_->values[0].data());
  advance(state);
  const std::size_t first = plan_->outputs[0];
  decode(plan_->values[first], workspace_->values[first].data(), scores);
}

void Session::step(std::int32_t id, State& state, std::span<float> scores) noexcept {
  QUAVER_DCHECK(plan_->values[0].format.kind == FormatKind::kI32 && scores.size() == score_count());
  std::memcpy(workspace_->values[0].data(), &id, sizeof id);
  advance(state);
  const std::size_t first = plan_->outputs[0];
  decode(plan_->values[first], workspace_->values[first].data(), scores);
}

void Session::step(std::span<const std::int8_t> frame, State& state) noexcept {
  QUAVER_DCHECK(plan_->values[0].format.kind == FormatKind::kI8 && frame.size() == input_features());
  std::memcpy(workspace_->values[0].data(), frame.data(), frame.size());
  advance(state);
}

std::span<const std::byte> Session::output_codes(std::size_t output) const noexcept {
  const std::size_t value = plan_->outputs[output];
  return {workspace_->values[value].data(), value_bytes(plan_->values[value])};
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

void Session::step(std::span<const float> frames, std::span<State> states, std::span<float> scores) noexcept {
  const std::size_t features = input_features(), count = score_count();
  QUAVER_DCHECK(frames.size() == states.size() * features && scores.size() == states.size() * count);
  advance_streams(
      states, [&](std::size_t s, std::byte* value) { plan_->enter(frames.data() + s * features, value); },
      [&](std::size_t s, const std::byte* value) {
        decode(plan_->values[plan_->outputs[0]], value, scores.subspan(s * count, count));
      });
}

void Session::step(std::span<const std::int8_t> frames, std::span<State> states, std::span<std::byte> codes) noexcept {
  const std::size_t features = input_features(), bytes = value_bytes(plan_->values[plan_->outputs[0]]);
  QUAVER_DCHECK(frames.size() == states.size() * features && codes.size() == states.size() * bytes);
  advance_streams(
      states, [&](std::size_t s, std::byte* value) { std::memcpy(value, frames.data() + s * features, features); },
      [&](std::size_t s, const std::byte* value) { std::memcpy(codes.data() + s * bytes, value, bytes); });
}

// ---- whole sequences -------------------------------------------------------------------------------------------

void Session::enter_sequence(const SequenceView& sequence, std::byte* input) const {
  if (!sequence.ids.empty()) {
    std::memcpy(input, sequence.ids.data(), sequence.ids.size_bytes());
  } else if (!sequence.codes.empty()) {
    std::memcpy(input, sequence.codes.data(), sequence.codes.size_bytes());
  } else {
    const std::size_t features = input_features(), bytes = value_bytes(plan_->values[0]);
    for (std::size_t t = 0; t < sequence.steps; ++t)
      plan_->enter(sequence.real.data() + t * features, input + t * bytes);
  }
}

std::vector<Result> Session::results_at(const Workspace& workspace, std::size_t first_step, std::size_t steps,
                                        std::size_t index) const {
  std::vector<Result> results;
  for (const std::size_t v : plan_->outputs) {
    const Value& value = plan_->values[v];
    const std::size_t bytes = value_bytes(value);
    Result result{value, value.sequence ? steps : 1, {}};
    const std::byte* from = workspace.values[v].data() + (value.sequence ? first_step : index) * bytes;
    result.bytes.assign(from, from + result.steps * bytes);
    results.push_back(std::move(result));
  }
  return results;
}

std::vector<Result> Session::run_one(const SequenceView& sequence, std::byte* state, Observer* observer) {
  check_sequence(plan_->values[0], plan_->model.nodes, sequence, "the sequence");
  Workspace& workspace = *workspace_;
  workspace.reserve(*plan_, sequence.steps);
  enter_sequence(sequence, workspace.values[0].data());
  for (const Plan::Stage& stage : plan_->stages) {
    const std::size_t steps = plan_->values[stage.input].sequence ? sequence.steps : 1;
    stage.layer->run({workspace.values[stage.input].data(), workspace.values[stage.output].data(),
                      state + stage.state_offset, steps},
                     workspace.scratch.data(), observer, team_.get());
  }
  return results_at(workspace, 0, sequence.steps, 0);
}

std::vector<Result> Session::run(const SequenceView& sequence, Observer* observer) {
  plan_->reset(workspace_->states.data());
  return run_one(sequence, workspace_->states.data(), observer);
}

std::vector<Result> Session::run(const SequenceView& sequence, State& state, Observer* observer) {
  if (state.fingerprint() != plan_->layout->fingerprint)
    throw_bad_input(concat("the state belongs to model ", hex64(state.fingerprint()), ", this is model ",
                           hex64(plan_->layout->fingerprint), "; start from initial_state()"));
  return run_one(sequence, state.data(), observer);
}

// ---- batches ---------------------------------------------------------------------------------------------------

void Session::run_group(Workspace& workspace, std::span<const SequenceView> batch, std::span<const std::size_t> group,
                        std::span<std::vector<Result>> results) const {
  const Plan& plan = *plan_;
  std::vector<std::size_t> first_steps;
  std::size_t all_steps = 0;
  for (const std::size_t index : group) {
    first_steps.push_back(all_steps);
    all_steps += batch[index].steps;
  }
  workspace.reserve(plan, all_steps);
  const auto at = [&](std::size_t v, std::size_t i) {
    return workspace.values[v].data() + (plan.values[v].sequence ? first_steps[i] : i) * value_bytes(plan.values[v]);
  };
  for (std::size_t i = 0; i < group.size(); ++i) {
    enter_sequence(batch[group[i]], at(0, i));
    plan.reset(workspace.states.data() + i * plan.state_bytes);
  }
  for (const Plan::Stage& stage : plan.stages) {
    std::vector<Passage> passages;
    for (std::size_t i = 0; i < group.size(); ++i)
      passages.push_back({at(stage.input, i), at(stage.output, i),
                          workspace.states.data() + i * plan.state_bytes + stage.state_offset,
                          plan.values[stage.input].sequence ? batch[group[i]].steps : 1});
    stage.layer->run_batch(passages, workspace.scratch.data());
  }
  for (std::size_t i = 0; i < group.size(); ++i)
    results[group[i]] = results_at(workspace, first_steps[i], batch[group[i]].steps, i);
}

std::vector<std::vector<Result>> Session::run(std::span<const SequenceView> batch) {
  for (std::size_t i = 0; i < batch.size(); ++i)
    check_sequence(plan_->values[0], plan_->model.nodes, batch[i], concat("sequence ", i));
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
