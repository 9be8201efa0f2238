// names.h - the enums that operations have attributes of, by the names that files, listings and flags write.
//
// *_from_name: Error that lists the names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/cells/feedforward/nonlinearity.h"
#include "quaver/cells/feedforward/pool.h"

namespace quaver {

enum class Direction { kForward, kReverse, kBidirectional };

// Of recurrent nodes: they run over time, one frame a step.
inline constexpr std::int64_t kStreamAxis = -1;

// How an integer recurrent node cuts off the sum of a gate, whose addends are W x with its bias, R h with its own and
// the peephole's term, each rounded to the gate's step (A16, A17):
//   kHalves  to 16 bits after every addend, as LiteRT does; what models of version 1 of the file do
//   kWhole   added in 32 bits and cut to 16 once
enum class Sums { kHalves, kWhole };

std::string_view direction_name(Direction direction);           // "forward", "reverse", "bidirectional"
std::string_view nonlinearity_name(Nonlinearity nonlinearity);  // "identity", "relu", ...
std::string_view pooling_name(Pooling pooling);                 // "last", "mean", "max", "final"
std::string_view sums_name(Sums sums);                          // "halves", "whole"
Direction direction_from_name(std::string_view name);
Nonlinearity nonlinearity_from_name(std::string_view name);
Pooling pooling_from_name(std::string_view name);
Sums sums_from_name(std::string_view name);

// The same for visitors of fields, whatever the enum.
inline std::string_view name_of(Direction direction) { return direction_name(direction); }
inline std::string_view name_of(Nonlinearity nonlinearity) { return nonlinearity_name(nonlinearity); }
inline std::string_view name_of(Pooling pooling) { return pooling_name(pooling); }
inline void set_by_name(Direction& direction, std::string_view name) { direction = direction_from_name(name); }
inline void set_by_name(Nonlinearity& function, std::string_view name) { function = nonlinearity_from_name(name); }
inline void set_by_name(Pooling& pooling, std::string_view name) { pooling = pooling_from_name(name); }

// "" and "_reverse": the suffixes of the directions that run, in the order of their outputs; of tensors, formats and
// points.
std::vector<std::string> direction_suffixes(Direction direction);
inline std::int64_t direction_count(Direction direction) { return direction == Direction::kBidirectional ? 2 : 1; }

}  // namespace quaver
