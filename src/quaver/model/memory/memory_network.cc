#include "quaver/model/memory/memory_network.h"

#include <cmath>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {

void validate(const MemoryNetwork& network) {
  const auto refuse = [&](const std::string& what) {
    throw_bad_input(concat("memory network '", printable(network.name), "': ", what));
  };
  try {
    validate(network.shape);
    validate(network.scheme);
    validate(network.scales, network.shape, network.scheme);
  } catch (const Error& error) {
    refuse(error.what());
  }
  if (network.words.size() != network.shape.vocabulary)
    refuse(concat("it has ", network.words.size(), " words, expected its vocabulary of ", network.shape.vocabulary));
  const std::size_t count = parameter_count(network.shape);
  if (network.parameters.size() != count)
    refuse(concat("it has ", network.parameters.size(), " parameters, expected ", count));
  for (const MemoryMatrix& matrix : memory_matrices(network.shape))
    for (std::size_t i = 0; i < matrix.size(); ++i)
      if (!std::isfinite(network.parameters[matrix.offset + i]))
        refuse(concat("element ", i, " of matrix '", matrix.name, "' is not finite"));
  if (network.scheme.is_scaled() &&
      coded_parameters(network.shape, network.scheme, network.scales, network.parameters) != network.parameters)
    refuse("its parameters are not what their codes stand for; take coded_parameters()");
}

std::string memory_tying_name(MemoryTying tying) { return tying == MemoryTying::kAdjacent ? "adjacent" : "layerwise"; }

std::string sentence_encoding_name(SentenceEncoding encoding) {
  return encoding == SentenceEncoding::kWords ? "words" : "position";
}

std::vector<std::string> memory_tying_names() {
  return {memory_tying_name(MemoryTying::kAdjacent), memory_tying_name(MemoryTying::kLayerwise)};
}

std::vector<std::string> sentence_encoding_names() {
  return {sentence_encoding_name(SentenceEncoding::kWords), sentence_encoding_name(SentenceEncoding::kPosition)};
}

MemoryTying memory_tying_from_name(const std::string& name) {
  for (const MemoryTying tying : {MemoryTying::kAdjacent, MemoryTying::kLayerwise})
    if (memory_tying_name(tying) == name) return tying;
  throw_usage(concat("unknown tying '", printable(name), "': there are ", join(memory_tying_names(), ", ")));
}

SentenceEncoding sentence_encoding_from_name(const std::string& name) {
  for (const SentenceEncoding encoding : {SentenceEncoding::kWords, SentenceEncoding::kPosition})
    if (sentence_encoding_name(encoding) == name) return encoding;
  throw_usage(
      concat("unknown sentence encoding '", printable(name), "': there are ", join(sentence_encoding_names(), ", ")));
}

}  // namespace quaver
