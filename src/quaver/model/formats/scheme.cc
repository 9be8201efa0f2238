#include "quaver/model/formats/scheme.h"

#include <algorithm>
#include <array>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

using enum NumberType;
using enum MemoryArithmetic;
using enum MemorySimilarity;

constexpr std::string_view kLitertScheme = "int8_per_tensor";

// Eight bits give an output about 40 dB, four about 25: some 15 and 10 dB less is a model with a reason to look at. One
// scale a gate costs few bits 1 to 4 dB of that.
// Only LiteRT's recipe takes LiteRT's sums: of few bits there are no bytes of another engine to keep.
constexpr auto kSchemes = std::to_array<Scheme>({
    {kFloatScheme},
    {kDefaultScheme, kI8, true, kI8, kI16, kScaled, 25},
    {kLitertScheme, kI8, false, kI8, kI16, kScaled, 25, {}, true},
    {"int4", kI4, true, kI8, kI16, kScaled, 15},
    {"quaternary", kQuaternary, true, kI8, kI16, kScaled, 5, kDefaultScheme},
    {"ternary", kTernary, true, kI8, kI16, kScaled, 5, kDefaultScheme},
    {"binary", kBinary, true, kI8, kI16, kScaled, 1, kDefaultScheme},
    {"int4_per_tensor", kI4, false, kI8, kI16, kScaled, 12},
    {"quaternary_per_tensor", kQuaternary, false, kI8, kI16, kScaled, 4, kLitertScheme},
    {"ternary_per_tensor", kTernary, false, kI8, kI16, kScaled, 4, kLitertScheme},
    {"binary_per_tensor", kBinary, false, kI8, kI16, kScaled, 1, kLitertScheme},
});

struct NamedMemoryScheme {
  std::string_view name;
  MemoryScheme scheme;
};
constexpr MemoryScheme kConventional{.arithmetic = kFixed};
constexpr MemoryScheme kQmann{.arithmetic = kFixed, .integer_bits = 2, .similarity = kHamming, .hop_formats = true};
constexpr MemoryScheme kScales{.arithmetic = kScaled, .integer_only = true, .relative_similarity = true};

template <typename... Switches>
constexpr MemoryScheme with(MemoryScheme scheme, Switches... switches) {
  ((scheme.*switches = true), ...);
  return scheme;
}
constexpr auto kOneBitQuery = &MemoryScheme::one_bit_query, kOneBitState = &MemoryScheme::one_bit_state,
               kOneBitWeights = &MemoryScheme::one_bit_weights, kPoints = &MemoryScheme::power_of_two_scales;

constexpr std::array<NamedMemoryScheme, 10> kMemorySchemes{
    {{kFloatScheme, {}},
     {kFixedScheme, kConventional},
     {kQmannScheme, kQmann},
     {kFixedBinaryScheme, with(kConventional, kOneBitQuery)},
     {kQmannBinaryScheme, with(kQmann, kOneBitQuery)},
     {"fixed-binary-weights", with(kConventional, kOneBitWeights)},
     {kDefaultScheme, kScales},
     {kFixedCalibratedScheme, with(kScales, kPoints)},
     {kBinaryCalibratedScheme, with(kScales, kPoints, kOneBitQuery, kOneBitState)},
     {"binary-weights-calibrated", with(kScales, kPoints, kOneBitQuery, kOneBitState, kOneBitWeights)}}};

template <typename Rows>
std::vector<std::string> names_of(const Rows& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.emplace_back(row.name);
  return names;
}

}  // namespace

bool is_float_scheme(std::string_view name) { return name == kFloatScheme; }

std::span<const Scheme> schemes() { return kSchemes; }

const Scheme* find_scheme(std::string_view name) {
  const auto found = std::ranges::find(kSchemes, name, &Scheme::name);
  return found == kSchemes.end() ? nullptr : &*found;
}

std::vector<std::string> scheme_names() { return names_of(kSchemes); }

std::string scheme_text(const Scheme& scheme) {
  if (is_float_scheme(scheme.name)) return std::string(kFloatScheme);
  return concat("weights ", type_name(scheme.weights), ", a scale a ", scheme.scale_a_row ? "row" : "gate",
                "; activations ", type_name(scheme.activations), "; state ", type_name(scheme.state), "; ",
                memory_arithmetic_name(scheme.arithmetic));
}

MemoryScheme memory_scheme_from_name(std::string_view name) {
  const auto found = std::ranges::find(kMemorySchemes, name, &NamedMemoryScheme::name);
  if (found != kMemorySchemes.end()) return found->scheme;
  throw_usage(concat("unknown scheme of a memory network '", name, "': there are ", join(memory_scheme_names(), ", ")));
}

std::vector<std::string> memory_scheme_names() { return names_of(kMemorySchemes); }

std::string memory_scheme_text(const MemoryScheme& scheme) {
  if (scheme.is_float()) return std::string(kFloatScheme);
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

std::string memory_similarity_name(MemorySimilarity similarity) {
  return similarity == MemorySimilarity::kDot ? "dot" : "hamming";
}

MemorySimilarity memory_similarity_from_name(const std::string& name) {
  for (const MemorySimilarity similarity : {MemorySimilarity::kDot, MemorySimilarity::kHamming})
    if (memory_similarity_name(similarity) == name) return similarity;
  throw_usage(concat("unknown similarity '", printable(name), "': there are dot, hamming"));
}

std::string memory_arithmetic_name(MemoryArithmetic arithmetic) {
  return arithmetic == MemoryArithmetic::kFloat   ? std::string(kFloatScheme)
         : arithmetic == MemoryArithmetic::kFixed ? "fixed"
                                                  : "scaled";
}

MemoryArithmetic memory_arithmetic_from_name(const std::string& name) {
  for (const MemoryArithmetic arithmetic :
       {MemoryArithmetic::kFloat, MemoryArithmetic::kFixed, MemoryArithmetic::kScaled})
    if (memory_arithmetic_name(arithmetic) == name) return arithmetic;
  throw_usage(concat("unknown arithmetic '", printable(name), "': there are f32, fixed, scaled"));
}

}  // namespace quaver
