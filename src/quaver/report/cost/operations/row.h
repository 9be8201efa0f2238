// row.h - what each operation executes a frame, its matrices' products apart: one function an operation. Internal.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "quaver/model/model.h"
#include "quaver/report/cost/counter.h"

namespace quaver {

struct CostSite {
  const Node& node;
  std::uint64_t inputs;  // elements of one frame of the first input
  bool in_float;
  bool wide_output() const { return !in_float && node.outputs[0].format.kind == NumberType::kI16; }
};

struct CostRow {
  std::string_view operation;
  // Of one direction; null: it computes nothing.
  void (*count)(const CostSite& site, Counter& counter);
};

std::span<const CostRow> cost_rows();

// Everything that the node executes a frame, without the recoding of its edges. input: the numbers that it reads;
// in_float: as if it were f32.
OperationCounts operations_of(const Node& node, const Value& input, NumberType read, bool in_float);

void count_lstm(const CostSite& site, Counter& counter);
void count_gru(const CostSite& site, Counter& counter);
void count_rnn(const CostSite& site, Counter& counter);
void count_dense(const CostSite& site, Counter& counter);
void count_activation(const CostSite& site, Counter& counter);
void count_pool(const CostSite& site, Counter& counter);
void count_softmax(const CostSite& site, Counter& counter);
void count_argmax(const CostSite& site, Counter& counter);
void count_add(const CostSite& site, Counter& counter);

inline std::uint64_t unsigned_size(std::int64_t size) { return static_cast<std::uint64_t>(size); }
// The int8 copy of a state of 16 bits.
void count_state_codes(std::uint64_t count, Counter& counter);

}  // namespace quaver
