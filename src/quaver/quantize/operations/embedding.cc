#include <algorithm>
#include <cmath>
#include <utility>

#include "quaver/core/text.h"
#include "quaver/fixed/weight_format.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/model/operations/row.h"
#include "quaver/quantize/name_pattern.h"
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

// The scheme's codes are of fewer bits than i8.
bool has_few_bits(const Node& node) { return weight_format_of(matrix_type(node))->is_packed(); }

// Of rows coded in few bits: one scale serves them all, so those much smaller than it lose most or all of what they
// say, and where there is no code for 0 a row of zeros, as padding is, becomes another one.
void warn_few_bits(Quantizer& quantizer, const Node& node, const Tensor& table, const Tensor& coded) {
  const Scheme& scheme = *find_scheme(node.scheme);
  const MatrixView<const float> rows = table.matrix<float>();
  const Tensor codes = coded.unpacked();
  const double scale = static_cast<double>(coded.scale_of_row(0));
  std::vector<double> shares;  // of each row, the part of its squares that its error comes to
  std::size_t zeros = 0, first_zero = 0;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    double squares = 0, loss = 0;
    for (std::size_t c = 0; c < rows.cols(); ++c) {
      const double value = static_cast<double>(rows(row, c));
      const double error = value - scale * codes.matrix<std::int8_t>()(row, c);
      squares += value * value;
      loss += error * error;
    }
    if (squares > 0) {
      shares.push_back(loss / squares);
    } else if (zeros++ == 0) {
      first_zero = row;
    }
  }
  if (zeros > 0 && !weight_format_of(coded.kind)->has_zero()) {
    // In the units of the node's reader: features may have scales of their own (A44).
    const Channels* channels = quantizer.channels(node.name);
    double least = scale, most = scale;
    for (std::size_t c = 0; channels != nullptr && c < rows.cols(); ++c) {
      const double read = scale * static_cast<double>(channels->scale_of(c));
      least = c == 0 ? read : std::min(least, read);
      most = c == 0 ? read : std::max(most, read);
    }
    quantizer.warn(
        {"no_zero", node.name, concat("row ", first_zero), most, 0,
         concat(zeros == 1 ? concat("row ", first_zero, " of '", node.name, "' is")
                           : concat(zeros, " rows of '", node.name, "', row ", first_zero, " first, are"),
                " 0 throughout, and ", type_name(coded.kind), " codes have no 0: ",
                least == most ? concat(most, " is read in each feature") : concat(least, " to ", most, " are read"),
                ". Where it is read, as padding may be, give the node a scheme that has one: ternary, int4 or int8")});
  }
  if (shares.empty()) return;
  const auto quarter = shares.end() - 1 - static_cast<std::ptrdiff_t>(shares.size() / 4);
  std::ranges::nth_element(shares, quarter);
  const double decibels = 10 * std::log10(1 / *quarter);
  if (decibels >= scheme.lowest_sqnr_db) return;
  // As it was: folded, all features of a row may be large.
  const std::size_t largest = narrow_rows(quantizer.source().tensor(node.name + ".W")).largest;
  quantizer.warn({"coarse_rows", node.name, concat("row ", largest), decibels, scheme.lowest_sqnr_db,
                  concat("a quarter of the rows of '", node.name, "' keep ", decibels, " dB or less in ",
                         type_name(coded.kind), " codes, expected ", scheme.lowest_sqnr_db,
                         ": one scale serves all rows, and theirs are small beside others (row ", largest,
                         " is the largest). Give it more bits, such as --override '", NamePattern::of(node.name), "=",
                         kDefaultScheme, "'")});
}

class QuantizeEmbeddingRow final : public QuantizeRow {
 public:
  void code(Quantizer& quantizer, Node& node) const override {
    Tensor& table = quantizer.tensor(node, "W");
    const bool wide = quantizer.is_wide(node);
    // Rows that 16 bits were wanted for and refused keep 8.
    const NumberType kind = wide                           ? NumberType::kI16
                            : starts_wide(quantizer, node) ? NumberType::kI8
                                                           : matrix_type(node);
    const std::span<const float> values = std::as_const(table).as<float>();
    const float scale = wide ? symmetric_scale(max_abs(values), kI16Limit)
                             : symmetric_scale(weight_scale(values, *weight_format_of(kind)), 1);
    node.outputs[0].format = {wide ? NumberType::kI16 : NumberType::kI8, scale, 0};
    Tensor coded = code_tensor(table, kind, {scale});
    if (weight_format_of(kind) != nullptr && weight_format_of(kind)->is_packed()) {
      warn_few_bits(quantizer, node, table, coded);
    } else {
      warn_rows(quantizer, node, table, wide ? kI16Limit : kI8Limit);
    }
    table = std::move(coded);
  }

  std::optional<Folding> folding(const Node&) const override { return Folding::kScale; }  // rows of 0 stay exact
  void normalize(Model& model, const Node& node, const Channels& channels) const override {
    const std::span<float> table = model.tensors.at(node.name + ".W").as_mutable<float>();
    for (std::size_t i = 0; i < table.size(); ++i)
      table[i] = static_cast<float>(static_cast<double>(table[i]) / channels.scale_of(i % channels.scale.size()));
  }

  bool starts_wide(const Quantizer& quantizer, const Node& node) const override {
    if (quantizer.is_named(node) && has_few_bits(node)) return false;
    return narrow_rows(quantizer.source().tensor(node.name + ".W")).codes < kFewestRowCodes;
  }
};

}  // namespace

const QuantizeRow& quantize_embedding() {
  static const QuantizeEmbeddingRow kRow;
  return kRow;
}

}  // namespace quaver
