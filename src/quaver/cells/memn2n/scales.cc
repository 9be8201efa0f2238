#include "quaver/cells/memn2n/scales.h"

#include <cmath>
#include <string>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/fixed/quantization.h"

namespace quaver {

void validate(const MemoryScales& scales, const MemN2NShape& shape, const MemoryScheme& scheme) {
  const auto check = [&](const char* name, const std::vector<float>& list, std::size_t expected) {
    if (!scheme.is_scaled()) expected = 0;
    if (list.size() != expected)
      throw_bad_input(concat("scales of a memory network: '", name, "' has ", list.size(), " numbers, expected ",
                             expected, scheme.is_scaled() ? "" : " under a scheme without scales"));
    for (std::size_t i = 0; i < list.size(); ++i) {
      int exponent = 0;
      if (!std::isnormal(list[i]) || list[i] < 0 || list[i] > 0x1p20f || list[i] < 0x1p-40f)
        throw_bad_input(concat("scales of a memory network: '", name, "' number ", i, " is ", list[i],
                               ", expected one from 2^-40 to 2^20"));
      if (scheme.power_of_two_scales && std::frexp(list[i], &exponent) != 0.5f)
        throw_bad_input(concat("scales of a memory network: '", name, "' number ", i, " is ", list[i],
                               ", expected a power of two under this scheme"));
    }
  };
  const std::size_t matrices = memory_matrices(shape).size();
  check("weights", scales.weights, matrices);
  check("embedded", scales.embedded, matrices);
  check("s", scales.s, shape.hops);
  check("u", scales.u, shape.hops + 1);
  check("query", scales.query, shape.hops);
  for (std::size_t hop = 0; hop < scales.s.size(); ++hop)
    if (scales.s[hop] >= 16)
      throw_bad_input(concat("scales of a memory network: 's' number ", hop, " is ", scales.s[hop],
                             ", expected less than 16: one step would be a factor of e^16"));
}

std::int8_t weight_code(float weight, float scale, const MemoryScheme& scheme) {
  if (scheme.one_bit_weights) return weight >= 0 ? std::int8_t{1} : std::int8_t{-1};
  const std::int32_t limit = (std::int32_t{1} << (scheme.bits - 1)) - 1;
  const double steps = static_cast<double>(weight) / static_cast<double>(scale);
  return static_cast<std::int8_t>(quantize(scheme.truncation ? std::trunc(steps) : steps, 1, 0, -limit, limit));
}

std::vector<float> coded_parameters(const MemN2NShape& shape, const MemoryScheme& scheme, const MemoryScales& scales,
                                    std::span<const float> parameters) {
  std::vector<float> coded;
  coded.reserve(parameters.size());
  const std::vector<MemoryMatrix> matrices = memory_matrices(shape);
  for (std::size_t place = 0; place < matrices.size(); ++place)
    for (const float weight : parameters.subspan(matrices[place].offset, matrices[place].size()))
      coded.push_back(static_cast<float>(weight_code(weight, scales.weights[place], scheme)) * scales.weights[place]);
  return coded;
}

}  // namespace quaver
