#include "quaver/model/memory_network.h"

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

MemoryTying memory_tying_from_name(const std::string& name) {
  for (const MemoryTying tying : {MemoryTying::kAdjacent, MemoryTying::kLayerwise})
    if (memory_tying_name(tying) == name) return tying;
  throw_usage(concat("unknown tying '", printable(name), "': there are adjacent, layerwise"));
}

SentenceEncoding sentence_encoding_from_name(const std::string& name) {
  for (const SentenceEncoding encoding : {SentenceEncoding::kWords, SentenceEncoding::kPosition})
    if (sentence_encoding_name(encoding) == name) return encoding;
  throw_usage(concat("unknown sentence encoding '", printable(name), "': there are words, position"));
}

std::string memory_similarity_name(MemorySimilarity similarity) {
  return similarity == MemorySimilarity::kDot ? "dot" : "hamming";
}

MemorySimilarity memory_similarity_from_name(const std::string& name) {
  for (const MemorySimilarity similarity : {MemorySimilarity::kDot, MemorySimilarity::kHamming})
    if (memory_similarity_name(similarity) == name) return similarity;
  throw_usage(concat("unknown similarity '", printable(name), "': there are dot, hamming"));
}

std::string memory_arithmetic_name(MemoryArithmetic arithmetic) {
  return arithmetic == MemoryArithmetic::kFloat ? "f32" : arithmetic == MemoryArithmetic::kFixed ? "fixed" : "scaled";
}

MemoryArithmetic memory_arithmetic_from_name(const std::string& name) {
  for (const MemoryArithmetic arithmetic :
       {MemoryArithmetic::kFloat, MemoryArithmetic::kFixed, MemoryArithmetic::kScaled})
    if (memory_arithmetic_name(arithmetic) == name) return arithmetic;
  throw_usage(concat("unknown arithmetic '", printable(name), "': there are f32, fixed, scaled"));
}

std::vector<std::string> memory_scheme_names() {
  return {"f32",
          "fixed8",
          "qmann8",
          "fixed-binary",
          "qmann-binary",
          "fixed-binary-weights",
          "int8",
          "fixed8-calibrated",
          "binary-calibrated",
          "binary-weights-calibrated"};
}

MemoryScheme memory_scheme_from_name(const std::string& name) {
  const MemoryScheme conventional{.arithmetic = MemoryArithmetic::kFixed};
  const MemoryScheme qmann{.arithmetic = MemoryArithmetic::kFixed,
                           .integer_bits = 2,
                           .similarity = MemorySimilarity::kHamming,
                           .hop_formats = true};
  MemoryScheme scheme;
  if (name == "f32") return scheme;
  if (name.starts_with("fixed")) scheme = conventional;
  if (name.starts_with("qmann")) scheme = qmann;
  if (name == "fixed8" || name == "qmann8") return scheme;
  if (name == "fixed-binary" || name == "qmann-binary") {
    scheme.one_bit_query = true;
    return scheme;
  }
  if (name == "fixed-binary-weights") {
    scheme.one_bit_weights = true;
    return scheme;
  }
  scheme = {.arithmetic = MemoryArithmetic::kScaled, .integer_only = true, .relative_similarity = true};
  if (name == "int8") return scheme;
  scheme.power_of_two_scales = true;
  if (name == "fixed8-calibrated") return scheme;
  scheme.one_bit_query = scheme.one_bit_state = true;
  if (name == "binary-calibrated") return scheme;
  scheme.one_bit_weights = true;
  if (name == "binary-weights-calibrated") return scheme;
  throw_usage(concat("unknown scheme of a memory network '", name, "': there are ", join(memory_scheme_names(), ", ")));
}

std::string memory_scheme_text(const MemoryScheme& scheme) {
  if (scheme.is_float()) return "f32";
  if (scheme.is_scaled())
    return concat("scaled n=", scheme.bits, scheme.power_of_two_scales ? " power-of-two" : "",
                  scheme.shared_point ? concat(" shared-point iwl=", scheme.integer_bits) : "",
                  scheme.truncation ? " truncation" : "", scheme.relative_similarity ? " relative-similarity" : "",
                  scheme.one_bit_query ? " one-bit-query" : "", scheme.one_bit_state ? " one-bit-state" : "",
                  scheme.one_bit_weights ? " one-bit-weights" : "", " integer-only");
  return concat("fixed n=", scheme.bits, " iwl=", scheme.integer_bits, " ", memory_similarity_name(scheme.similarity),
                scheme.hop_formats ? " hop-formats" : "", scheme.one_bit_query ? " one-bit-query" : "",
                scheme.one_bit_weights ? " one-bit-weights" : "", scheme.integer_only ? " integer-only" : "");
}

}  // namespace quaver
