// paths.h - the rows of this kernel's table, one a file. Internal to kernels/bit_planes.
#pragma once

#include "quaver/kernels/bit_planes/bit_planes.h"

namespace quaver {

// Scalar first, then as all_isas() has them.
extern const BitPlanesPath kScalarBitPlanes;
#if defined(__x86_64__)
extern const BitPlanesPath kAvx2BitPlanes, kAvx512VnniBitPlanes;
inline constexpr const BitPlanesPath* kBitPlanesTable[]{&kScalarBitPlanes, &kAvx2BitPlanes, &kAvx512VnniBitPlanes};
// In place of the last where the CPU counts bits by an instruction. No set of its own: no other kernel would use it.
extern const BitPlanesPath kAvx512VpopcntdqBitPlanes;
bool has_avx512vpopcntdq() noexcept;
#elif defined(__aarch64__)
extern const BitPlanesPath kNeonBitPlanes;
inline constexpr const BitPlanesPath* kBitPlanesTable[]{&kScalarBitPlanes, &kNeonBitPlanes};
#else
inline constexpr const BitPlanesPath* kBitPlanesTable[]{&kScalarBitPlanes};
#endif

}  // namespace quaver
