// step_result.h - what Session::step() answers: the step was taken, or why it was not.
#pragma once

#include <cstdint>

namespace quaver {

enum class StepRefusal : std::uint8_t {
  kNone,
  kNoModel,     // the Session was moved from
  kInputKind,   // reals for an input of ids, ids for one of reals, codes for one that is not int8, or more than one
  kInputSize,   // not input_features() elements for each state
  kOutputSize,  // not room for what each state gives: score_count() scores, or the bytes of the output, which is one
  kState,       // a state of another model, or one that was moved from
  kInputs,      // not every input of the model once: one frame for a model of several, a handle twice or of none
};

// Where a step is refused nothing was read through its spans and nothing written: states, scores and output_codes()
// are what they were. A stream may ignore the answer once its sizes are known to fit: they do not change.
struct StepResult {
  StepRefusal refusal = StepRefusal::kNone;

  constexpr bool accepted() const noexcept { return refusal == StepRefusal::kNone; }
  constexpr explicit operator bool() const noexcept { return accepted(); }
  bool operator==(const StepResult&) const = default;
};

}  // namespace quaver
