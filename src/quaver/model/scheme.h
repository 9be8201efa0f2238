// scheme.h - what a scheme's name stands for: one row a scheme, and the only place where the names are listed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/model/format.h"

namespace quaver {

struct Scheme {
  std::string_view name;
  NumberType weights = NumberType::kF32;  // of matrices; kF32: nothing is coded
  bool scale_a_row = false;               // of matrices, else one a gate; decides too whether features get scales
  // An output of the calibration data below this many decibels is worth a warning; 0: none is.
  double lowest_sqnr_db = 0;
};

inline constexpr std::string_view kFloatScheme = "f32";  // nothing is coded: what a model starts with
bool is_float_scheme(std::string_view name);

std::span<const Scheme> schemes();
const Scheme* find_scheme(std::string_view name);  // null for an unknown one
std::vector<std::string> scheme_names();

}  // namespace quaver
