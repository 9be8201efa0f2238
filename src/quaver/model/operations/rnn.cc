#include "quaver/model/operations/rnn.h"

#include "quaver/model/operations/recurrent.h"

namespace quaver {
namespace {

class RnnRow final : public OperationRowOf<RnnAttributes> {
 public:
  std::span<const std::string_view> output_slots() const override { return kStateSlots; }
  std::optional<Direction> direction(const Operation& operation) const override {
    return std::get<RnnAttributes>(operation).direction;
  }

  bool runs_inside_frames(const Operation& operation) const override {
    return std::get<RnnAttributes>(operation).axis != kStreamAxis;
  }

  std::vector<std::string> gates(const Operation&) const override { return {"h"}; }
  std::string variant(const Operation& operation) const override {
    const auto& rnn = std::get<RnnAttributes>(operation);
    std::vector<std::string> words{std::string(nonlinearity_name(rnn.nonlinearity))};
    if (rnn.direction != Direction::kForward) words.emplace_back(direction_name(rnn.direction));
    if (runs_inside_frames(operation)) words.emplace_back(rnn.carry ? "inside frames, carried" : "inside frames");
    return join(words, ", ");
  }

  std::vector<TensorSlot> tensors(const Node& node) const override {
    const auto& rnn = std::get<RnnAttributes>(node.operation);
    const std::int64_t n = rnn.hidden_size;
    const std::string name = node.name + ".";
    using enum TensorRole;
    std::vector<TensorSlot> slots;
    for (const std::string& d : direction_suffixes(rnn.direction)) {
      slots.push_back(
          {name + "W" + d, {n, rnn.input_size}, matrix_type(node), kMatrix, d, 1, {"input" + d}, TensorStart::kGlorot});
      slots.push_back(
          {name + "R" + d, {n, n}, matrix_type(node), kMatrix, d, 1, {"output" + d}, TensorStart::kOrthogonal});
      slots.push_back({name + "b" + d, {n}, bias_type(node), kBias, d});
    }
    return slots;
  }

  std::string no_integer_form(const Operation& operation) const override {
    return std::get<RnnAttributes>(operation).nonlinearity == Nonlinearity::kRelu
               ? "a relu state has no bound, so no fixed format"
               : "";
  }

  std::vector<FormatSlot> formats(const Node& node) const override {
    std::vector<FormatSlot> slots;
    add_state_format(node, slots);
    return slots;
  }

  void check_formats(const Site& site) const override {
    check_recurrent_input(site);
    check_recurrent_output(site, /*can_be_wide=*/true, /*copied=*/true);
  }

 protected:
  void check(const Site& site, const RnnAttributes& rnn) const override {
    check_recurrent(site, rnn);
    if (rnn.nonlinearity != Nonlinearity::kTanh && rnn.nonlinearity != Nonlinearity::kRelu)
      refuse(described(site.node), " has nonlinearity ", nonlinearity_name(rnn.nonlinearity),
             ", expected tanh or relu");
  }

  std::vector<Value> outputs(const RnnAttributes& rnn, std::span<const Value* const> inputs) const override {
    return recurrent_outputs(*inputs[0], rnn.direction, rnn.axis, rnn.hidden_size, {rnn.hidden_size});
  }

  std::string text(const RnnAttributes& rnn) const override {
    return concat("rnn ", rnn.hidden_size, " ", nonlinearity_name(rnn.nonlinearity), direction_text(rnn.direction));
  }
};

}  // namespace

const OperationRow& RnnAttributes::row() {
  static const RnnRow kRow;
  return kRow;
}

}  // namespace quaver
