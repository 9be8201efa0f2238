// paths.h - the rows of this kernel's table, one a file. Internal to kernels/rows.
#pragma once

#include "quaver/kernels/rows/rows.h"

namespace quaver {

extern const RowsPath kScalarRows;
#if defined(__x86_64__)
extern const RowsPath kAvx2Rows;
extern const RowsPath kAvx512VnniRows;
#elif defined(__aarch64__)
extern const RowsPath kNeonRows;
#endif

}  // namespace quaver
