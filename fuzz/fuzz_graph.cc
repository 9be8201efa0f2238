// fuzz_graph.cc - graphs built from bytes, right and wrong: cycles, names of nothing, slots that are not there, shapes
// that do not fit, joins of different scales without a rescale, outputs twice. validate() refuses a graph with an
// Error, or it survives a file and runs: with the same bits on the scalar path and this CPU's, and step by step.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "given_frames.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/sample_models.h"

namespace quaver {
namespace {

// Decisions, a byte each; 0, which is always the ordinary one, when they are used up.
class Choices {
 public:
  explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::size_t below(std::size_t count) {
    if (next_ == bytes_.size()) return 0;
    return bytes_[next_++] % count;
  }
  // One in 16, so that most graphs stay right.
  bool wrong() { return below(16) == 15; }
  template <typename T, std::size_t kCount>
  T one_of(const std::array<T, kCount>& values) {
    return values[below(kCount)];
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t next_ = 0;
};

class GraphMaker {
 public:
  explicit GraphMaker(Choices& choices) : choices_(choices) {}

  Model make() {
    model_.scheme = scheme();
    const std::size_t inputs = 1 + choices_.below(3);
    for (std::size_t i = 0; i < inputs; ++i) add_input(choices_.wrong() ? "n0" : concat("x", i));
    const std::size_t nodes = 1 + choices_.below(6);
    for (std::size_t i = 0; i < nodes; ++i) add_node(concat("n", i));
    const std::size_t outputs = 1 + choices_.below(3);
    for (std::size_t i = 0; i < outputs; ++i)
      model_.outputs.push_back(i == 0 && !choices_.wrong() ? model_.nodes.back().name : any_value());
    if (!choices_.wrong()) {  // an output twice is refused: mostly not what is to be found
      std::ranges::sort(model_.outputs);
      model_.outputs.erase(std::unique(model_.outputs.begin(), model_.outputs.end()), model_.outputs.end());
    }
    samples::fill_tensors(model_, 1 + choices_.below(4));
    if (choices_.wrong() && !model_.tensors.empty()) model_.tensors.erase(model_.tensors.begin());
    return std::move(model_);
  }

 private:
  static constexpr std::array<Format, 4> kWide{{{NumberType::kI16, 1e-4f, 0},
                                                {NumberType::kI16, 1e-4f, 0},
                                                {NumberType::kI16, 2e-4f, 0},
                                                {NumberType::kI16, 0x1p-15f, 0}}};

  std::string scheme() {
    return std::string(choices_.one_of(std::array<std::string_view, 8>{
        "f32", "int8", "int4", "int8_per_tensor", "quaternary", "ternary", "binary", "ternary_per_tensor"}));
  }

  Format narrow() {
    return choices_.one_of(std::array<Format, 4>{{{NumberType::kI8, 0.02f, -5},
                                                  {NumberType::kI8, 0.02f, -5},
                                                  {NumberType::kI8, 0x1p-7f, 0},
                                                  {NumberType::kI8, 0.05f, 127}}});
  }

  void add_input(std::string name) {
    Value value;
    switch (choices_.below(8)) {
      case 6: value.shape = {2, 3}; break;
      case 7: value.shape = {2, 1, 2}; break;
      default: value.shape = {static_cast<std::int64_t>(1 + choices_.below(4))};
    }
    value.has_time = choices_.below(4) != 3;
    switch (choices_.below(4)) {
      case 0: value.format = is_float_scheme(model_.scheme) ? Format{} : narrow(); break;
      case 1: break;
      case 2: value.format = narrow(); break;
      default: value.format = {NumberType::kI32, 1.0f, 0}; value.shape = {1};
    }
    if (choices_.wrong()) value.rate = 2;
    model_.inputs.push_back({std::move(name), value});
  }

