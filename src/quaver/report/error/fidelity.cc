#include "quaver/report/error/fidelity.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/report/error/compare.h"
#include "quaver/report/error/cut_halves.h"
#include "quaver/report/error/memory_compare.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

// Of so many sequences so many steps: each gives its share, a long one in parts from its begin to its end.
struct Chosen {
  std::vector<SequenceView> parts;
  std::size_t sequences = 0;
};
Chosen chosen(const Model& model, std::span<const SequenceView> sequences, const FidelityOptions& options) {
  constexpr std::size_t kParts = 8, kLeastSteps = 64;  // of a long sequence; in a part
  const std::size_t wanted = std::min(sequences.size(), options.most_sequences);
  Chosen some;
  std::size_t left = options.most_steps;
  for (std::size_t i = 0; i < wanted; ++i) {
    const SequenceView& sequence = sequences[i * sequences.size() / wanted];
    const std::size_t share = std::min(left / (wanted - i), sequence.steps);
    if (share == 0) continue;
    ++some.sequences;
    left -= share;
    const std::size_t parts = share == sequence.steps ? 1 : std::clamp<std::size_t>(share / kLeastSteps, 1, kParts);
    for (std::size_t part = 0; part < parts; ++part) {
      const std::size_t steps = share * (part + 1) / parts - share * part / parts;
      const std::size_t begin = parts == 1 ? 0 : (sequence.steps - steps) * part / (parts - 1);
      some.parts.push_back(part_of(sequence, begin, steps, model));
    }
  }
  return some;
}

struct Place {
  std::string node, point;
  double sqnr_db = 0;
};

// The sum of a gate is cut off where its curve is flat: it may be far from float's when what the curve makes of it is
// not.
bool is_harmless_sum(const PointError& gate, double limit, const std::vector<PointError>& gates) {
  const std::size_t at = gate.name.find(".pre_");
  if (at == std::string::npos) return false;
  std::string activated = gate.name;
  activated.replace(at, 5, ".act_");
  const auto found = std::ranges::find(gates, activated, &PointError::name);
  return found != gates.end() && found->sqnr_db >= limit;
}

// The first point below `limit`, in the order of computation, of the nodes that lead to `output`.
Place first_below(double limit, const Model& model, const Comparison& comparison, const PointError& output) {
  std::set<const Node*> before{model.maker(output.name)};
  std::vector<const Node*> way;
  for (auto node = model.nodes.rbegin(); node != model.nodes.rend(); ++node) {
    if (!before.contains(&*node)) continue;
    way.push_back(&*node);
    for (const std::string& input : node->inputs) before.insert(model.maker(input));
  }
  std::ranges::reverse(way);
  const auto layer = [&](const std::string& name) -> const PointError* {
    const auto found = std::ranges::find(comparison.layers, name, &PointError::name);
    return found == comparison.layers.end() || found->sqnr_db >= limit ? nullptr : &*found;
  };
  for (const ModelInput& given : model.inputs)
    if (const PointError* input = layer(given.name)) return {given.name, "", input->sqnr_db};
  for (const Node* node : way) {
    const std::string prefix = node->name + ".";
    for (const PointError& gate : comparison.gates)
      if (gate.name.starts_with(prefix) && gate.sqnr_db < limit && !is_harmless_sum(gate, limit, comparison.gates))
        return {node->name, gate.name.substr(prefix.size()), gate.sqnr_db};
    for (const std::string suffix : {"", "_reverse"})
      if (const PointError* point = layer(node->name + suffix)) return {node->name, "output" + suffix, point->sqnr_db};
  }
  return {output.name, "output", output.sqnr_db};
}

}  // namespace

