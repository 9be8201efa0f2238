#include "quaver/report/cost/energy.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "quaver/core/error.h"
#include "quaver/core/number_type.h"
#include "quaver/core/text.h"
#include "quaver/io/container/strict_json.h"

namespace quaver {
namespace {

using enum OperationKind;
using enum OperandWidth;

constexpr std::array kTypes{
    OperationType{kAdd, kI8},       OperationType{kAdd, kI16},      OperationType{kAdd, kI32},
    OperationType{kAdd, kF32},      OperationType{kMultiply, kI8},  OperationType{kMultiply, kI16},
    OperationType{kMultiply, kI32}, OperationType{kMultiply, kF32}, OperationType{kCompare, kI8},
    OperationType{kCompare, kI16},  OperationType{kCompare, kI32},  OperationType{kCompare, kF32},
    OperationType{kShift, kI8},     OperationType{kShift, kI16},    OperationType{kShift, kI32},
    OperationType{kLogic, kBit},    OperationType{kPopcount, kBit}};

std::string_view width_name(OperandWidth width) {
  switch (width) {
    case kBit: return "bit";
    case kI8: return type_name(NumberType::kI8);
    case kI16: return type_name(NumberType::kI16);
    case kI32: return type_name(NumberType::kI32);
    case kF32: return type_name(NumberType::kF32);
  }
  return "";
}

const char* kind_name(OperationKind kind) {
  switch (kind) {
    case kAdd: return "add";
    case kMultiply: return "multiply";
    case kCompare: return "compare";
    case kShift: return "shift";
    case kLogic: return "logic";
    case kPopcount: return "popcount";
  }
  return "";
}

EnergyTable make_horowitz_2014() {
  EnergyTable table{.source = "45 nm, 0.9 V: Horowitz, ISSCC 2014"};
  const auto set = [&](OperationKind kind, OperandWidth width, double pj) { table.pj.at(kind, width) = pj; };
  for (const OperationKind kind : {kAdd, kCompare}) {
    set(kind, kI8, 0.03);
    set(kind, kI16, 0.05);
    set(kind, kI32, 0.1);
    set(kind, kF32, 0.9);
  }
  set(kMultiply, kI8, 0.2);
  set(kMultiply, kI16, 0.787);
  set(kMultiply, kI32, 3.1);
  set(kMultiply, kF32, 3.7);
  for (const OperationKind kind : {kLogic, kPopcount}) set(kind, kBit, 0.03 / 8);
  table.sram_pj_per_byte = 20.0 / 8;
  table.dram_pj_per_byte = 1300.0 / 8;
  return table;
}

constexpr double kLargestPj = 1e9;

double energy_of(JsonObject& object, const std::string& key) {
  const nlohmann::json& value = object.at(key);
  const double pj = value.is_number() ? value.get<double>() : -1;
  if (!(pj >= 0 && pj <= kLargestPj))
    throw_bad_input(concat(object.what(), ": '", key, "' is ",
                           value.is_number() ? value.dump() : concat("a JSON ", value.type_name()),
                           ", expected picojoules within 0 .. 1e9"));
  return pj;
}

}  // namespace

std::span<const OperationType> operation_types() { return kTypes; }

std::string operation_type_name(const OperationType& type) {
  return concat(width_name(type.width), "_", kind_name(type.kind));
}

OperationCounts& OperationCounts::operator+=(const OperationCounts& other) {
  for (const auto& [kind, width] : kTypes) counts.at(kind, width) += other.of(kind, width);
  f32_curve += other.f32_curve;
  macs += other.macs;
  return *this;
}

OperationCounts OperationCounts::times(std::uint64_t factor) const {
  OperationCounts product = *this;
  for (const auto& [kind, width] : kTypes) product.counts.at(kind, width) *= factor;
  product.f32_curve *= factor;
  product.macs *= factor;
  return product;
}

std::uint64_t OperationCounts::float_ops() const {
  return of(kAdd, kF32) + of(kMultiply, kF32) + of(kCompare, kF32) + f32_curve;
}

double OperationCounts::energy_pj(const EnergyTable& table) const {
  double pj = 0;
  for (const auto& [kind, width] : kTypes) pj += static_cast<double>(of(kind, width)) * table.pj.at(kind, width);
  return pj + static_cast<double>(kCurveSteps * f32_curve) * (table.pj.at(kMultiply, kF32) + table.pj.at(kAdd, kF32));
}

nlohmann::ordered_json to_json(const OperationCounts& counts) {
  nlohmann::ordered_json json;
  for (const OperationType& type : kTypes) json[operation_type_name(type)] = counts.of(type.kind, type.width);
  json["f32_curve"] = counts.f32_curve;
  return json;
}

OperandWidth sum_width(std::uint64_t terms, std::uint64_t largest) {
  const std::uint64_t bound = terms * largest;
  return bound <= 127 ? kI8 : bound <= 32767 ? kI16 : kI32;
}

OperationCounts softmax_operations(std::uint64_t n, SoftmaxForm form) {
  constexpr std::uint64_t kExponentialMultiplies = 13, kExponentialAdds = 18, kQuotientBits = 16;
  OperationCounts counts;
  if (form == SoftmaxForm::kFloat) {
    counts.add(kCompare, kF32, n);
    counts.add(kAdd, kF32, 2 * n);
    counts.f32_curve = 2 * n;
    return counts;
  }
  const std::uint64_t exponentials = form == SoftmaxForm::kComputed ? 2 * n : 0;
  counts.add(kCompare, kI16, n);
  counts.add(kAdd, kI16, n + exponentials / 2);
  counts.add(kMultiply, kI32, kExponentialMultiplies * exponentials);
  counts.add(kAdd, kI32, kExponentialAdds * exponentials + n + kQuotientBits * n);
  return counts;
}

Traffic& Traffic::operator+=(const Traffic& other) {
  weights_read += other.weights_read;
  activations_read += other.activations_read;
  activations_written += other.activations_written;
  return *this;
}

nlohmann::ordered_json to_json(const Traffic& traffic) {
  return {{"weights_read", traffic.weights_read},
          {"activations_read", traffic.activations_read},
          {"activations_written", traffic.activations_written}};
}

std::string traffic_text(const Traffic& traffic, std::string_view inference, const std::optional<double>& sram_pj,
                         const std::optional<double>& dram_pj) {
  std::string text =
      fmt::format("moved       {} B/{} of weights, {} B of activations and state (not in the energy above)",
                  traffic.weights_read, inference, traffic.activations());
  if (sram_pj) text += fmt::format("; weights from SRAM {:.0f} nJ", *sram_pj / 1000);
  if (dram_pj) text += fmt::format("{} from DRAM {:.0f} nJ", sram_pj ? "," : "; weights", *dram_pj / 1000);
  return text + '\n';
}

const EnergyTable& horowitz_2014() {
  static const EnergyTable table = make_horowitz_2014();
  return table;
}

EnergyTable energy_table_from_json(std::string_view text, const std::string& name) {
  constexpr int kDepth = 2;
  const nlohmann::json parsed = parse_strict(text, name, kDepth);
  JsonObject object(parsed, name);
  EnergyTable table{.source = object.text("source")};
  JsonObject pj = object.object("pj");
  for (const OperationType& type : kTypes)
    table.pj.at(type.kind, type.width) = energy_of(pj, operation_type_name(type));
  pj.expect_no_more();
  if (object.find("memory_pj_per_byte") != nullptr) {
    JsonObject memory = object.object("memory_pj_per_byte");
    if (memory.find("sram") != nullptr) table.sram_pj_per_byte = energy_of(memory, "sram");
    if (memory.find("dram") != nullptr) table.dram_pj_per_byte = energy_of(memory, "dram");
    memory.expect_no_more();
  }
  object.expect_no_more();
  return table;
}

EnergyTable load_energy_table(const std::filesystem::path& path) {
  if (path.empty()) return horowitz_2014();
  constexpr std::size_t kMostBytes = std::size_t{1} << 16;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad() || std::filesystem::is_directory(path))
    throw_bad_input(concat("energy table ", path.string(), ": can not be read"));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMostBytes)
    throw_bad_input(concat("energy table ", path.string(), ": has more than ", kMostBytes,
                           " bytes, expected a JSON object of energies (docs/energy.md)"));
  return energy_table_from_json(text, concat("energy table ", path.string()));
}

nlohmann::ordered_json to_json(const EnergyTable& table) {
  nlohmann::ordered_json json{{"source", table.source}};
  for (const OperationType& type : kTypes) json["pj"][operation_type_name(type)] = table.pj.at(type.kind, type.width);
  if (table.sram_pj_per_byte) json["memory_pj_per_byte"]["sram"] = *table.sram_pj_per_byte;
  if (table.dram_pj_per_byte) json["memory_pj_per_byte"]["dram"] = *table.dram_pj_per_byte;
  return json;
}

}  // namespace quaver
