#include <algorithm>
#include <array>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/train/recurrent/operations/row.h"

namespace quaver {
namespace {

constexpr std::array kRows{train_lstm, train_gru, train_rnn, train_dense, train_embedding, train_pool};

}  // namespace

const TrainRow* find_train_row(const Operation& operation) {
  for (const auto& row : kRows)
    if (row().operation() == operation_name(operation)) return &row();
  return nullptr;
}

std::vector<std::string> trained_operations() {
  std::vector<std::string> names;
  for (const auto& row : kRows) names.emplace_back(row().operation());
  return names;
}

std::span<const TrainRow* const> train_cells() {
  static const std::vector<const TrainRow*> kCells = [] {
    std::vector<const TrainRow*> cells;
    for (const auto& row : kRows)
      if (row().layer({}, 1)) cells.push_back(&row());
    return cells;
  }();
  return kCells;
}

const TrainRow& train_cell(std::string_view name) {
  std::vector<std::string> names;
  for (const TrainRow* cell : train_cells()) {
    if (cell->operation() == name) return *cell;
    names.emplace_back(cell->operation());
  }
  throw_usage(concat("unknown cell '", printable(name), "': the cells are ", join(names, ", ")));
}

}  // namespace quaver
