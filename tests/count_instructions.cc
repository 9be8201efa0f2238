// The fixed work whose instructions tools/check_instructions.py counts: steps and sequences of random cells, and the
// curves over all their inputs. Every case runs inside counted_work(), which the counter switches on and off at;
// standard output names the compiler and then the cases in that order.
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "quaver/bench/random_model.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/kernels/elementwise/elementwise.h"

extern "C" [[gnu::noinline]] void counted_work(const std::function<void()>& work) {
  work();
  asm volatile("");  // no tail call: the counter sees the return
}

namespace {

using namespace quaver;

constexpr std::size_t kInput = 64, kSteps = 20;

void count(const std::string& name, const std::function<void()>& work) {
  work();  // what happens once only, like finding a function of a shared library, is not counted
  std::printf("%s\n", name.c_str());
  counted_work(work);
}

void count_cell(const RandomModelOptions& options, const std::string& name) {
  const Model model = random_model(options);
  Session session(model);
  State state = session.initial_state();
  std::vector<std::int8_t> codes(kSteps * options.input);
  Random random(2);
  for (std::int8_t& code : codes) code = static_cast<std::int8_t>(random.between(-128, 127));
  const std::string shape = name + " " + std::to_string(options.hidden);
  count(shape + " step", [&] { session.step(std::span(codes).first(options.input), state); });
  const SequenceView sequence{kSteps, {}, {}, codes};
  count(shape + " " + std::to_string(kSteps) + " steps", [&] { session.run(sequence, state); });
}

void count_curves() {
  std::vector<std::int16_t> inputs(65536), outputs(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    inputs[i] = static_cast<std::int16_t>(static_cast<std::int32_t>(i) - 32768);
  const ElementwisePath& path = elementwise_path(chosen_isa());
  count("sigmoid 65536", [&] { path.curve(Curve::kSigmoid, inputs.data(), 3, inputs.size(), outputs.data()); });
  count("tanh 65536", [&] { path.curve(Curve::kTanh, inputs.data(), 3, inputs.size(), outputs.data()); });
}

}  // namespace

int main() {
#if defined(__clang__)
  std::printf("clang %s\n", __clang_version__);
#else
  std::printf("gcc %s\n", __VERSION__);
#endif
  for (const std::size_t hidden : {128u, 512u}) {
    count_cell({.cell = "lstm", .input = kInput, .hidden = hidden}, "lstm");
    count_cell({.cell = "gru", .input = kInput, .hidden = hidden}, "gru, reset after,");
    count_cell({.cell = "gru", .input = kInput, .hidden = hidden, .linear_before_reset = false}, "gru, reset before,");
  }
  count_cell({.cell = "lstm", .input = kInput, .hidden = 128, .layer_norm = true}, "lstm, layer norm,");
  for (const char* scheme : {"int4", "quaternary", "ternary", "binary"})
    count_cell({.cell = "lstm", .input = kInput, .hidden = 512, .scheme = scheme}, concat("lstm, ", scheme, ","));
  count_curves();
}
