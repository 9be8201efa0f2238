// fidelity.h - does a freshly quantized model say on its calibration data what the float one says, and where not?
//
// compare.h (memory networks: memory_compare.h) on a bounded part of the data: evenly chosen sequences or questions,
// and so many steps that the check takes no longer than calibrating did.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quaver/engine/sequence/session.h"
#include "quaver/model/memory/memory_network.h"
#include "quaver/model/model.h"
#include "quaver/quantize/warning.h"

namespace quaver {

struct OutputFidelity {
  std::string name;
  std::optional<double> sqnr_db;    // as compare.h has it; none for an output of indices
  std::optional<double> agreement;  // percent of steps with the same index or largest value; none for a single value
};

struct Fidelity {
  std::size_t sequences = 0;  // that were measured, or questions
  std::size_t given = 0;      // of so many
  std::size_t steps = 0;      // of a memory network 0
  std::vector<OutputFidelity> outputs;
  // "low_sqnr": an output below the limit of the model's scheme (model/formats/scheme.h), with the first point on the
  // way from the input to it whose own SQNR is below that limit: there it is lost. "halves_cut": a node whose sums, cut
  // off half by half, change on this data (cut_halves.h). "low_agreement": an output of classes that is the float
  // model's in fewer than kLowestAgreement percent of the sequences or steps; a memory network that answers fewer than
  // kLowestAgreement percent as the float one does, with the point of its hops that is farthest off.
  std::vector<Warning> warnings;
};

inline constexpr double kLowestAgreement = 90;

struct FidelityOptions {
  std::size_t most_sequences = 64;
  std::size_t most_steps = 16384;  // of all sequences together; longer ones are cut
};

// reference: the float model; quantized: made of it. Error as compare() has them.
Fidelity measure_fidelity(const Model& reference, const Model& quantized, std::span<const SequenceView> sequences,
                          const FidelityOptions& options = {});

inline constexpr std::size_t kMostFidelityQuestions = 256;
Fidelity measure_fidelity(const MemoryNetwork& reference, const MemoryNetwork& quantized,
                          std::span<const MemoryQuestion> questions);

nlohmann::ordered_json to_json(const std::vector<OutputFidelity>& outputs);
nlohmann::ordered_json to_json(const std::vector<Warning>& warnings);
std::string to_text(const Fidelity& fidelity);  // one line: "scores 41.9 dB, same largest value in 100.00 %; on ..."

}  // namespace quaver
