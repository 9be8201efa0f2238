// operation.cc - the operation of operation.patch in a model: runs, quantizes, is listed and counted.
#include <cstdio>
#include <vector>

#include "quaver/engine/sequence/session.h"
#include "quaver/quantize/quantize.h"
#include "quaver/report/cost/inspect.h"

using namespace quaver;

int main() {
  Model model;
  model.inputs = {{"input", {.shape = {3}}}};
  const auto add = [&](const char* name, Operation operation, const char* input) {
    model.nodes.push_back({.name = name,
                           .operation = operation,
                           .inputs = {input},
                           .outputs = {output_value(operation, model.value(input))}});
  };
  add("double", TwiceAttributes{}, "input");
  add("scores", DenseAttributes{.input_size = 3, .units = 1}, "double");
  model.tensors["scores.W"] = Tensor::from<float>({1, 3}, std::vector<float>{1, 1, 1});
  model.tensors["scores.b"] = Tensor::from<float>({1}, std::vector<float>{0});
  model.outputs = {"scores", "double"};
  validate(model);
  std::vector<float> frames(60);
  for (std::size_t i = 0; i < frames.size(); ++i) frames[i] = static_cast<float>(i % 7) - 3;
  const SequenceView sequence{20, frames};
  const Model integers = quantize(model, calibrate(model, {&sequence, 1})).model;
  const float expected = 2 * (frames[0] + frames[1] + frames[2]);
  const float in_float = Session(model).run(sequence)[0].real()[0],
              coded = Session(integers).run(sequence)[0].real()[0];
  std::printf("%s", to_text(integers).c_str());
  std::printf("float %g, integers %g, expected %g; %zu layers counted\n", static_cast<double>(in_float),
              static_cast<double>(coded), static_cast<double>(expected), inspect(integers).layers.size());
  const float error = coded - expected;
  return in_float == expected && error < 0.2f && error > -0.2f && inspect(integers).layers.size() == 2 ? 0 : 1;
}
