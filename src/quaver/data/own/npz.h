// npz.h - NumPy arrays as sequences with targets. Internal to this floor.
//
// x: real [batch, time, features]; ids: whole [batch, time]. lengths [batch]: steps of each, the rest is padding.
// offsets [batch + 1]: the sequences lie one behind the other in arrays of all steps, [all, features] or [all]. y, with
// T as the input has it (batch, time or all):
//   whole [batch]            a class a sequence      whole [T]           a class a step
//   uint8 [T, labels]        labels a step, 0 or 1
//   real [batch(, outputs)]  reals a sequence        real [T, outputs]   reals a step
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "quaver/data/dataset.h"
#include "quaver/npz/npz.h"

namespace quaver {

struct NpzSequences {
  Target target = Target::kClass;
  std::size_t features = 0, outputs = 0, labels = 0;  // labels: of kLabels
  std::vector<Example> examples{};                    // named "NAME, sequence I"
};

// name: of the file, for errors. Error (bad input) "NAME: ..." or "NAME, sequence I: ..." for arrays of other names,
// types or shapes, numbers that are not finite, ids and labels out of range.
NpzSequences sequences_of(const std::string& name, Npz arrays);

}  // namespace quaver
