#include "quaver/report/error/cut_halves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "quaver/cells/observer.h"
#include "quaver/model/formats/scheme.h"

namespace quaver {
namespace {

constexpr double kGateLimit = 8, kWideLimit = 16;  // of Q3.12, and of the GRU's z and r in Q4.11
constexpr double kChange = 0x1p-11;                // a step of the coarser

// The halves of one direction of one node.
struct Halves {
  MatrixView<const float> W, R;
  std::vector<double> input_bias, recurrent_bias;  // [rows]
  std::vector<std::string> gates;                  // of equal runs of rows
  std::vector<double> limits;                      // a gate
  std::string candidate;                           // gate whose recurrent half is cut and scaled before it is added
  std::vector<double> input;                       // W x + b of the step at hand
  std::vector<float> h;                            // of the step before
  std::vector<std::uint64_t> changed;              // a gate
  std::uint64_t sums = 0;                          // of one gate
};

std::vector<double> reals(const Tensor& tensor) { return {tensor.as<float>().begin(), tensor.as<float>().end()}; }

class HalvesObserver final : public Observer {
 public:
  HalvesObserver(const Model& reference, const Model& quantized) {
    for (const Node& node : quantized.nodes) {
      if (!is_integer_recurrent(node) || node.sums != Sums::kHalves) continue;
      for (const std::string& suffix : direction_suffixes(node.operation)) add(reference, node, suffix);
    }
  }
  bool empty() const { return halves_.empty(); }
  void next_sequence() {
    for (auto& [name, halves] : halves_) halves.h.assign(halves.R.cols(), 0.0f);
  }

  void at(std::string_view node, std::string_view direction, std::size_t) override {
    found_ = halves_.find({std::string(node), std::string(direction)});
  }
  void real(std::string_view point, std::span<const float> values) override {
    if (found_ == halves_.end()) return;
    Halves& halves = found_->second;
    if (point == "input") {
      halves.input = halves.input_bias;
      add_product(halves.W, values, halves.input);
      count(halves);
    } else if (point == "output") {
      halves.h.assign(values.begin(), values.end());
    }
  }
  void codes(std::string_view, std::span<const std::int8_t>, double, std::int32_t) override {}
  void codes(std::string_view, std::span<const std::int16_t>, double) override {}

  std::vector<Warning> warnings() const {
    std::vector<Warning> warnings;
    for (const auto& [name, halves] : halves_) {
      const auto worst = std::ranges::max_element(halves.changed);
      if (worst == halves.changed.end() || *worst == 0) continue;
      const auto gate = static_cast<std::size_t>(worst - halves.changed.begin());
      const double share = 100 * static_cast<double>(*worst) / static_cast<double>(halves.sums);
      warnings.push_back(
          {"halves_cut", name.first, "pre_" + halves.gates[gate] + name.second, share, 0.0,
           fmt::format("node '{}' cuts W x and R h at {:g} before it adds them, which changes {:.3g} % of the sums of "
                       "'pre_{}{}' on the calibration data; scheme {} adds them whole",
                       name.first, halves.limits[gate], share, halves.gates[gate], name.second, kDefaultScheme)});
    }
    return warnings;
  }

 private:
  void add(const Model& model, const Node& node, const std::string& suffix) {
    const auto tensor = [&](const char* name) -> const Tensor& {
      return model.tensor(node.name + "." + name + suffix);
    };
    Halves halves;
    halves.W = tensor("W").matrix<float>();
    halves.R = tensor("R").matrix<float>();
    halves.input_bias = reals(tensor("b"));
    halves.recurrent_bias.assign(halves.R.rows(), 0);
    if (model.find_tensor(node.name + ".L" + suffix) != nullptr) return;  // layer norm: sums with ranges of their own
    halves.gates = row_of(node.operation).gates(node.operation);
    halves.limits.assign(halves.gates.size(), kGateLimit);
    if (const Tensor* recurrent = model.find_tensor(node.name + ".b_recurrent" + suffix)) {
      halves.limits[0] = halves.limits[1] = kWideLimit;
      halves.recurrent_bias = reals(*recurrent);
      const std::size_t units = halves.R.rows() / halves.gates.size();
      for (std::size_t row = 0; row < 2 * units; ++row)  // z and r add both biases to W x
        halves.input_bias[row] += std::exchange(halves.recurrent_bias[row], 0);
      halves.candidate = halves.gates.back();
    }
    halves.changed.assign(halves.gates.size(), 0);
    halves_.emplace(std::pair(node.name, suffix), std::move(halves));
  }

  static void add_product(MatrixView<const float> matrix, std::span<const float> x, std::vector<double>& sums) {
    for (std::size_t row = 0; row < matrix.rows(); ++row)
      for (std::size_t c = 0; c < matrix.cols(); ++c)
        sums[row] += static_cast<double>(matrix(row, c)) * static_cast<double>(x[c]);
  }

  static void count(Halves& halves) {
    std::vector<double> recurrent = halves.recurrent_bias;
    add_product(halves.R, halves.h, recurrent);
    const std::size_t units = recurrent.size() / halves.gates.size();
    halves.sums += units;
    for (std::size_t row = 0; row < recurrent.size(); ++row) {
      const std::size_t gate = row / units;
      const double limit = halves.limits[gate], a = halves.input[row], u = recurrent[row];
      const auto cut = [&](double sum) { return std::clamp(sum, -limit, limit); };
      const bool scaled = halves.gates[gate] == halves.candidate;  // how much of u is added, r alone knows
      const double change = scaled ? std::abs(cut(u) - u) : std::abs(cut(cut(a) + cut(u)) - cut(a + u));
      if (change > kChange) ++halves.changed[gate];
    }
  }

  using Name = std::pair<std::string, std::string>;  // node, direction
  std::map<Name, Halves> halves_;
  std::map<Name, Halves>::iterator found_ = halves_.end();
};

}  // namespace

std::vector<Warning> cut_halves(const Model& reference, const Model& quantized,
                                std::span<const SequenceView> sequences) {
  HalvesObserver observer(reference, quantized);
  if (observer.empty()) return {};
  Session session(reference);
  for (const SequenceView& sequence : sequences) {
    observer.next_sequence();
    session.run(sequence, &observer);
  }
  return observer.warnings();
}

}  // namespace quaver
