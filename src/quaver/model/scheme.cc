#include "quaver/model/scheme.h"

#include <algorithm>
#include <array>

namespace quaver {
namespace {

// Eight bits give an output about 40 dB, four about 25: some 15 and 10 dB less is a model with a reason to look at.
constexpr std::array<Scheme, 4> kSchemes{{{kFloatScheme},
                                          {"int8", NumberType::kI8, true, 25},
                                          {"int8_per_tensor", NumberType::kI8, false, 25},
                                          {"int4", NumberType::kI4, true, 15}}};

}  // namespace

bool is_float_scheme(std::string_view name) { return name == kFloatScheme; }

std::span<const Scheme> schemes() { return kSchemes; }

const Scheme* find_scheme(std::string_view name) {
  const auto found = std::ranges::find(kSchemes, name, &Scheme::name);
  return found == kSchemes.end() ? nullptr : &*found;
}

std::vector<std::string> scheme_names() {
  std::vector<std::string> names;
  for (const Scheme& scheme : kSchemes) names.emplace_back(scheme.name);
  return names;
}

}  // namespace quaver
