// metric.cc - the metric of metric.patch: evaluate() fills it, and the JSON of 'eval' has it.
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
  const std::vector<float> frames(2 * 7, 1.0f);
  const std::vector<std::int32_t> labels(7, 0);
  std::vector<LabelledSequence> sequences;
  for (const std::size_t steps : {3u, 7u, 5u})
    sequences.push_back({{steps, std::span(frames).first(2 * steps)}, std::span(labels).first(steps)});
  Session session(model);
  const Evaluation evaluation = evaluate(session, sequences);
  EvaluateReport report;
  report.of_kind = SequenceEvaluateReport{evaluation, "scalar"};
  const auto json = to_json(report);
  std::printf("the longest of 3 sequences has %zu steps, in JSON %s, expected 7; %zu steps in all\n",
              evaluation.longest, json.at("longest").dump().c_str(), evaluation.steps);
  return evaluation.longest == 7 && json.at("longest") == 7 && evaluation.steps == 15 ? 0 : 1;
}
