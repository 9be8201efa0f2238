// memory_network.h - a memory network as a value: sizes, words and parameters. Runs nothing, reads no file.
//
// It stands beside Model: what flows through a Model is one sequence, what a memory network reads is a question and a
// set of facts, each a sentence of words that it holds the list of.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/scales.h"
#include "quaver/cells/memn2n/scheme.h"

namespace quaver {

struct MemoryNetwork {
  std::string name;
  std::string task;  // the task it was made for: "babi", "stories", or ""
  MemN2NShape shape;
  MemoryScheme scheme;             // how it computes; parameters are floats under every scheme and coded when it runs
  MemoryScales scales;             // of a scaled scheme; else empty
  std::vector<std::string> words;  // [shape.vocabulary]; words[0] is "": no word
  std::vector<float> parameters;   // as memory_matrices(shape) lays them out; scaled: as coded_parameters() gives them
  std::map<std::string, std::string> provenance;
  bool operator==(const MemoryNetwork&) const = default;
};

// Error (bad input) naming what does not fit: sizes, the number of words or parameters, a parameter that is not finite.
void validate(const MemoryNetwork& network);

// Names as files and flags write them; *_from_name: Error (usage) that lists the names.
std::string memory_tying_name(MemoryTying tying);                 // "adjacent", "layerwise"
std::string sentence_encoding_name(SentenceEncoding encoding);    // "words", "position"
std::string memory_similarity_name(MemorySimilarity similarity);  // "dot", "hamming"
std::string memory_arithmetic_name(MemoryArithmetic arithmetic);  // "f32", "fixed", "scaled"
MemoryArithmetic memory_arithmetic_from_name(const std::string& name);
MemorySimilarity memory_similarity_from_name(const std::string& name);
MemoryTying memory_tying_from_name(const std::string& name);
SentenceEncoding sentence_encoding_from_name(const std::string& name);

// The presets: "f32", "fixed8" (dot product, 5 integer bits), "qmann8" (Hamming, 2 integer bits, formats a hop),
// "fixed-binary" and "qmann-binary" (these with a 1-bit query), "fixed-binary-weights" (fixed8 with 1-bit weights); of
// scaled integers "int8", "fixed8-calibrated" (a point a tensor), "binary-calibrated" (that with a 1-bit query and
// state), "binary-weights-calibrated" (that with 1-bit weights).
// Error (usage) that lists them.
MemoryScheme memory_scheme_from_name(const std::string& name);
std::vector<std::string> memory_scheme_names();
// "f32", or every switch: "fixed n=8 iwl=2 hamming hop-formats one-bit-query".
std::string memory_scheme_text(const MemoryScheme& scheme);

}  // namespace quaver
