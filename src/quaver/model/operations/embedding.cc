#include "quaver/model/operations/embedding.h"

#include "quaver/model/operations/row.h"

namespace quaver {
namespace {

class EmbeddingRow final : public OperationRowOf<EmbeddingAttributes> {
 public:
  bool reads_ids() const override { return true; }
  std::int64_t vocabulary(const Operation& operation) const override {
    return std::get<EmbeddingAttributes>(operation).vocabulary;
  }

  std::vector<TensorSlot> tensors(const Node& node) const override {
    const auto& embedding = std::get<EmbeddingAttributes>(node.operation);
    const bool wide = !runs_in_float(node) && node.outputs[0].format.kind == NumberType::kI16;
    return {{.name = node.name + ".W",
             .shape = {embedding.vocabulary, embedding.features},
             .kind = wide ? NumberType::kI16 : matrix_type(node),
             .role = TensorRole::kTable,
             .start = TensorStart::kUniform,
             .may_be_bytes = true}};
  }

  void check_formats(const Site& site) const override {
    expect_kind(site.output_name(), site.node.outputs[0].format, {NumberType::kI8, NumberType::kI16});
  }

 protected:
  void check(const Site& site, const EmbeddingAttributes& embedding) const override {
    check_size(site.node, "vocabulary", embedding.vocabulary, kMaxVocabulary);
    check_size(site.node, "features", embedding.features);
    const Value& input = site.input();
    if (input.format.kind != NumberType::kI32 || input.size() != 1)
      refuse(described(site.node), " reads one i32 id a step, but its ", site.input_name(), " has ", input.size(), " ",
             type_name(input.format.kind), " features");
  }

  std::vector<Value> outputs(const EmbeddingAttributes& embedding,
                             std::span<const Value* const> inputs) const override {
    return {{.shape = {embedding.features}, .has_time = inputs[0]->has_time}};
  }

  std::string text(const EmbeddingAttributes& embedding) const override {
    return concat("embedding ", embedding.vocabulary, "x", embedding.features);
  }
};

}  // namespace

const OperationRow& EmbeddingAttributes::row() {
  static const EmbeddingRow kRow;
  return kRow;
}

}  // namespace quaver
