// energy.h - what arithmetic costs: operations by kind and width, a table of energies, bytes moved. docs/energy.md has
// the counting rules in full; inspect.h (a step of a model) and memory_costs.h (a question to a memory network) count.
//
//   energy = sum over (kind, width) of count x pJ of the table
// A multiply-accumulate is a multiplication and an addition, each at its own width, and is counted once more in `macs`.
// An addition has the narrowest of 8, 16 and 32 bits that holds every value its sum can take. Float exp, tanh, sigmoid,
// root and division are `f32_curve`, each one float operation, priced as kCurveSteps multiplications and additions.
// Moving bytes is counted apart (Traffic) and never part of the energy of arithmetic.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace quaver {

inline constexpr std::uint64_t kCurveSteps = 18;

enum class OperationKind {
  kAdd,  // and subtract
  kMultiply,
  kCompare,   // of two numbers; limiting a number to a range is one
  kShift,     // by an amount known beforehand
  kLogic,     // a bit of an xnor or and
  kPopcount,  // a bit counted
};
enum class OperandWidth { kBit, kI8, kI16, kI32, kF32 };
inline constexpr std::size_t kOperationKinds = 6, kOperandWidths = 5;

// The pairs that occur; kLogic and kPopcount count bits, the others have i8, i16, i32 and, but for shifts, f32.
struct OperationType {
  OperationKind kind;
  OperandWidth width;
};
std::span<const OperationType> operation_types();
std::string operation_type_name(const OperationType& type);  // "i8_multiply", "f32_add", "bit_popcount"

// A number for every pair.
template <typename T>
class PerOperation {
 public:
  T& at(OperationKind kind, OperandWidth width) { return values_[index(kind, width)]; }
  const T& at(OperationKind kind, OperandWidth width) const { return values_[index(kind, width)]; }
  bool operator==(const PerOperation&) const = default;

 private:
  static std::size_t index(OperationKind kind, OperandWidth width) {
    return static_cast<std::size_t>(kind) * kOperandWidths + static_cast<std::size_t>(width);
  }
  std::array<T, kOperationKinds * kOperandWidths> values_{};
};

struct EnergyTable;

struct OperationCounts {
  PerOperation<std::uint64_t> counts;
  std::uint64_t f32_curve = 0;
  std::uint64_t macs = 0;
  bool operator==(const OperationCounts&) const = default;

  void add(OperationKind kind, OperandWidth width, std::uint64_t count) { counts.at(kind, width) += count; }
  // count multiply-accumulates whose product has `product` bits' operands and whose sum is `sum` wide.
  void mac(OperandWidth product, OperandWidth sum, std::uint64_t count) {
    add(OperationKind::kMultiply, product, count);
    add(OperationKind::kAdd, sum, count);
    macs += count;
  }
  std::uint64_t of(OperationKind kind, OperandWidth width) const { return counts.at(kind, width); }

  OperationCounts& operator+=(const OperationCounts& other);
  OperationCounts times(std::uint64_t factor) const;
  std::uint64_t float_ops() const;
  double energy_pj(const EnergyTable& table) const;
};
nlohmann::ordered_json to_json(const OperationCounts& counts);  // "i8_multiply": n, ..., "f32_curve": n

// Width of a sum: the narrowest integer that holds `terms` numbers of at most `largest` in magnitude; 32 bits at most.
OperandWidth sum_width(std::uint64_t terms, std::uint64_t largest);

// Of n probabilities from n logits: largest, differences, exponentials, their sum, divisions. An integer exponential
// (fixed/activation.h, and its argument) is 13 multiplications and 18 additions of 32 bits, an integer division one
// addition a bit of the result, 16.
enum class SoftmaxForm {
  kFloat,
  kComputed,  // softmax_i16: each exponential twice, so that none is stored
  kLookedUp,  // SoftmaxTable: the exponentials cost nothing
};
OperationCounts softmax_operations(std::uint64_t n, SoftmaxForm form);

// Bytes that one inference moves if nothing is kept near the arithmetic between two uses by different nodes or parts.
struct Traffic {
  std::uint64_t weights_read = 0;
  std::uint64_t activations_read = 0;  // and state
  std::uint64_t activations_written = 0;
  bool operator==(const Traffic&) const = default;

  Traffic& operator+=(const Traffic& other);
  std::uint64_t activations() const { return activations_read + activations_written; }
};
nlohmann::ordered_json to_json(const Traffic& traffic);
// A line: "bytes moved  ... weights read ..., activations ...", and what reading the weights costs where it is known.
std::string traffic_text(const Traffic& traffic, std::string_view inference, const std::optional<double>& sram_pj,
                         const std::optional<double>& dram_pj);

// Picojoules of each operation.
struct EnergyTable {
  std::string source;
  PerOperation<double> pj{};
  // Of a byte read or written: from a small on-chip memory, and from DRAM. Not given: not reported.
  std::optional<double> sram_pj_per_byte{}, dram_pj_per_byte{};
};

// 45 nm, 0.9 V: M. Horowitz, "1.1 Computing's energy problem (and what we can do about it)", ISSCC 2014, figure 1.1.9.
// Integer add 0.03, 0.05, 0.1 (8, 16, 32 bits), multiply 0.2, 3.1 (8, 32), float add 0.9, multiply 3.7 (32); 64 bits
// from a cache of 32 KB 20, from DRAM 1300 to 2600: the lower end. Not in that table: a 16-bit multiply (0.787, the
// geometric mean of its neighbours), a comparison (as an addition: it is a subtraction), one bit of logic or popcount
// (an eighth of the 8-bit addition, whose eight full adders each hold that logic), shifts (0: wires).
const EnergyTable& horowitz_2014();

// From JSON in the form that to_json() writes: {"source": text, "pj": {"i8_add": number, ... every
// operation_type_name()}, "memory_pj_per_byte": {"sram": number, "dram": number}}, the last entry or parts of it
// optional. Error (bad input) that starts with `name` and says which entry is missing, unknown, twice there or no
// number within 0 .. 10^9.
EnergyTable energy_table_from_json(std::string_view text, const std::string& name);
// The same of a file of at most 64 KiB; where no file is named ("") horowitz_2014().
EnergyTable load_energy_table(const std::filesystem::path& path);
nlohmann::ordered_json to_json(const EnergyTable& table);

}  // namespace quaver
