// gradient_rules.h - what Q-MANN's program does to gradients, as switches.
#pragma once

namespace quaver {

// How gradients are taken under a fixed-point scheme.
struct GradientRules {
  // Mode 3 of Q-MANN's program: gradients of the read are codes too, truncated to the scheme's format and, at their
  // end, to one with a single integer bit.
  bool coded_read = false;
  bool released_slope = false;  // of the Hamming similarity, as that program computes it (M6)
  bool operator==(const GradientRules&) const = default;
};

}  // namespace quaver
