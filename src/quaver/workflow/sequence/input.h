// input.h - sequences as models read them: from a file of arrays, or of a task.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "quaver/core/memory_limit.h"
#include "quaver/data/dataset.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/metrics/metric.h"
#include "quaver/model/model.h"
#include "quaver/npz/npz.h"
#include "quaver/workflow/data_source.h"
#include "quaver/workflow/listener.h"

namespace quaver {

// Sequences with the memory they live in. Moves, never copies: views point into it.
struct Sequences {
  std::string source;             // "digits:test", "x.npz"
  bool batched = true;            // false: the file held one sequence without a batch dimension
  std::vector<Example> examples;  // of a task
  std::deque<NpzArray> arrays;    // of a file
  bool ragged = false;            // the file says how long each is
  std::vector<SequenceView> views;

  Sequences() = default;
  Sequences(Sequences&&) = default;
  Sequences& operator=(Sequences&&) = default;
};

SequenceView view_of(const Sequence& sequence);

struct SequenceLimits {
  std::size_t count = 0;  // sequences at most, 0 for all
  std::uint64_t max_memory = kDefaultMaxMemory;
};

// From an .npz or .npy file: x (float32, [batch, time, features] or [time, features]), or ids (int32, [batch, time] or
// [time]) for a model that reads ids; of a model with several inputs an array for each, of its name (of one without
// time [batch, features] or [features]). Where sequences differ in length: lengths [batch], and the rest is padding, or
// offsets [batch + 1] into arrays of all steps. Error (bad input) for a wrong type or shape, NaN or infinity, no steps,
// a length beyond the padding, or any array beside them.
Sequences read_npz_sequences(const std::filesystem::path& path, const Model& model, const SequenceLimits& limits);

// Whether a flag names such a file, or one of another kind, not TASK[:split] or KIND:PATH.
bool names_a_file(const std::string& spec);

// From what a flag names: such a file, TASK[:split] or KIND:PATH. file: the model's, for messages.
Sequences read_sequences(const std::string& spec, const std::string& default_split, const Model& model,
                         const std::filesystem::path& file, const DataSource& data, std::size_t limit,
                         Listener& listener);

// Error (bad input) with both sizes when the model was made for other data.
void require_fit(const Model& model, const Dataset& data);

// The sizes of what a target says: classes, labels or real numbers.
std::size_t target_width(const Dataset& data);

// What is true of an example; a view of it.
Truth truth_of(const Example& example);

}  // namespace quaver