  // A value that is there, mostly a late one.
  std::string known_value() {
    std::vector<std::string> names;
    for (auto node = model_.nodes.rbegin(); node != model_.nodes.rend(); ++node)
      for (std::size_t slot = 0; slot < node->outputs.size(); ++slot) names.push_back(value_name(*node, slot));
    for (const ModelInput& input : model_.inputs) names.push_back(input.name);
    return names[choices_.below(names.size())];
  }
  std::string any_value() {
    if (!choices_.wrong()) return known_value();
    return std::string(choices_.one_of(std::array<std::string_view, 6>{"n5", "n0", "", "nothing", "n0.h_n", "n1.c_n"}));
  }

  const Value* find_value(const std::string& name) const {
    for (const ModelInput& input : model_.inputs)
      if (input.name == name) return &input.value;
    for (const Node& node : model_.nodes)
      for (std::size_t slot = 0; slot < node.outputs.size(); ++slot)
        if (value_name(node, slot) == name) return &node.outputs[slot];
    return nullptr;
  }

  Operation operation(std::int64_t features) {
    const std::int64_t in = choices_.wrong() ? features + 1 : features;
    const auto size = static_cast<std::int64_t>(1 + choices_.below(5));
    const auto direction = choices_.one_of(
        std::array{Direction::kForward, Direction::kForward, Direction::kReverse, Direction::kBidirectional});
    switch (choices_.below(11)) {
      case 0: return DenseAttributes{.input_size = in, .units = size};
      case 1: return AddAttributes{};
      case 2: return ConcatAttributes{};
      case 3: {
        LstmAttributes lstm{.input_size = in, .hidden_size = size, .direction = direction};
        const std::size_t switches = choices_.below(16);
        lstm.input_forget = (switches & 1) != 0;
        lstm.peephole = (switches & 2) != 0;
        lstm.layer_norm = (switches & 4) != 0;
        if ((switches & 8) != 0) lstm.projection_size = 1 + size / 2;
        return lstm;
      }
      case 4:
        return GruAttributes{.input_size = in,
                             .hidden_size = size,
                             .linear_before_reset = choices_.below(2) == 0,
                             .direction = direction};
      case 5: return RnnAttributes{.input_size = in, .hidden_size = size, .direction = direction};
      case 6: return ActivationAttributes{choices_.one_of(std::array{Nonlinearity::kRelu, Nonlinearity::kTanh})};
      case 7:
        return PoolAttributes{
            choices_.one_of(std::array{Pooling::kLast, Pooling::kMean, Pooling::kMax, Pooling::kFinal})};
      case 8: return EmbeddingAttributes{.vocabulary = 1 + size, .features = in};
      case 9: return SoftmaxAttributes{};
      default: return ArgmaxAttributes{};
    }
  }

  // Outputs of any shape for an operation that would refuse its inputs, its own for one that takes them.
  std::vector<Value> outputs_of(const Node& node) {
    std::vector<const Value*> read;
    std::vector<Site::Input> inputs;
    for (const std::string& name : node.inputs) {
      const Value* value = find_value(name);
      if (value == nullptr) return {model_.inputs[0].value};
      read.push_back(value);
      inputs.push_back({value, nullptr, value->has_time});
    }
    const OperationRow& row = row_of(node.operation);
    try {
      if (read.size() < row.least_inputs() || read.size() > row.most_inputs()) return {*read[0]};
      row.check({node, inputs});
    } catch (const Error&) {
      return {*read[0]};
    }
    std::vector<Value> outputs = row.outputs(node.operation, read);
    outputs.resize(1 + choices_.below(outputs.size()));
    return outputs;
  }

