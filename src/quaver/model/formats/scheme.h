// scheme.h - what the name of a scheme stands for, of both kinds of network. The names stand here and in scheme.cc
// alone; what means one of them by itself says its constant.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/cells/memn2n/scheme.h"
#include "quaver/core/number_type.h"

namespace quaver {

// Names that both kinds of network have.
inline constexpr std::string_view kFloatScheme = "f32";     // nothing is coded: what a network starts with
inline constexpr std::string_view kDefaultScheme = "int8";  // what quantizing makes where nothing else is asked for
// Of memory networks: Q-MANN's own, the baselines of its paper, and two of ours.
inline constexpr std::string_view kQmannScheme = "qmann8";
inline constexpr std::string_view kQmannBinaryScheme = "qmann-binary";
inline constexpr std::string_view kFixedScheme = "fixed8";
inline constexpr std::string_view kFixedBinaryScheme = "fixed-binary";
inline constexpr std::string_view kFixedCalibratedScheme = "fixed8-calibrated";
inline constexpr std::string_view kBinaryCalibratedScheme = "binary-calibrated";

// ---- of models of sequences -----------------------------------------------------------------------------------------

struct Scheme {
  std::string_view name;
  NumberType weights = NumberType::kF32;      // of matrices; kF32: nothing is coded
  bool scale_a_row = false;                   // of matrices, else one a gate; decides too whether features get scales
  NumberType activations = NumberType::kF32;  // what nodes hand on, where nothing asks for more bits
  NumberType state = NumberType::kF32;        // what a recurrent node keeps from step to step
  MemoryArithmetic arithmetic = MemoryArithmetic::kFloat;
  // An output of the calibration data below this many decibels is worth a warning; 0: none is.
  double lowest_sqnr_db = 0;
  // Of embeddings, and of dense nodes that give an output of the model; empty: this one. Few weights, much to lose.
  std::string_view ends{};
  bool cuts_halves = false;  // an LSTM's sums are cut off at every addend, as LiteRT does (Sums::kHalves)
  bool operator==(const Scheme&) const = default;
};

bool is_float_scheme(std::string_view name);

std::span<const Scheme> schemes();
const Scheme* find_scheme(std::string_view name);  // null for an unknown one
std::vector<std::string> scheme_names();
// "f32", or every part: "weights i8, a scale a row; activations i8; state i16; scaled".
std::string scheme_text(const Scheme& scheme);

// ---- of memory networks ---------------------------------------------------------------------------------------------

// The presets: f32; in fixed point fixed8 (dot product, 5 integer bits), qmann8 (Hamming, 2 integer bits, formats a
// hop), fixed-binary and qmann-binary (these with a 1-bit query), fixed-binary-weights (fixed8 with 1-bit weights); of
// scaled integers int8, fixed8-calibrated (a point a tensor), binary-calibrated (that with a 1-bit query and state),
// binary-weights-calibrated (that with 1-bit weights).
// Error (usage) that lists them.
MemoryScheme memory_scheme_from_name(std::string_view name);
std::vector<std::string> memory_scheme_names();
// "f32", or every switch: "fixed n=8 iwl=2 hamming hop-formats one-bit-query".
std::string memory_scheme_text(const MemoryScheme& scheme);

// Of their parts, as files and flags write them; *_from_name: Error (usage) that lists the names.
std::string memory_arithmetic_name(MemoryArithmetic arithmetic);  // "f32", "fixed", "scaled"
std::string memory_similarity_name(MemorySimilarity similarity);  // "dot", "hamming"
MemoryArithmetic memory_arithmetic_from_name(const std::string& name);
MemorySimilarity memory_similarity_from_name(const std::string& name);

}  // namespace quaver
