#include "quaver/quantize/quantize.h"

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/quantize/quantizer.h"

namespace quaver {

std::string_view rounding_name(Rounding rounding) { return rounding == Rounding::kNearest ? "nearest" : "compensated"; }

Rounding rounding_from_name(std::string_view name) {
  for (const Rounding rounding : {Rounding::kNearest, Rounding::kCompensated})
    if (name == rounding_name(rounding)) return rounding;
  throw_usage(concat("unknown rounding '", name, "'; expected nearest or compensated"));
}

QuantizeResult quantize(const Model& model, const Calibration& calibration, const QuantizeOptions& options) {
  return Quantizer(model, calibration, options).run();
}

}  // namespace quaver
