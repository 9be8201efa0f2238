// paths.h - the rows of this kernel's table, one a file. Internal to kernels/rows.
#pragma once

#include "quaver/kernels/rows/rows.h"

namespace quaver {

// Scalar first, then as all_isas() has them.
extern const RowsPath kScalarRows;
#if defined(__x86_64__)
extern const RowsPath kAvx2Rows, kAvx512VnniRows;
inline constexpr const RowsPath* kRowsTable[]{&kScalarRows, &kAvx2Rows, &kAvx512VnniRows};
#elif defined(__aarch64__)
extern const RowsPath kNeonRows;
inline constexpr const RowsPath* kRowsTable[]{&kScalarRows, &kNeonRows};
#else
inline constexpr const RowsPath* kRowsTable[]{&kScalarRows};
#endif

}  // namespace quaver