Fidelity measure_fidelity(const Model& reference, const Model& quantized, std::span<const SequenceView> sequences,
                          const FidelityOptions& options) {
  const Chosen some = chosen(reference, sequences, options);
  const Comparison comparison = compare(reference, quantized, some.parts);
  Fidelity fidelity;
  fidelity.sequences = some.sequences;
  fidelity.given = sequences.size();
  fidelity.steps = comparison.steps;
  const Scheme* scheme = find_scheme(quantized.scheme);
  const double limit = scheme == nullptr ? 0 : scheme->lowest_sqnr_db;
  for (const PointError& output : comparison.outputs) {
    fidelity.outputs.push_back({output.name, {}, output.agreement});
    const bool classes = row_of(quantized.maker(output.name)->operation).gives_scores();
    const bool near = quantized.value(output.name).format.kind == NumberType::kI32 || output.sqnr_db >= limit;
    if (classes && near && output.agreement && *output.agreement < kLowestAgreement)
      fidelity.warnings.push_back(
          {"low_agreement", output.name, "", *output.agreement, kLowestAgreement,
           fmt::format(
               "output '{}' gives the class of the float model in {:.1f} % of the calibration data, expected "
               "{:g} %: weights may have too few bits (--override NODE=SCHEME gives a node more), or one score far "
               "larger than the others takes their codes; 'quaver compare' shows every point",
               output.name, *output.agreement, kLowestAgreement)});
    if (quantized.value(output.name).format.kind == NumberType::kI32) continue;
    fidelity.outputs.back().sqnr_db = output.sqnr_db;
    if (limit == 0 || output.sqnr_db >= limit) continue;
    const Place place = first_below(limit, quantized, comparison, output);
    fidelity.warnings.push_back(
        {"low_sqnr", place.node, place.point, output.sqnr_db, limit,
         fmt::format(
             "output '{}' has {:.1f} dB on the calibration data, below the {:g} dB expected of {}; it is lost "
             "first at '{}' ({:.1f} dB). 'quaver compare' shows every point; --override gives the node and what "
             "it reads another scheme, --ignore with --allow-float keeps them in float",
             output.name, output.sqnr_db, limit, quantized.scheme,
             place.point.empty() ? place.node : place.node + "." + place.point, place.sqnr_db)});
  }
  for (Warning& warning : cut_halves(reference, quantized, some.parts)) fidelity.warnings.push_back(std::move(warning));
  return fidelity;
}

Fidelity measure_fidelity(const MemoryNetwork& reference, const MemoryNetwork& quantized,
                          std::span<const MemoryQuestion> questions) {
  const std::size_t wanted = std::min(questions.size(), kMostFidelityQuestions);
  std::vector<AnsweredQuestion> asked;
  for (std::size_t i = 0; i < wanted; ++i) asked.push_back({questions[i * questions.size() / wanted]});
  const MemoryComparison comparison = compare(reference, quantized, asked);
  Fidelity fidelity;
  fidelity.sequences = wanted;
  fidelity.given = questions.size();
  const double agreement = 100 - 100 * static_cast<double>(comparison.changed) / static_cast<double>(wanted);
  fidelity.outputs.push_back({"answer", comparison.outputs.at(0).sqnr_db, agreement});
  if (agreement < kLowestAgreement) {
    const auto worst = std::ranges::min_element(comparison.layers, {}, &MemoryPointError::sqnr_db);
    const bool known = worst != comparison.layers.end();
    fidelity.warnings.push_back(
        {"low_agreement", "", known ? worst->name : "", agreement, kLowestAgreement,
         fmt::format("{:.1f} % of {} calibration questions are answered as by the float network, expected {:g} %{}; "
                     "'quaver compare' shows every point",
                     agreement, wanted, kLowestAgreement,
                     known ? fmt::format("; farthest off is '{}' ({:.1f} dB)", worst->name, worst->sqnr_db) : "")});
  }
  return fidelity;
}

nlohmann::ordered_json to_json(const std::vector<OutputFidelity>& outputs) {
  const auto optional = [](const std::optional<double>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
  };
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const OutputFidelity& output : outputs)
    json.push_back(
        {{"name", output.name}, {"sqnr_db", optional(output.sqnr_db)}, {"agreement", optional(output.agreement)}});
  return json;
}

nlohmann::ordered_json to_json(const std::vector<Warning>& warnings) {
  const auto optional = [](const std::optional<double>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
  };
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Warning& warning : warnings)
    json.push_back({{"code", warning.code},
                    {"node", warning.node},
                    {"point", warning.point},
                    {"value", optional(warning.value)},
                    {"limit", optional(warning.limit)},
                    {"text", warning.text}});
  return json;
}

std::string to_text(const Fidelity& fidelity) {
  std::vector<std::string> outputs;
  for (const OutputFidelity& output : fidelity.outputs) {
    std::vector<std::string> figures;
    if (output.sqnr_db)
      figures.push_back(*output.sqnr_db >= kEqualDb ? "equal" : fmt::format("{:.1f} dB", *output.sqnr_db));
    if (output.agreement) figures.push_back(fmt::format("same answer in {:.2f} %", *output.agreement));
    outputs.push_back(output.name + " " + join(figures, ", "));
  }
  return fmt::format("{}; measured on {} of {} calibration {}", join(outputs, "; "), fidelity.sequences, fidelity.given,
                     fidelity.steps == 0 ? "questions" : fmt::format("sequences, {} steps", fidelity.steps));
}

}  // namespace quaver
