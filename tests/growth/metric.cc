// metric.cc - the metric of metric.patch: an Evaluator finds it by name, and the JSON of 'eval' has it beside the
// others.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "quaver/report/error/evaluate.h"
#include "quaver/report/show/evaluate_report.h"

using namespace quaver;

int main() {
  Model model;
  model.inputs = {{"input", {.shape = {2}}}};
  const DenseAttributes dense{.input_size = 2, .units = 2};
  model.nodes = {{.name = "scores",
                  .operation = dense,
                  .inputs = {"input"},
                  .outputs = {output_value(dense, model.inputs[0].value)}}};
  model.tensors["scores.W"] = Tensor::from<float>({2, 2}, std::vector<float>{1, 0, 0, 1});
  model.tensors["scores.b"] = Tensor::from<float>({2}, std::vector<float>{0, 0});
  model.outputs = {"scores"};
  const std::vector<float> frames{1, 0, 0, 1, 1, 0, 0, 1};
  const std::vector<std::int32_t> labels{0, 1, 0, 0};
  const std::vector<JudgedSequence> sequences{{{4, frames}, {.labels = labels}}};
  Session session(model);
  Evaluator by_name(session, Target::kTags, 2, "errors");
  by_name.add(sequences);
  const Evaluation chosen = by_name.result();
  Evaluator by_accuracy(session, Target::kTags, 2);
  by_accuracy.add(sequences);
  EvaluateReport report;
  report.of_kind = SequenceEvaluateReport{by_accuracy.result(), "scalar"};
  const auto json = to_json(report);
  std::printf("%s of 4 steps: %g, in JSON %s, expected 1\n", chosen.chosen.metric.c_str(), chosen.chosen.value,
              json.at("others").at("errors").dump().c_str());
  return chosen.chosen.value == 1 && json.at("others").at("errors") == 1 ? 0 : 1;
}
