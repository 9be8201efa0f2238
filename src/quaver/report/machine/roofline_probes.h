// roofline_probes.h - the loops that roofline.cc times, one table of paths as the kernels have. Internal to report/.
#pragma once

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/dispatch/dispatch.h"

namespace quaver {

struct RooflineProbes {
  Isa isa;
  // Loads every byte once and returns something that depends on all of them. Whole cache lines, aligned to one.
  std::uint64_t (*read)(const std::byte* bytes, std::size_t size) noexcept;
  // `rounds` times macs_per_round multiplications of int8 added up in int32, on registers or the nearest cache.
  std::uint64_t (*multiply)(std::size_t rounds) noexcept;
  std::size_t macs_per_round;
};

const RooflineProbes& portable_probes();
#if defined(__x86_64__)
const RooflineProbes& avx2_probes();
const RooflineProbes& avx512vnni_probes();
#endif

}  // namespace quaver
