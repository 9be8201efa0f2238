#include "quaver/engine/sequence/plan.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/huge_pages.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/engine/sequence/operations/conversion.h"
#include "quaver/engine/sequence/operations/row.h"

namespace quaver {
namespace {

bool is_coded(const Format& format) { return format.kind == NumberType::kI8 || format.kind == NumberType::kI16; }

// The matrices of a float node, which one step reads whole; a row of an embedding's is nothing beside them.
std::size_t float_weight_bytes(const Model& model, const Node& node) {
  std::size_t bytes = 0;
  for (const TensorSlot& slot : tensor_slots(node))
    if (slot.role == TensorRole::kMatrix) bytes += model.tensor(slot.name).byte_count();
  return bytes;
}

// The same model with the tensors of its border alone: normalisation, and scales and offsets of values.
Model without_weights(const Model& model) {
  std::set<std::string> kept;
  const auto keep = [&](const std::string& value) {
    for (const char* suffix : {".mean", ".inverse_deviation", ".scale", ".offset"}) kept.insert(value + suffix);
  };
  for (const ModelInput& input : model.inputs) keep(input.name);
  for (const Node& node : model.nodes) keep(node.name);
  Model graph = model;  // whose tensors share their bytes
  std::erase_if(graph.tensors, [&](const auto& entry) { return !kept.contains(entry.first); });
  return graph;
}

FrameCoder border_of(const Model& model, const ModelInput& input, Isa isa) {
  // One of each innermost feature; a frame may have rows of them.
  const auto rows = static_cast<std::size_t>(input.value.size() / input.value.shape.features());
  const auto repeated = [rows](std::span<const float> of_row) {
    std::vector<float> all;
    for (std::size_t row = 0; row < rows; ++row) all.insert(all.end(), of_row.begin(), of_row.end());
    return all;
  };
  std::vector<float> mean, inverse_deviation;
  if (const Tensor* tensor = model.find_tensor(input.name + ".mean")) {
    mean = repeated(tensor->as<float>());
    inverse_deviation = repeated(model.tensor(input.name + ".inverse_deviation").as<float>());
  }
  const Channels channels = channels_of(model, input.name);
  return {static_cast<std::size_t>(input.value.size()),
          input.value.format,
          {repeated(channels.scale), repeated(channels.offset)},
          std::move(mean),
          std::move(inverse_deviation),
          isa};
}

}  // namespace

std::size_t Session::Plan::add_value(Value value, Channels made) {
  values.push_back(std::move(value));
  channels.push_back(std::move(made));
  return values.size() - 1;
}

std::vector<std::size_t> Session::Plan::add_stage(std::unique_ptr<Layer> layer, std::vector<std::size_t> from,
                                                  Channels made, StateLayout& states) {
  Stage stage;
  std::vector<Channels> read;
  for (const std::size_t value : from) read.push_back(channels[value]);
  layer->set_channels(std::move(read), made);
  stage.has_time = std::ranges::any_of(layer->inputs(), &Value::has_time);
  for (std::size_t slot = 0; slot < layer->outputs().size(); ++slot)
    stage.outputs.push_back(add_value(layer->outputs()[slot], slot == 0 ? made : Channels{}));
  scratch_bytes = std::max(scratch_bytes, layer->scratch_bytes());
  run_scratch_bytes = std::max(run_scratch_bytes, layer->run_scratch_bytes());
  for (const std::span<const std::byte> matrix : layer->weights()) weight_bytes += matrix.size();
  if (!layer->streams() && looks_ahead.empty()) looks_ahead = layer->name();
  for (StatePart part : layer->state_parts()) {
    part.name = layer->name() + "." + part.name;
    part.offset += state_bytes;
    part.origin += state_bytes;
    states.parts.push_back(part);
  }
  stage.state_offset = state_bytes;
  state_bytes += align_up(layer->state_bytes());
  stage.inputs = std::move(from);
  stage.layer = std::move(layer);
  stages.push_back(std::move(stage));
  return stages.back().outputs;
}

Session::Plan::Plan(const Model& source, Isa chosen)
    : model(without_weights(source)), isa(chosen), border(&frames_path(chosen)) {
  validate(source);
  StateLayout states;
  std::map<std::string, std::size_t> value_of;
  for (const ModelInput& input : model.inputs) {
    value_of[input.name] = add_value(input.value, channels_of(source, input.name));
    inputs.push_back({values.size() - 1, border_of(source, input, isa), vocabulary_of(source, input)});
  }
  for (const Node& node : model.nodes) {
    const bool in_float = runs_in_float(node);
    if (in_float) weight_bytes += float_weight_bytes(source, node);
    std::vector<std::size_t> from;
    LayerSite site{source, node, {}, node.outputs, isa};
    for (std::size_t slot = 0; slot < node.inputs.size(); ++slot) {
      std::size_t input = value_of.at(node.inputs[slot]);
      const Format wanted = input_format(source, node, slot);
      if (wanted != values[input].format)
        input = add_stage(make_conversion(values[input], wanted), {input},
                          is_float(wanted) ? Channels{} : channels[input], states)[0];
      from.push_back(input);
      site.inputs.push_back(values[input]);
    }
    const bool island = in_float && is_coded(node.outputs[0].format);  // a float node that gives codes
    if (island) site.outputs[0].format = Format{};
    const Channels made = channels_of(source, node.name);
    std::unique_ptr<Layer> layer;
    try {
      layer = make_layer(site);
    } catch (const Error& error) {  // scales that no multiplier holds, sums beyond int32
      throw Error(error.kind(), concat("node '", printable(node.name), "': ", error.what()));
    }
    std::vector<std::size_t> outputs_of_node =
        add_stage(std::move(layer), std::move(from), island ? Channels{} : made, states);
    if (island)
      outputs_of_node[0] = add_stage(make_conversion(values[outputs_of_node[0]], node.outputs[0].format),
                                     {outputs_of_node[0]}, made, states)[0];
    for (std::size_t slot = 0; slot < outputs_of_node.size(); ++slot)
      value_of[value_name(node, slot)] = outputs_of_node[slot];
  }
  for (const std::string& name : model.outputs) outputs.push_back(value_of.at(name));
  states.bytes = state_bytes;
  states.fingerprint = fingerprint(source);
  layout = std::make_shared<const StateLayout>(std::move(states));
  std::size_t pointers = 0;
  for (Stage& stage : stages) {
    stage.first_pointer = pointers;
    pointers += stage.inputs.size() + stage.outputs.size();
  }
  share_places();
}

void Session::Plan::move_weights_to_huge_pages() {
  for (const Stage& stage : stages)
    for (const std::span<const std::byte> matrix : stage.layer->weights())
      if (matrix.size() >= kHugePage) huge_page_bytes += move_to_huge_pages(matrix);
}

// Steps of one stream from zeros on: of a layer that looks ahead, sequences of one step.
class Session::Plan::TimedSteps {
 public:
  explicit TimedSteps(const Plan& plan) : plan_(plan), workspace_(plan) {
    workspace_.reserve_run(plan, 1);
    std::ranges::fill(workspace_.arena, std::byte{0});
    state_ = workspace_.fresh_state(plan, 0);
  }
  // One turn: seconds a step, after one that finds the weights where the other kind's turn has left them.
  double turn() {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds kTurn(2);
    step();
    std::size_t steps = 0;
    const Clock::time_point start = Clock::now();
    Clock::duration taken{};
    do {
      step();
      ++steps;
      taken = Clock::now() - start;
    } while (taken < kTurn);
    return std::chrono::duration<double>(taken).count() / static_cast<double>(steps);
  }

