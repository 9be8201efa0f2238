// row.h - how each operation is trained: one object an operation, in its own file; table.cc lists them. An operation
// without a row is refused by name. Internal; sees no libtorch, so that what only builds networks need not either.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/model/model.h"
#include "quaver/train/recurrent/train.h"

namespace at {
class Tensor;
}

namespace quaver {

struct TrainSite;  // site.h

class TrainRow {
 public:
  virtual ~TrainRow() = default;
  virtual std::string_view operation() const = 0;

  // What it gives for x, as autograd can go through it. With time: packed rows; else a row a sequence.
  virtual at::Tensor forward(const TrainSite& site, const at::Tensor& x) const = 0;

  // ---- of a cell: what TrainOptions::cell may name ----

  // The layer that the options ask for; nothing where it is no cell.
  virtual std::optional<Operation> layer(const TrainOptions&, std::int64_t /*inputs*/) const { return std::nullopt; }
  // Names of options that are given and mean something to this cell alone.
  virtual std::vector<std::string_view> own_options(const TrainOptions&) const { return {}; }
  // Error (usage): its options make no sense together.
  virtual void check(const TrainOptions&) const {}
};

const TrainRow* find_train_row(const Operation& operation);  // null: it can not be trained
std::vector<std::string> trained_operations();               // names, for errors

std::span<const TrainRow* const> train_cells();
const TrainRow& train_cell(std::string_view name);  // Error (usage) that lists the cells

// Of the operations, each in its file.
const TrainRow& train_lstm();
const TrainRow& train_gru();
const TrainRow& train_rnn();
const TrainRow& train_dense();
const TrainRow& train_embedding();
const TrainRow& train_pool();

}  // namespace quaver
