#include "quaver/model/operations/gru.h"

#include "quaver/model/operations/recurrent.h"

namespace quaver {
namespace {

constexpr FormatSlot::IntegerBits kCandidateBits{3, 7};

class GruRow final : public OperationRowOf<GruAttributes> {
 public:
  std::span<const std::string_view> output_slots() const override { return kStateSlots; }
  std::optional<Direction> direction(const Operation& operation) const override {
    return std::get<GruAttributes>(operation).direction;
  }

  bool runs_inside_frames(const Operation& operation) const override {
    return std::get<GruAttributes>(operation).axis != kStreamAxis;
  }

  std::vector<std::string> gates(const Operation&) const override { return {"z", "r", "h"}; }
  std::string variant(const Operation& operation) const override {
    const auto& gru = std::get<GruAttributes>(operation);
    std::vector<std::string> words;
    if (!gru.linear_before_reset) words.emplace_back("reset before");
    if (gru.direction != Direction::kForward) words.emplace_back(direction_name(gru.direction));
    if (runs_inside_frames(operation)) words.emplace_back(gru.carry ? "inside frames, carried" : "inside frames");
    return join(words, ", ");
  }

  std::vector<TensorSlot> tensors(const Node& node) const override {
    const auto& gru = std::get<GruAttributes>(node.operation);
    const std::int64_t n = gru.hidden_size;
    const std::string name = node.name + ".";
    using enum TensorRole;
    std::vector<TensorSlot> slots;
    for (const std::string& d : direction_suffixes(gru.direction)) {
      const std::string candidate = (gru.linear_before_reset ? "output" : "reset") + d;
      slots.push_back({name + "W" + d,
                       {3 * n, gru.input_size},
                       matrix_type(node),
                       kMatrix,
                       d,
                       3,
                       {"input" + d},
                       TensorStart::kGlorot});
      slots.push_back({name + "R" + d,
                       {3 * n, n},
                       matrix_type(node),
                       kMatrix,
                       d,
                       3,
                       {"output" + d, "output" + d, candidate},
                       TensorStart::kOrthogonal});
      slots.push_back({name + "b" + d, {3 * n}, bias_type(node), kBias, d, 3});
      slots.push_back({name + "b_recurrent" + d, {(runs_in_float(node) ? 3 : 1) * n}, bias_type(node), kBias, d});
    }
    return slots;
  }

  std::vector<FormatSlot> formats(const Node& node) const override {
    std::vector<FormatSlot> slots;
    if (runs_in_float(node)) return slots;
    add_state_format(node, slots);
    const auto& gru = std::get<GruAttributes>(node.operation);
    if (!gru.linear_before_reset) return slots;
    for (const std::string& d : direction_suffixes(gru.direction))
      slots.push_back({"candidate_recurrent" + d, NumberType::kI16, /*optional=*/true, kCandidateBits});
    return slots;
  }

  void check_formats(const Site& site) const override {
    check_recurrent_input(site);
    check_recurrent_output(site, /*can_be_wide=*/true, /*copied=*/true);
  }

 protected:
  void check(const Site& site, const GruAttributes& gru) const override { check_recurrent(site, gru); }

  std::vector<Value> outputs(const GruAttributes& gru, std::span<const Value* const> inputs) const override {
    return recurrent_outputs(*inputs[0], gru.direction, gru.axis, gru.hidden_size, {gru.hidden_size});
  }

  std::string text(const GruAttributes& gru) const override {
    return concat("gru ", gru.hidden_size, gru.linear_before_reset ? "" : " reset_before",
                  direction_text(gru.direction));
  }
};

}  // namespace

const OperationRow& GruAttributes::row() {
  static const GruRow kRow;
  return kRow;
}

}  // namespace quaver