 private:
  void step() {
    const WorkingMemory memory = workspace_.step_memory(nullptr);
    for (const Stage& stage : plan_.stages) {
      std::byte* const* in = workspace_.pointers.data() + stage.first_pointer;
      std::byte* const* out = in + stage.inputs.size();
      std::byte* state = state_ + stage.state_offset;
      if (stage.layer->streams()) {
        stage.layer->step(in, out, state, memory, nullptr);
      } else {
        stage.layer->run({in, out, state, 1}, memory, nullptr, nullptr);
      }
    }
  }

  const Plan& plan_;
  Workspace workspace_;
  std::byte* state_;
};

std::shared_ptr<const Session::Plan> Session::Plan::on_pages(const Model& model, Isa isa, WeightPages pages) {
  auto plan = std::make_shared<Plan>(model, isa);
  if (pages == WeightPages::kPlain) return plan;
  plan->move_weights_to_huge_pages();
  if (pages == WeightPages::kHuge || plan->huge_page_bytes == 0) return plan;
  // Two plans, for nothing moves memory back; in turns, so that what else the machine does meets both.
  constexpr int kTurns = 11;
  auto plain = std::make_shared<Plan>(model, isa);
  TimedSteps on_huge(*plan), on_plain(*plain);
  double huge_seconds = std::numeric_limits<double>::infinity(), plain_seconds = huge_seconds;
  for (int turn = 0; turn < kTurns; ++turn) {
    huge_seconds = std::min(huge_seconds, on_huge.turn());
    plain_seconds = std::min(plain_seconds, on_plain.turn());
  }
  return huge_seconds < plain_seconds ? plan : plain;
}

// Greedy over the stages, which are in order: a value takes the place whose last value nobody reads any more.
void Session::Plan::share_places() {
  constexpr std::size_t kAlways = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> last_use(values.size(), 0);
  for (std::size_t s = 0; s < stages.size(); ++s) {
    for (const std::size_t v : stages[s].inputs) last_use[v] = s;
    for (const std::size_t v : stages[s].outputs) last_use[v] = s;
  }
  for (const std::size_t v : outputs) last_use[v] = kAlways;
  for (const Input& input : inputs)
    if (!values[input.value].has_time) last_use[input.value] = kAlways;
  places.resize(values.size());
  std::vector<std::size_t> free_after;  // of each place
  std::vector<bool> timed;              // places grow with steps, or do not
  const auto place = [&](std::size_t v, std::size_t stage) {
    for (std::size_t p = 0; p < free_after.size(); ++p) {
      if (free_after[p] == kAlways || free_after[p] >= stage || timed[p] != values[v].has_time) continue;
      free_after[p] = last_use[v];
      places[v] = p;
      return;
    }
    places[v] = free_after.size();
    free_after.push_back(last_use[v]);
    timed.push_back(values[v].has_time);
  };
  for (const Input& input : inputs) place(input.value, 0);
  for (std::size_t s = 0; s < stages.size(); ++s)
    for (const std::size_t v : stages[s].outputs) place(v, s);
  place_count = free_after.size();
}

std::size_t Session::Plan::block_steps(std::size_t sequences, std::size_t longest) const {
  constexpr std::size_t kBytes = 2 << 20;  // of all values
  constexpr std::size_t kLeast = 64;       // products of several steps at once need some
  if (!looks_ahead.empty()) return longest;
  std::size_t step_bytes = 0;
  for (const Value& value : values) step_bytes += value.has_time ? value_bytes(value) : 0;
  return std::min(longest, std::max(kLeast, kBytes / std::max<std::size_t>(step_bytes * sequences, 1)));
}

void Session::Plan::reset(std::byte* state) const noexcept {
  for (const Stage& stage : stages) stage.layer->reset(state + stage.state_offset);
}

Session::Workspace::Workspace(const Plan& plan) : scratch(plan.scratch_bytes) { reserve(plan, kCellGroup); }

void Session::Workspace::reserve_run(const Plan& plan, std::size_t steps) {
  if (scratch.size() < plan.run_scratch_bytes) {
    scratch = {};  // first: both at once would be twice the memory
    scratch.resize(plan.run_scratch_bytes);
  }
  reserve(plan, steps);
}

void Session::Workspace::reserve(const Plan& plan, std::size_t steps) {
  if (steps <= reserved_steps_) return;
  reserved_steps_ = steps;
  std::vector<std::size_t> bytes(plan.place_count);
  for (std::size_t v = 0; v < plan.values.size(); ++v) {
    const std::size_t wanted = value_bytes(plan.values[v]) * (plan.values[v].has_time ? steps : kCellGroup);
    bytes[plan.places[v]] = std::max(bytes[plan.places[v]], align_up(wanted));
  }
  std::vector<std::size_t> offsets;
  std::size_t all = 0;
  for (const std::size_t size : bytes) {
    offsets.push_back(all);
    all += size;
  }
  arena = {};  // first: both at once would be twice the memory
  arena.resize(all);
  values.clear();
  for (std::size_t v = 0; v < plan.values.size(); ++v) values.push_back(arena.data() + offsets[plan.places[v]]);
  // What can be read before a step has made it.
  for (const std::size_t v : plan.outputs) std::fill_n(values[v], value_bytes(plan.values[v]), std::byte{0});
  pointers.clear();
  for (const Plan::Stage& stage : plan.stages) {
    for (const std::size_t v : stage.inputs) pointers.push_back(values[v]);
    for (const std::size_t v : stage.outputs) pointers.push_back(values[v]);
  }
}

std::byte* Session::Workspace::fresh_state(const Plan& plan, std::size_t index) {
  states.resize(std::max(states.size(), (index + 1) * plan.state_bytes));
  std::byte* state = states.data() + index * plan.state_bytes;
  plan.reset(state);
  return state;
}

}  // namespace quaver
