#include <algorithm>
#include <cmath>

#include "quaver/core/text.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/operations/row.h"
#include "quaver/quantize/quantizer.h"

namespace quaver {
namespace {

constexpr double kFewestRowCodes = 16;  // root mean square of a table's rows: fewer, and they get 16 bits

struct NarrowRows {
  double codes = 0;         // root mean square in int8, of the row that a quarter of the rows do not reach
  std::size_t largest = 0;  // the row that sets the scale
};

// One format serves all rows of an embedding: a row far larger than the others takes their codes. Rows of zeros, as
// padding is, need none.
NarrowRows narrow_rows(const Tensor& table) {
  const MatrixView<const float> rows = table.matrix<float>();
  std::vector<double> sizes;
  double largest = 0;
  std::size_t widest = 0;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const double most = max_abs(rows.row(row));
    if (most > largest) widest = row;
    largest = std::max(largest, most);
    double squares = 0;
    for (const float value : rows.row(row)) squares += static_cast<double>(value) * static_cast<double>(value);
    if (squares > 0) sizes.push_back(std::sqrt(squares / static_cast<double>(rows.cols())));
  }
  if (sizes.empty()) return {kI8Limit, widest};
  const auto quarter = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 4);
  std::ranges::nth_element(sizes, quarter);
  return {*quarter / largest * kI8Limit, widest};
}

// limit: the largest code of the table.
void warn_rows(Quantizer& quantizer, const Node& node, const Tensor& table, std::int32_t limit) {
  const NarrowRows narrow = narrow_rows(quantizer.source().tensor(node.name + ".W"));
  // Folded, all features of a row may be large. A table that 16 bits were wanted for and refused is judged as it was.
  const double codes =
      (limit == kI8Limit ? narrow.codes : std::max(narrow.codes, narrow_rows(table).codes)) / kI8Limit * limit;
  if (codes >= kFewestRowCodes) return;
  quantizer.warn(
      {"narrow_rows", node.name, concat("row ", narrow.largest), codes, kFewestRowCodes,
       concat("a quarter of the rows of '", node.name, "' reach ", codes, " codes or fewer in their root mean square, ",
              "expected ", kFewestRowCodes, ": row ", narrow.largest,
              " is far larger and sets the scale. Shrink that row",
              limit == kI16Limit
                  ? ""
                  : concat(", or give the node and all that read it the scheme ", kDefaultScheme,
                           ", under which such tables have 16 bits (not before an RNN or a dense layer of more than "
                           "448 features)"),
              ", or keep the node and all that read it in float with --ignore and --allow-float")});
}

class QuantizeEmbeddingRow final : public QuantizeRow {
 public:
  void code(Quantizer& quantizer, Node& node) const override {
    Tensor& table = quantizer.tensor(node, "W");
    const bool wide = quantizer.is_wide(node);
    warn_rows(quantizer, node, table, wide ? kI16Limit : kI8Limit);
    const float scale = symmetric_scale(max_abs(table.as<float>()), wide ? kI16Limit : kI8Limit);
    const NumberType kind = wide ? NumberType::kI16 : NumberType::kI8;
    node.outputs[0].format = {kind, scale, 0};
    table = code_tensor(table, kind, {scale});
  }

  std::optional<Folding> folding(const Node&) const override { return Folding::kScale; }  // rows of 0 stay exact
  void normalize(Model& model, const Node& node, const Channels& channels) const override {
    const std::span<float> table = model.tensors.at(node.name + ".W").as_mutable<float>();
    for (std::size_t i = 0; i < table.size(); ++i)
      table[i] = static_cast<float>(static_cast<double>(table[i]) / channels.scale_of(i % channels.scale.size()));
  }

  bool starts_wide(const Model& source, const Node& node) const override {
    return narrow_rows(source.tensor(node.name + ".W")).codes < kFewestRowCodes;
  }
};

}  // namespace

const QuantizeRow& quantize_embedding() {
  static const QuantizeEmbeddingRow kRow;
  return kRow;
}

}  // namespace quaver
