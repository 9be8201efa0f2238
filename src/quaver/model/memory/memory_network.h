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
#include "quaver/model/formats/scheme.h"

namespace quaver {

inline constexpr const char* kMemoryCell = "memn2n";  // what these networks are called where cells are listed

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
std::string memory_tying_name(MemoryTying tying);               // "adjacent", "layerwise"
std::string sentence_encoding_name(SentenceEncoding encoding);  // "words", "position"
std::vector<std::string> memory_tying_names();
std::vector<std::string> sentence_encoding_names();
MemoryTying memory_tying_from_name(const std::string& name);
SentenceEncoding sentence_encoding_from_name(const std::string& name);

}  // namespace quaver
