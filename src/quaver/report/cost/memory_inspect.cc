#include "quaver/report/cost/memory_inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "quaver/cells/memn2n/fixed_codes.h"
#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

constexpr const char* kRules = "every operation the form executes, facts embedded once a matrix and format";
constexpr const char* kPaperRules = "words and MACs at the weights' width, Hamming as additions; no softmax or limits";

std::string uses(const MemN2NShape& shape, std::size_t place) {
  const MemoryRoles roles(shape);
  std::vector<std::string> all;
  if (place == roles.B) all.emplace_back("B");
  const auto add = [&](const char* letter, const std::vector<std::size_t>& places) {
    const bool every = std::ranges::all_of(places, [&](std::size_t other) { return other == place; });
    for (std::size_t hop = 0; hop < places.size(); ++hop) {
      if (places[hop] != place) continue;
      all.push_back(every ? concat(letter, " of every hop") : concat(letter, " of hop ", hop + 1));
      if (every) break;
    }
  };
  add("A", roles.A);
  add("C", roles.C);
  if (roles.has_H && place == roles.H) all.emplace_back("H");
  if (place == roles.W) all.emplace_back("W");
  return join(all, ", ");
}

MemoryHopReport hop_report(const MemoryNetwork& network, std::size_t hop) {
  MemoryHopReport report{std::string(type_name(NumberType::kF32)), memory_similarity_name(network.scheme.similarity),
                         std::nullopt, 0};
  if (network.scheme.is_scaled()) {
    report.embeddings = concat("i", network.scheme.bits);
    report.similarity_step = static_cast<double>(network.scales.s[hop]);
    // Coded from the largest one down, a similarity has no limit: what is far below it counts nothing.
    if (!network.scheme.relative_similarity)
      report.similarity_limit = report.similarity_step * ((1 << (network.scheme.bits - 1)) - 1);
  }
  if (!network.scheme.is_fixed()) return report;
  const SignMagnitudeFormat format = network.scheme.hop_format(hop, network.shape.hops);
  const FixedCodes fixed(network.shape, network.scheme);
  report.embeddings = concat(format.integer, ".", format.fraction);
  report.similarity_step = fixed.similarity_step();
  report.similarity_limit = fixed.similarity_limit() * fixed.similarity_step();
  return report;
}

std::uint64_t whole(double mean) { return static_cast<std::uint64_t>(std::ceil(mean)); }

}  // namespace

MemoryInspection inspect(const MemoryNetwork& network, const QuestionSizes& questions, const std::string& source,
                         std::uint64_t file_bytes, const EnergyTable& table) {
  validate(network);
  if (questions.questions == 0) throw_usage("the costs of a memory network are counted a question: there is none");
  const MemN2NShape& shape = network.shape;
  const auto mean = [&](auto sum) { return static_cast<double>(sum) / static_cast<double>(questions.questions); };
  MemoryInspection inspection{.name = network.name,
                              .task = network.task,
                              .scheme = memory_scheme_text(network.scheme),
                              .shape = shape,
                              .matrices = {},
                              .hops = {},
                              .questions = questions,
                              .questions_source = source,
                              .parts = {},
                              .energy = memory_energy(shape, network.scheme, questions, table),
                              .energy_table = table,
                              .memory_pj_sram = {},
                              .memory_pj_dram = {}};
  inspection.parameters = parameter_count(shape);
  inspection.weights_bytes = 0;
  for (const MemoryMatrix& matrix : memory_matrices(shape))  // docs/file_format.md
    inspection.weights_bytes += matrix.rows * (!network.scheme.is_scaled()      ? matrix.cols * sizeof(float)
                                               : network.scheme.one_bit_weights ? (matrix.cols + 7) / 8
                                                                                : matrix.cols);
  inspection.weights_bytes_run = bytes_of_weights(shape, network.scheme);
  inspection.bytes = file_bytes > 0 ? file_bytes : inspection.weights_bytes;
  inspection.bytes_per_fact = bytes_of_a_fact(shape, network.scheme);
  inspection.state_bytes = shape.memory * inspection.bytes_per_fact;
  const std::vector<MemoryMatrix> matrices = memory_matrices(shape);
  for (std::size_t place = 0; place < matrices.size(); ++place)
    inspection.matrices.push_back(
        {matrices[place].name, matrices[place].rows, matrices[place].cols, uses(shape, place)});
  for (std::size_t hop = 0; hop < shape.hops; ++hop) inspection.hops.push_back(hop_report(network, hop));

  const std::vector<MemoryPart> parts = memory_costs(shape, network.scheme, questions);
  const std::vector<MemoryPart> in_float = memory_costs(shape, {}, questions);
  OperationCounts all;
  Traffic traffic;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const OperationCounts& operations = parts[i].operations;
    all += operations;
    traffic += parts[i].traffic;
    inspection.parts.push_back({parts[i].name, mean(operations.macs), mean(operations.float_ops()),
                                mean(operations.energy_pj(table)), mean(in_float[i].operations.energy_pj(table)),
                                mean(parts[i].traffic.weights_read + parts[i].traffic.activations()), operations});
  }
  inspection.macs = whole(mean(all.macs));
  inspection.float_ops = whole(mean(all.float_ops()));
  inspection.weights_read = mean(traffic.weights_read);
  inspection.activations_moved = mean(traffic.activations());
  if (table.sram_pj_per_byte) inspection.memory_pj_sram = inspection.weights_read * *table.sram_pj_per_byte;
  if (table.dram_pj_per_byte) inspection.memory_pj_dram = inspection.weights_read * *table.dram_pj_per_byte;
  return inspection;
}

