// instruction_set.cc - the set of instruction_set.patch, forced on a model: its one kernel runs, the others are those
// of the set that it extends, and the bits are the same.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "quaver/core/text.h"
#include "quaver/kernels/address/address.h"
#include "quaver/kernels/dispatch/path_table.h"
#include "quaver/kernels/matvec/matvec.h"
#include "quaver/kernels/norm/norm.h"
#include "quaver/kernels/recurrent_step/recurrent_step.h"
#include "quaver/kernels/rows/rows.h"
#include "quaver/kernels/sign_magnitude/sign_magnitude.h"
#include "quaver/quantize/quantize.h"
#include "support/random_model.h"

using namespace quaver;

namespace quaver {
extern std::size_t toy_runs;
}

namespace {

constexpr std::int64_t kFeatures = 13, kUnits = 19;
constexpr std::size_t kSteps = 40;

int failures = 0;
void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::printf("failed: %s\n", what.c_str());
  ++failures;
}

}  // namespace

int main() {
  expect(find_path(matvec_paths(), Isa::kToy).isa == Isa::kToy, "the set has a product of its own");
  expect(find_path(recurrent_step_paths(), Isa::kToy).isa == Isa::kScalar, "steps fall back");
  expect(address_path(Isa::kToy).isa == Isa::kScalar, "addressing falls back");
  expect(elementwise_path(Isa::kToy).isa == Isa::kScalar, "activations fall back");
  expect(layer_norm_path(Isa::kToy).isa == Isa::kScalar, "norms fall back");
  expect(rows_path(Isa::kToy).isa == Isa::kScalar, "rows fall back");
  expect(sign_magnitude_path(Isa::kToy).isa == Isa::kScalar, "signs and magnitudes fall back");

  setenv("QUAVER_FORCE_ISA", "toy", 1);
  LstmAttributes lstm{kFeatures, kUnits};
  lstm.layer_norm = true;
  const Model real = testing::ModelBuilder("growth", kFeatures, 1)
                         .add("lstm", lstm)
                         .add("gru", GruAttributes{kUnits, kUnits})
                         .add("scores", DenseAttributes{kUnits, 5})
                         .finish();
  const Sequence sequence = testing::random_sequence(kSteps, kFeatures, 2);
  const SequenceView frames = testing::view(sequence);
  for (const char* scheme : {"int8", "int4"}) {
    const Model model = quantize(real, calibrate(real, {&frames, 1}), {.scheme = scheme}).model;
    Session forced(model), scalar(model, {.isa = Isa::kScalar});
    expect(forced.isa() == Isa::kToy, concat("the set runs, not ", isa_name(forced.isa())));
    const std::vector<Result> expected = scalar.run(frames);
    expect(toy_runs == 0, "scalar runs no kernel of the set");
    expect(forced.run(frames) == expected, concat(scheme, ": the same bits"));
    expect(toy_runs == kSteps, concat(scheme, ": a product a step, not ", toy_runs));
    std::printf("%s: %zu products of %s's own\n", scheme, toy_runs, std::string(isa_name(forced.isa())).c_str());
    toy_runs = 0;
  }
  return failures == 0 ? 0 : 1;
}
