// paths.h - the rows of addressing's table, one a file. Internal to kernels/address.
#pragma once

#include "quaver/kernels/address/address.h"

namespace quaver {

// Scalar first, then as all_isas() has them.
extern const AddressPath kScalarAddress;
#if defined(__x86_64__)
extern const AddressPath kAvx2Address, kAvx512VnniAddress;
inline constexpr const AddressPath* kAddressTable[]{&kScalarAddress, &kAvx2Address, &kAvx512VnniAddress};
#elif defined(__aarch64__)
extern const AddressPath kNeonAddress;
inline constexpr const AddressPath* kAddressTable[]{&kScalarAddress, &kNeonAddress};
#else
inline constexpr const AddressPath* kAddressTable[]{&kScalarAddress};
#endif

}  // namespace quaver
