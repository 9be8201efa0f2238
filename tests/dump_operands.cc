// dump_operands MODEL CALIBRATION TEST SEQUENCES OUT - what the matrices of a float model's recurrent nodes are and
// multiply (docs/results/column-groups.md), for each scheme of few bits as `quantize` has folded them for it (A44).
// CALIBRATION, TEST: TASK:split or a file of arrays; SEQUENCES: of each at most. tools/column_groups.py asks it.
//
// OUT is an npz. For a matrix M of a scheme S: "S/M" [rows, cols], "S/M/calibration" and "S/M/test" [parts, cols,
// cols], the lower triangles of the mean of x x^T, a part an operand and as many rows. Where a bias takes what the
// weights' errors come to on the mean operand (decision 11), x is less that mean. One JSON object on standard output
// has a row a matrix.
#include <algorithm>
#include <cstddef>
#include <iostream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/formats/channels.h"
#include "quaver/model/operations/operation.h"
#include "quaver/npz/npz.h"
#include "quaver/quantize/fold.h"
#include "quaver/quantize/quantize.h"
#include "quaver/workflow/sequence/input.h"
#include "support/sequence_limit.h"

namespace {

using namespace quaver;

constexpr std::string_view kSchemes[] = {"ternary", "quaternary", "binary", "int4"};

// W of a folded value, without columns that never change: they set no scale of a row.
std::vector<float> moving_columns(const Model& folded, const Node& node, const std::string& tensor,
                                  const Calibration& calibration) {
  const std::span<const float> found = folded.tensor(tensor).as<float>();
  std::vector<float> values(found.begin(), found.end());
  const std::string& value = node.inputs[0];
  if (!tensor.starts_with(node.name + ".W") || channels_of(folded, value).empty()) return values;
  const auto cols = static_cast<std::size_t>(folded.tensor(tensor).row_size());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (calibration.channels.at(value).constant(i % cols)) values[i] = 0;
  return values;
}

// Of the operand as its codes hold it.
SecondMoment moment_of(const Model& folded, const Node& node, const std::string& operand, const Calibration& seen) {
  const SecondMoment& moment = seen.operands.at(concat(node.name, ".", operand));
  const bool is_input = operand.starts_with("input");
  const Channels channels = channels_of(folded, is_input ? node.inputs[0] : node.name);
  const bool is_folded = !channels.empty() && (is_input || operand.starts_with("output"));
  if (!is_folded) return moment;
  const std::size_t first = operand.ends_with("_reverse") && !is_input ? channels.scale.size() - moment.size() : 0;
  return moment.normalized(channels.part(first, moment.size()));
}

// The mean operand, to be taken from what is multiplied.
Channels mean_of(const SecondMoment& moment) {
  Channels mean;
  for (std::size_t c = 0; c < moment.size(); ++c) mean.offset.push_back(static_cast<float>(moment.mean(c)));
  return mean;
}

void append(std::vector<double>& to, const std::vector<double>& from) { to.insert(to.end(), from.begin(), from.end()); }

nlohmann::json dump_scheme(const std::string& scheme, const Model& model, const Calibration& calibration,
                           const Calibration& test, Npz& arrays) {
  const Model quantized = quantize(model, calibration, {.scheme = scheme}).model;
  Model folded = model;
  for (const auto& [value, folding] : foldable_values(model))
    if (const Channels channels = channels_of(quantized, value); !channels.empty()) fold(folded, value, channels);
  nlohmann::json rows = nlohmann::json::array();
  for (const Node& node : folded.nodes) {
    if (!is_recurrent(node.operation)) continue;
    // Rows of an embedding that differ much in size leave no mean that a bias could take.
    const bool is_wide = input_format(quantized, quantized.node(node.name)).kind == NumberType::kI16;
    for (const TensorSlot& slot : tensor_slots(node)) {
      if (slot.role != TensorRole::kMatrix) continue;
      std::vector<double> of_calibration, of_test;
      for (const std::string& operand : slot.operands) {
        SecondMoment seen = moment_of(folded, node, operand, calibration);
        SecondMoment unseen = moment_of(folded, node, operand, test);
        if (operand.starts_with("input") && !is_wide) {  // not of states, which start far from their mean
          const Channels mean = mean_of(seen);
          seen = seen.normalized(mean);
          unseen = unseen.normalized(mean);
        }
        append(of_calibration, seen.lower_mean());
        append(of_test, unseen.lower_mean());
      }
      const Tensor& tensor = folded.tensor(slot.name);
      const std::string name = concat(scheme, "/", slot.name);
      const std::vector<std::int64_t> moments{static_cast<std::int64_t>(slot.operands.size()), tensor.row_size(),
                                              tensor.row_size()};
      arrays[name] = NpzArray::from<float>({tensor.rows(), tensor.row_size()},
                                           moving_columns(folded, node, slot.name, calibration));
      arrays[name + "/calibration"] = NpzArray::from<double>(moments, of_calibration);
      arrays[name + "/test"] = NpzArray::from<double>(moments, of_test);
      rows.push_back(
          {{"scheme", scheme},
           {"tensor", slot.name},
           {"gates", slot.gates},
           {"folded", slot.operands[0].starts_with("input") && !channels_of(folded, node.inputs[0]).empty()}});
    }
  }
  return rows;
}

nlohmann::json dump(const std::string& file, const std::string& calib, const std::string& test, std::size_t limit,
                    const std::string& out) {
  const Model model = load(file);
  Listener listener;
  const auto seen = [&](const std::string& spec) {
    return calibrate(model, read_sequences(spec, "train", model, file, {}, limit, listener).views);
  };
  const Calibration calibration = seen(calib), unseen = seen(test);
  Npz arrays;
  nlohmann::json rows = nlohmann::json::array();
  for (const std::string_view scheme : kSchemes)
    for (nlohmann::json& row : dump_scheme(std::string(scheme), model, calibration, unseen, arrays))
      rows.push_back(std::move(row));
  write_npz(out, arrays);
  return {{"calibration_steps", calibration.steps}, {"test_steps", unseen.steps}, {"rows", rows}};
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 6) throw_usage("expected dump_operands MODEL CALIBRATION TEST SEQUENCES OUT");
    std::cout << dump(argv[1], argv[2], argv[3], testing::limit_of(argv[4]), argv[5]).dump() << '\n';
  } catch (const Error& error) {
    std::cerr << "dump_operands: " << error.what() << '\n';
    return 1;
  }
}
