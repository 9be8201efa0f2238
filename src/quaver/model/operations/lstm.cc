#include "quaver/model/operations/lstm.h"

#include <cmath>

#include "quaver/model/operations/recurrent.h"

namespace quaver {
namespace {

constexpr FormatSlot::IntegerBits kCellBits{0, 6};

void check_clip(const Node& node, std::string_view attribute, float clip) {
  if (!std::isfinite(clip) || clip < 0)
    refuse(described(node), " has ", attribute, " ", clip, ", expected 0 (none) or a finite number above 0");
}

class LstmRow final : public OperationRowOf<LstmAttributes> {
 public:
  std::span<const std::string_view> output_slots() const override {
    static constexpr std::array<std::string_view, 3> kSlots{"y", "h_n", "c_n"};
    return kSlots;
  }
  std::optional<Direction> direction(const Operation& operation) const override {
    return std::get<LstmAttributes>(operation).direction;
  }

  bool runs_inside_frames(const Operation& operation) const override {
    return std::get<LstmAttributes>(operation).axis != kStreamAxis;
  }

  std::vector<std::string> gates(const Operation& operation) const override {
    const bool cifg = std::get<LstmAttributes>(operation).input_forget;
    return cifg ? std::vector<std::string>{"o", "f", "c"} : std::vector<std::string>{"i", "o", "f", "c"};
  }
  std::string variant(const Operation& operation) const override {
    const auto& lstm = std::get<LstmAttributes>(operation);
    std::vector<std::string> words;
    if (lstm.input_forget) words.emplace_back("cifg");
    if (lstm.peephole) words.emplace_back("peephole");
    if (lstm.layer_norm) words.emplace_back("layer norm");
    if (lstm.projection_size > 0) words.push_back(concat("projected from ", lstm.hidden_size));
    if (lstm.clip > 0) words.push_back(concat("clip ", lstm.clip));
    if (lstm.projection_clip > 0) words.push_back(concat("projection clip ", lstm.projection_clip));
    if (lstm.direction != Direction::kForward) words.emplace_back(direction_name(lstm.direction));
    if (runs_inside_frames(operation)) words.emplace_back(lstm.carry ? "inside frames, carried" : "inside frames");
    return join(words, ", ");
  }

  std::vector<TensorSlot> tensors(const Node& node) const override {
    const auto& lstm = std::get<LstmAttributes>(node.operation);
    const std::int64_t cells = lstm.hidden_size, outputs = lstm.output_size();
    const auto gates = static_cast<std::size_t>(lstm.gate_count());
    const std::int64_t rows = lstm.gate_count() * cells;
    const std::string name = node.name + ".";
    using enum TensorRole;
    std::vector<TensorSlot> slots;
    for (const std::string& d : direction_suffixes(lstm.direction)) {
      slots.push_back({name + "W" + d,
                       {rows, lstm.input_size},
                       matrix_type(node),
                       kMatrix,
                       d,
                       gates,
                       {"input" + d},
                       TensorStart::kGlorot});
      slots.push_back({name + "R" + d,
                       {rows, outputs},
                       matrix_type(node),
                       kMatrix,
                       d,
                       gates,
                       {"output" + d},
                       TensorStart::kOrthogonal});
      slots.push_back({name + "b" + d, {rows}, bias_type(node), kBias, d, gates, {}, TensorStart::kForgetOnes});
      if (lstm.peephole)
        slots.push_back({name + "P" + d, {(lstm.gate_count() - 1) * cells}, vector_type(node), kVector, d, gates - 1});
      if (lstm.layer_norm)
        slots.push_back({name + "L" + d, {rows}, vector_type(node), kVector, d, gates, {}, TensorStart::kOnes});
      if (lstm.projection_size > 0) {
        slots.push_back({name + "W_projection" + d,
                         {outputs, cells},
                         matrix_type(node),
                         kMatrix,
                         d,
                         1,
                         {"hidden" + d},
                         TensorStart::kGlorot});
        slots.push_back({name + "b_projection" + d, {outputs}, bias_type(node), kBias, d});
      }
    }
    return slots;
  }

