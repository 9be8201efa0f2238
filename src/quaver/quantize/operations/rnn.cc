#include "quaver/quantize/operations/row.h"
#include "quaver/quantize/quantizer.h"

namespace quaver {
namespace {

class QuantizeRnnRow final : public QuantizeRow {
 public:
  void code(Quantizer& quantizer, Node& node) const override {
    const auto& attributes = std::get<RnnAttributes>(node.operation);
    const Affine x = quantizer.read_input(node);
    const Affine h = quantizer.code_state(node);
    node.sums = Sums::kWhole;
    for (const std::string& suffix : direction_suffixes(attributes.direction)) {
      quantizer.code_matrix(node, "W" + suffix, "b" + suffix, 1, x.scale, {"input" + suffix});
      quantizer.code_matrix(node, "R" + suffix, "", 1, h.scale, {"output" + suffix});
    }
  }

  bool reads_wide(std::int64_t features) const override { return features <= kMostWideFeatures; }
  bool hands_on_wide(const Node&) const override { return true; }
};

}  // namespace

const QuantizeRow& quantize_rnn() {
  static const QuantizeRnnRow kRow;
  return kRow;
}

}  // namespace quaver
