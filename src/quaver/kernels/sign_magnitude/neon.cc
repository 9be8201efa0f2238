// scalar.cc on vectors of 16 bytes: vector.inc.
#if defined(__aarch64__)

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/sign_magnitude/paths.h"

namespace quaver {
namespace {

constexpr std::size_t kBytes = 16;

#include "quaver/kernels/sign_magnitude/vector.inc"

}  // namespace

const SignMagnitudePath kNeonSignMagnitude{Isa::kNeon,     code,
                                           decode,         reformat,
                                           limit,          add_products,
                                           product_dots,   add_weighted_products,
                                           hamming_sums,   add_hamming_slopes,
                                           add_coded_outer};

}  // namespace quaver

#endif