nlohmann::ordered_json to_json(const MemoryEnergy& energy) {
  return {{"energy_pj", energy.pj},
          {"energy_f32_pj", energy.f32_pj},
          {"energy_gain_vs_f32", energy.gain()},
          {"energy_rules", kRules},
          {"paper_rules",
           {{"energy_pj", energy.paper_pj},
            {"energy_f32_pj", energy.paper_f32_pj},
            {"energy_gain_vs_f32", energy.paper_gain()},
            {"energy_rules", kPaperRules}}}};
}

std::string to_text(const MemoryEnergy& energy, const std::string& table_source) {
  return fmt::format(
      "energy      {:.2f} nJ/question in arithmetic, {:.1f}x less than the same network in f32 ({})\n"
      "            counted: {}\n"
      "            by rules fitted to the paper's 22x {:.2f} nJ, {:.1f}x less than f32: {}; docs/energy.md\n",
      energy.pj / 1000, energy.gain(), table_source, kRules, energy.paper_pj / 1000, energy.paper_gain(), kPaperRules);
}

nlohmann::ordered_json to_json(const MemoryInspection& inspection) {
  const auto optional = [](const std::optional<double>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
  };
  const MemN2NShape& shape = inspection.shape;
  nlohmann::ordered_json json = {{"model", inspection.name},
                                 {"kind", "memory network"},
                                 {"task", inspection.task},
                                 {"scheme", inspection.scheme},
                                 {"bytes", inspection.bytes},
                                 {"weights_bytes", inspection.weights_bytes},
                                 {"weights_bytes_run", inspection.weights_bytes_run},
                                 {"state_bytes", inspection.state_bytes},
                                 {"bytes_per_fact", inspection.bytes_per_fact},
                                 {"parameters", inspection.parameters},
                                 {"vocabulary", shape.vocabulary},
                                 {"memory", shape.memory},
                                 {"embedding", shape.d},
                                 {"hops", shape.hops},
                                 {"sentence", shape.sentence},
                                 {"tying", memory_tying_name(shape.tying)},
                                 {"encoding", sentence_encoding_name(shape.encoding)},
                                 {"temporal", shape.temporal},
                                 {"slots", shape.slots},
                                 {"questions",
                                  {{"source", inspection.questions_source},
                                   {"n", inspection.questions.questions},
                                   {"facts", inspection.questions.mean_facts()},
                                   {"words_per_fact", inspection.questions.mean_fact_words()},
                                   {"words", inspection.questions.mean_question_words()}}},
                                 {"macs", inspection.macs},
                                 {"float_ops", inspection.float_ops}};
  json.update(to_json(inspection.energy));
  json["energy_table"] = to_json(inspection.energy_table);
  json["traffic"] = {{"weights_read", inspection.weights_read}, {"activations", inspection.activations_moved}};
  json["memory_pj_sram"] = optional(inspection.memory_pj_sram);
  json["memory_pj_dram"] = optional(inspection.memory_pj_dram);
  json["layers"] = nlohmann::ordered_json::array();
  for (const MemoryPartReport& part : inspection.parts)
    json["layers"].push_back({{"name", part.name},
                              {"macs", part.macs},
                              {"float_ops", part.float_ops},
                              {"energy_pj", part.energy_pj},
                              {"energy_f32_pj", part.f32_energy_pj},
                              {"moved_bytes", part.moved_bytes},
                              {"operations", to_json(part.operations)}});
  json["matrices"] = nlohmann::ordered_json::array();
  for (const MemoryMatrixReport& matrix : inspection.matrices)
    json["matrices"].push_back(
        {{"name", matrix.name}, {"rows", matrix.rows}, {"cols", matrix.cols}, {"use", matrix.use}});
  json["formats"] = nlohmann::ordered_json::array();
  for (std::size_t hop = 0; hop < inspection.hops.size(); ++hop)
    json["formats"].push_back({{"hop", hop + 1},
                               {"embeddings", inspection.hops[hop].embeddings},
                               {"similarity", inspection.hops[hop].similarity},
                               {"similarity_limit", optional(inspection.hops[hop].similarity_limit)},
                               {"similarity_step", inspection.hops[hop].similarity_step}});
  return json;
}

