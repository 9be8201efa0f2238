// scalar.cc on vectors of 64 bytes: vector.inc.
#if defined(__x86_64__)

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/sign_magnitude/paths.h"

namespace quaver {
namespace {

constexpr std::size_t kBytes = 64;

#include "quaver/kernels/dispatch/begin_avx512vnni.inc"

#include "quaver/kernels/sign_magnitude/vector.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const SignMagnitudePath kAvx512VnniSignMagnitude{Isa::kAvx512Vnni,
                                                 code,
                                                 decode,
                                                 reformat,
                                                 limit,
                                                 add_products,
                                                 product_dots,
                                                 add_weighted_products,
                                                 hamming_sums,
                                                 add_hamming_slopes,
                                                 add_coded_outer};

}  // namespace quaver

#endif
