// target.h - what a model of sequences learns to say.
#pragma once

#include "quaver/core/name_table.h"

namespace quaver {

enum class Target {
  kClass,      // one label a sequence
  kTags,       // one label a step
  kReals,      // real numbers a sequence
  kRealSteps,  // real numbers a step
  kLabels,     // a step: of each class whether it holds
};

// "class", "tags", "reals", "real-steps", "labels": as models and pipelines store them.
inline const NameTable<Target, 5>& target_names() {
  static constexpr NameTable<Target, 5> kNames("target", {"class", "tags", "reals", "real-steps", "labels"});
  return kNames;
}

// One class of all: the largest score names it.
constexpr bool names_a_class(Target target) { return target == Target::kClass || target == Target::kTags; }
constexpr bool is_real(Target target) { return target == Target::kReals || target == Target::kRealSteps; }
// A row of outputs a step; else a row a sequence.
constexpr bool is_of_steps(Target target) { return target != Target::kClass && target != Target::kReals; }

}  // namespace quaver