std::string to_text(const MemoryInspection& inspection) {
  const MemN2NShape& shape = inspection.shape;
  Table matrices({{"matrix", Align::kLeft}, {"rows"}, {"cols"}, {"use", Align::kLeft}});
  for (const MemoryMatrixReport& matrix : inspection.matrices)
    matrices.add_row({matrix.name, count_text(matrix.rows), count_text(matrix.cols), matrix.use});
  Table hops({{"hop"}, {"embeddings", Align::kLeft}, {"similarity", Align::kLeft}, {"limit"}, {"step"}});
  for (std::size_t hop = 0; hop < inspection.hops.size(); ++hop) {
    const MemoryHopReport& report = inspection.hops[hop];
    hops.add_row({std::to_string(hop + 1), report.embeddings, report.similarity,
                  report.similarity_limit ? significant_text(*report.similarity_limit, 4) : "-",
                  report.similarity_step > 0 ? significant_text(report.similarity_step, 4) : "-"});
  }
  Table parts({{"part", Align::kLeft},
               {"MACs/question"},
               {"float ops/question"},
               {"nJ/question"},
               {"f32 nJ"},
               {"gain"},
               {"moved B"}});
  for (const MemoryPartReport& part : inspection.parts)
    parts.add_row({part.name, fixed_text(part.macs, 0), fixed_text(part.float_ops, 0),
                   fixed_text(part.energy_pj / 1000, 2), fixed_text(part.f32_energy_pj / 1000, 2),
                   part.energy_pj > 0 ? fixed_text(part.f32_energy_pj / part.energy_pj, 1) : "-",
                   fixed_text(part.moved_bytes, 0)});
  std::string text = matrices.text() + '\n' + hops.text() + '\n' + parts.text() + '\n';
  text += fmt::format("network     {}{}, {}\n", inspection.name.empty() ? "(no name)" : printable(inspection.name),
                      inspection.task.empty() ? "" : fmt::format(", task {}", printable(inspection.task)),
                      inspection.scheme);
  text += fmt::format("shape       {} words, {} facts, embedding {}, {} hops {}, encoding {}{}{}\n", shape.vocabulary,
                      shape.memory, shape.d, shape.hops, memory_tying_name(shape.tying),
                      sentence_encoding_name(shape.encoding), shape.temporal ? ", ages" : "",
                      shape.slots > 0 ? fmt::format(", {} slots", shape.slots) : "");
  text += fmt::format("bytes       {} file; weights {} stored, {} as they run; memory {} a fact, {} full\n",
                      inspection.bytes, inspection.weights_bytes, inspection.weights_bytes_run,
                      inspection.bytes_per_fact, inspection.state_bytes);
  text += fmt::format("question    {}: {:.1f} facts of {:.1f} words, {:.1f} words asked; {} MACs, float_ops: {}\n",
                      inspection.questions_source, inspection.questions.mean_facts(),
                      inspection.questions.mean_fact_words(), inspection.questions.mean_question_words(),
                      inspection.macs, inspection.float_ops);
  text += to_text(inspection.energy, inspection.energy_table.source);
  text += traffic_text({whole(inspection.weights_read), whole(inspection.activations_moved), 0}, "question",
                       inspection.memory_pj_sram, inspection.memory_pj_dram);
  return text;
}

}  // namespace quaver
