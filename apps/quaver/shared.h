// shared.h - what all verbs have in common: flags, how a result is printed, where sequences come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "console.h"
#include "quaver/core/memory_limit.h"
#include "quaver/data/dataset.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/model/model.h"
#include "quaver/npz/npz.h"
#include "quaver/report/cost/energy.h"
#include "quaver/report/error/evaluate.h"
#include "quaver/report/show/json_text.h"

namespace CLI {
class App;
}

namespace quaver {

// What memory networks are called where flags and tables list cells.
inline constexpr const char* kMemoryCell = "memn2n";

// Flags of every verb.
struct SharedFlags {
  bool json = false;
  std::size_t threads = 0;  // 0: as many as the machine has

  void add_to(CLI::App& verb);
  std::size_t thread_count() const;
};

// Flags of verbs that print energies.
struct EnergyFlags {
  std::filesystem::path table_file{};

  void add_to(CLI::App& verb);
  EnergyTable table() const;  // the file's, else horowitz_2014(); Error (bad input) when it is none
};

// The result of a verb: exactly one JSON object, or text for people, on standard output.
void print_result(const SharedFlags& flags, const nlohmann::ordered_json& json, const std::string& text);

// The command line as it was typed, for provenance: in UTF-8, bytes that are none replaced.
void remember_command_line(int argc, const char* const* argv);
const std::string& command_line();

// Of verbs that read data.
struct MemoryFlag {
  std::uint64_t max_memory = kDefaultMaxMemory;  // bytes of one input, decoded

  void add_to(CLI::App& verb);
};

// Flags of verbs that read a task's data.
struct DataFlags {
  MemoryFlag memory{};
  std::optional<std::filesystem::path> data_dir;
  std::uint64_t data_seed = 1;

  // seed_flag: "--seed", or "--data-seed" where the verb draws something else from its seed.
  void add_to(CLI::App& verb, const std::string& seed_flag = "--seed,--data-seed");
};

Dataset load_split(const std::string& task, const std::string& split, const DataFlags& flags, std::size_t limit = 0);

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

// Whether a flag names such a file, or one of another kind, not TASK[:split].
bool names_a_file(const std::string& spec);

// From what a flag names: such a file, or TASK[:split].
Sequences read_sequences(const std::string& spec, const std::string& default_split, const Model& model,
                         const DataFlags& flags, std::size_t limit = 0);

// Error (bad input) with both sizes when the model was made for other data.
void require_fit(const Model& model, const Dataset& data);

// The examples as evaluate() reads them; views of `data`.
std::vector<LabelledSequence> labelled(const Dataset& data);

// Error (usage) unless the name ends in .safetensors.
void require_model_name(const std::filesystem::path& path);

}  // namespace quaver
