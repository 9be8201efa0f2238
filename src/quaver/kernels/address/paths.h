// paths.h - the rows of addressing's table, one a file. Internal to kernels/address.
#pragma once

#include "quaver/kernels/address/address.h"

namespace quaver {

extern const AddressPath kScalarAddress;
#if defined(__x86_64__)
extern const AddressPath kAvx2Address;
extern const AddressPath kAvx512VnniAddress;
#elif defined(__aarch64__)
extern const AddressPath kNeonAddress;
#endif

}  // namespace quaver
