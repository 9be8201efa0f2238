#include "quaver/quantize/operations/row.h"
#include "quaver/quantize/quantizer.h"

namespace quaver {
namespace {

class QuantizeDenseRow final : public QuantizeRow {
 public:
  void code(Quantizer& quantizer, Node& node) const override {
    const Affine x = quantizer.read_input(node);
    const bool scores = quantizer.feeds_scores_only(node);
    if (scores) {
      node.outputs[0].format = quantizer.score_format(node);
    } else if (quantizer.is_wide(node)) {
      const double largest = quantizer.largest(node.name + ".output");
      node.outputs[0].format = {NumberType::kI16, symmetric_scale(largest, kI16Limit), 0};
    } else {
      node.outputs[0].format = format_i8(quantizer.output_affine(node));
    }
    quantizer.code_matrix(node, "W", "b", 1, x.scale, {"input"});
  }

  std::optional<Folding> folding(const Node&) const override { return Folding::kScaleAndOffset; }
  void normalize(Model& model, const Node& node, const Channels& channels) const override {
    normalize_rows(model.tensors.at(node.name + ".W"), model.tensors.at(node.name + ".b"), channels, 0);
  }

  bool reads_wide(std::int64_t features) const override { return features <= kMostWideFeatures; }
  bool hands_on_wide(const Node&) const override { return true; }
};

}  // namespace

const QuantizeRow& quantize_dense() {
  static const QuantizeDenseRow kRow;
  return kRow;
}

}  // namespace quaver
