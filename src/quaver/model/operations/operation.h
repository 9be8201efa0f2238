// operation.h - what a node does: one value of any of the operations' attributes. The list is here and nowhere else.
//
// An operation is a header and a source in this folder (attributes; OperationRow: shapes, tensors, formats, checks) and
// an alternative of the list. Floors above that treat operations one by one have a table with a row for each.
//
// fields() of the attributes hands each one with its name to a visitor, in the order of the file: what writes, reads,
// hashes or binds attributes is one visitor for all operations.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "quaver/model/operations/activation.h"
#include "quaver/model/operations/add.h"
#include "quaver/model/operations/argmax.h"
#include "quaver/model/operations/concat.h"
#include "quaver/model/operations/dense.h"
#include "quaver/model/operations/embedding.h"
#include "quaver/model/operations/gru.h"
#include "quaver/model/operations/lstm.h"
#include "quaver/model/operations/pool.h"
#include "quaver/model/operations/rnn.h"
#include "quaver/model/operations/softmax.h"

namespace quaver {

using Operation = std::variant<LstmAttributes, GruAttributes, RnnAttributes, DenseAttributes, EmbeddingAttributes,
                               ActivationAttributes, PoolAttributes, SoftmaxAttributes, ArgmaxAttributes, AddAttributes,
                               ConcatAttributes>;

const OperationRow& row_of(const Operation& operation);
std::string_view operation_name(const Operation& operation);  // "lstm", "gru", "rnn", "dense", ...
// With the attributes that it starts with; Error that lists the names.
Operation operation_from_name(std::string_view name);
std::vector<std::string_view> operation_names();
std::vector<std::string> recurrent_names();  // of those that run over time

// Whether files before version 4, which knew chains alone, did not have the attribute.
constexpr bool is_attribute_of_graphs(std::string_view name) { return name == "axis" || name == "carry"; }

// visit(name, attribute) for each attribute, by reference.
template <typename Visitor>
void visit_fields(const Operation& operation, Visitor&& visit) {
  std::visit([&](const auto& attributes) { attributes.fields(attributes, visit); }, operation);
}
template <typename Visitor>
void visit_fields(Operation& operation, Visitor&& visit) {
  std::visit([&](auto& attributes) { attributes.fields(attributes, visit); }, operation);
}

bool has_field(const Operation& operation, std::string_view name);

}  // namespace quaver