  std::vector<TensorSlot> optional_tensors(const Node& node) const override {
    const auto& lstm = std::get<LstmAttributes>(node.operation);
    std::vector<TensorSlot> slots;
    if (!lstm.layer_norm || runs_in_float(node)) return slots;
    for (const std::string& d : direction_suffixes(lstm.direction))
      slots.push_back({concat(node.name, ".b_input", d),
                       {lstm.gate_count() * lstm.hidden_size},
                       NumberType::kI32,
                       TensorRole::kBias,
                       d,
                       static_cast<std::size_t>(lstm.gate_count())});
    return slots;
  }

  std::vector<FormatSlot> formats(const Node& node) const override {
    std::vector<FormatSlot> slots;
    if (runs_in_float(node)) return slots;
    add_state_format(node, slots);
    const auto& lstm = std::get<LstmAttributes>(node.operation);
    for (const std::string& d : direction_suffixes(lstm.direction)) {
      slots.push_back({"cell" + d, NumberType::kI16, false, kCellBits});
      if (lstm.projection_size > 0) slots.push_back({"hidden" + d, NumberType::kI8});
      if (!lstm.layer_norm) continue;
      if (!lstm.input_forget) slots.push_back({"gate_i" + d});
      for (const char* gate : {"gate_o", "gate_f", "gate_c"}) slots.push_back({gate + d});
    }
    return slots;
  }

  std::vector<CodeSlot> codes(const Node& node) const override {
    if (runs_in_float(node)) return {};
    const bool clamped = node.outputs[0].format.kind == NumberType::kI8;  // the copy of a wide output is not
    return {{"cell_clip", 0, 32767},
            {"output_low", -128, clamped ? 127 : -128},
            {"output_high", clamped ? -128 : 127, 127}};
  }

  void check_formats(const Site& site) const override {
    const auto& lstm = std::get<LstmAttributes>(site.node.operation);
    check_recurrent_input(site);
    check_recurrent_output(site, /*can_be_wide=*/lstm.projection_size == 0, /*copied=*/false);
    if (site.node.outputs.size() > 2) {
      const auto cell = site.node.formats.find("cell" + direction_suffixes(lstm.direction).front());
      if (cell == site.node.formats.end()) return;  // said where formats are checked
      expect_output_format(site, 2, cell->second);
      const auto reverse = site.node.formats.find("cell_reverse");
      if (lstm.direction == Direction::kBidirectional && reverse != site.node.formats.end())
        expect_output_format(site, 2, reverse->second);
    }
  }

 protected:
  void check(const Site& site, const LstmAttributes& lstm) const override {
    check_recurrent(site, lstm);
    if (lstm.projection_size != 0) check_size(site.node, "projection_size", lstm.projection_size);
    check_clip(site.node, "clip", lstm.clip);
    check_clip(site.node, "projection_clip", lstm.projection_clip);
    if (lstm.projection_clip > 0 && lstm.projection_size == 0)
      refuse(described(site.node), " has projection_clip ", lstm.projection_clip, " but no projection");
  }

  std::vector<Value> outputs(const LstmAttributes& lstm, std::span<const Value* const> inputs) const override {
    return recurrent_outputs(*inputs[0], lstm.direction, lstm.axis, lstm.output_size(),
                             {lstm.output_size(), lstm.hidden_size});
  }

  std::string text(const LstmAttributes& lstm) const override {
    std::string text = concat("lstm ", lstm.hidden_size);
    if (lstm.projection_size > 0) text += concat(" projection ", lstm.projection_size);
    if (lstm.input_forget) text += " cifg";
    if (lstm.peephole) text += " peephole";
    if (lstm.layer_norm) text += " layer_norm";
    return text + direction_text(lstm.direction);
  }
};

}  // namespace

const OperationRow& LstmAttributes::row() {
  static const LstmRow kRow;
  return kRow;
}

}  // namespace quaver
