// quantize.cc - from a float GRU to integers, in code: build, calibrate, quantize, look at the difference, save.
//
//   quantize OUT.safetensors
#include <cmath>
#include <cstdio>

#include "quaver/core/random.h"
#include "quaver/quantize/quantize.h"
#include "quaver/quaver.h"
#include "quaver/report/show/warning_lines.h"

namespace {

quaver::Tensor random_tensor(std::vector<std::int64_t> shape, double deviation, quaver::Random& random) {
  quaver::Tensor tensor = quaver::Tensor::zeros(quaver::NumberType::kF32, std::move(shape));
  for (float& value : tensor.as_mutable<float>()) value = static_cast<float>(deviation * random.normal());
  return tensor;
}

// Eight features in, a GRU of 32 units, the last state, three scores.
quaver::Model float_model(quaver::Random& random) {
  quaver::Model model;
  model.name = "example";
  model.inputs = {{.name = "input", .value = {.shape = {8}}}};
  const auto add = [&](const char* name, quaver::Operation operation, const char* input) {
    model.nodes.push_back({.name = name,
                           .operation = operation,
                           .inputs = {input},
                           .outputs = {quaver::output_value(operation, model.value(input))}});
  };
  add("gru0", quaver::GruAttributes{.input_size = 8, .hidden_size = 32}, "input");
  add("last", quaver::PoolAttributes{quaver::Pooling::kLast}, "gru0");
  add("scores", quaver::DenseAttributes{.input_size = 32, .units = 3}, "last");
  model.outputs = {"scores"};
  model.tensors["gru0.W"] = random_tensor({96, 8}, 0.35, random);
  model.tensors["gru0.R"] = random_tensor({96, 32}, 0.18, random);
  model.tensors["gru0.b"] = random_tensor({96}, 0.1, random);
  model.tensors["gru0.b_recurrent"] = random_tensor({96}, 0.1, random);
  model.tensors["scores.W"] = random_tensor({3, 32}, 0.5, random);
  model.tensors["scores.b"] = random_tensor({3}, 0.1, random);
  return model;
}

std::vector<float> random_frames(std::size_t steps, quaver::Random& random) {
  std::vector<float> frames(steps * 8);
  for (float& value : frames) value = static_cast<float>(random.normal());
  return frames;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: quantize OUT.safetensors\n");
    return 2;
  }
  try {
    quaver::Random random(1);
    const quaver::Model model = float_model(random);

    std::vector<std::vector<float>> recordings;
    std::vector<quaver::SequenceView> sequences;
    for (int i = 0; i < 32; ++i) recordings.push_back(random_frames(50, random));
    for (const auto& frames : recordings) sequences.push_back({.steps = 50, .real = frames});

    const quaver::Calibration calibration = quaver::calibrate(model, sequences);
    const quaver::QuantizeResult result = quaver::quantize(model, calibration, {.scheme = "int8"});
    for (const std::string& line : quaver::warning_lines(result.warnings)) std::printf("warning: %s\n", line.c_str());

    quaver::Session real(model), integer(result.model);
    const std::vector<float> frames = random_frames(50, random);
    const quaver::SequenceView fresh{.steps = 50, .real = frames};
    const std::vector<float> expected = real.run(fresh)[0].real();
    const std::vector<float> found = integer.run(fresh)[0].real();
    double worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      std::printf("score %zu: float %9.5f   int8 %9.5f\n", i, static_cast<double>(expected[i]),
                  static_cast<double>(found[i]));
      worst = std::max(worst, std::abs(static_cast<double>(expected[i] - found[i])));
    }
    quaver::save(result.model, argv[1]);
    return worst < 0.1 ? 0 : 1;
  } catch (const quaver::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