  // The formats that its scheme most likely wants; which exactly is for validate() to say.
  void set_formats(Node& node) {
    const bool in_float = runs_in_float(node);
    const OperationRow& row = row_of(node.operation);
    Format& own = node.outputs[0].format;
    const Value* first = find_value(node.inputs[0]);
    if (row.gives_index()) {
      own = {NumberType::kI32, 1.0f, 0};
    } else if (in_float) {
      own = choices_.below(8) == 7 ? narrow() : Format{};
    } else if (choices_.below(4) == 3) {
      own = choices_.one_of(kWide);
    } else if (std::holds_alternative<PoolAttributes>(node.operation) && first != nullptr) {
      own = first->format;
    } else if (std::holds_alternative<SoftmaxAttributes>(node.operation)) {
      own = {NumberType::kI16, 0x1p-15f, 0};
    } else {
      own = narrow();
    }
    if (in_float) return;
    for (const FormatSlot& slot : row.formats(node))
      if (!slot.optional || choices_.below(2) == 1)
        node.formats[slot.name] =
            slot.kind == NumberType::kI8 ? narrow() : Format{NumberType::kI16, slot.integer_bits ? 0x1p-12f : 3e-4f, 0};
    for (const CodeSlot& slot : row.codes(node))
      node.codes[slot.name] = slot.name == "output_low" ? slot.low : slot.high;
    for (std::size_t slot = 1; slot < node.outputs.size(); ++slot) {
      const auto cell = node.formats.find("cell");
      node.outputs[slot].format = slot == 2 && cell != node.formats.end() ? cell->second : own;
    }
    if (is_integer_recurrent(node) && choices_.below(2) == 1) node.sums = Sums::kWhole;
    const bool adds = std::holds_alternative<AddAttributes>(node.operation),
               joins = adds || std::holds_alternative<ConcatAttributes>(node.operation);
    for (std::size_t slot = 0; slot < node.inputs.size(); ++slot) {
      const Value* read = find_value(node.inputs[slot]);
      const bool real = read != nullptr && is_float(read->format);
      if (choices_.wrong() || (!joins && !real) || row.reads_ids()) continue;
      node.formats[input_format_name(slot)] = choices_.wrong() ? choices_.one_of(kWide)
                                              : adds           ? kWide[0]
                                              : joins          ? own
                                                               : narrow();
    }
  }

  void add_node(std::string name) {
    Node node;
    node.name = choices_.wrong() ? "x0" : std::move(name);
    node.scheme = choices_.below(4) == 3 ? scheme() : model_.scheme;
    node.inputs = {any_value()};
    const Value* first = find_value(node.inputs[0]);
    node.operation = operation(first == nullptr ? 1 : first->shape.features());
    if (row_of(node.operation).most_inputs() > 1 || choices_.wrong())
      for (std::size_t more = 1 + choices_.below(2); more > 0; --more) node.inputs.push_back(any_value());
    node.outputs = outputs_of(node);
    set_formats(node);
    model_.nodes.push_back(std::move(node));
  }

  Choices& choices_;
  Model model_;
};

void check_steps(const Model& model, Session& session, const std::vector<GivenInput>& given,
                 const std::vector<Result>& expected) {
  State state = session.initial_state();
  std::vector<std::vector<std::byte>> codes;
  for (const Result& result : expected) codes.emplace_back(result.bytes.size() / result.steps);
  std::vector<OutputView> outputs;
  for (std::size_t i = 0; i < codes.size(); ++i) outputs.push_back({i, {}, codes[i]});
  for (std::size_t t = 0; t < kSteps; ++t) {
    if (!session.step(views(model, given, &t), state, outputs)) std::abort();
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const bool has_time = expected[i].value.has_time;
      if (!has_time && t + 1 < kSteps) continue;
      const auto frame = std::span(expected[i].bytes).subspan(has_time ? t * codes[i].size() : 0, codes[i].size());
      if (!std::ranges::equal(codes[i], frame)) std::abort();
    }
  }
}

void try_graph(const Model& model) {
  try {
    validate(model);
    const std::string saved = save_bytes(model);
    if (load_bytes(std::as_bytes(std::span(saved))) != model) std::abort();
    const std::vector<GivenInput> given = frames_for(model);
    const SequenceView sequence{.steps = kSteps, .inputs = views(model, given, nullptr)};
    Session session(model), scalar(model, {.isa = Isa::kScalar});
    const std::vector<Result> results = session.run(sequence);
    if (results != scalar.run(sequence)) std::abort();
    for (Session* one : {&session, &scalar})
      if (one->streams()) check_steps(model, *one, given, results);
  } catch (const Error&) {
  }
}

}  // namespace
}  // namespace quaver

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  quaver::Choices choices(std::span(data, size));
  quaver::try_graph(quaver::GraphMaker(choices).make());
  return 0;
}
