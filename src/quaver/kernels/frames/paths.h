// paths.h - the rows of this kernel's table, one a file. Internal to kernels/frames.
#pragma once

#include "quaver/kernels/frames/frames.h"

namespace quaver {

// Scalar first, then as all_isas() has them.
extern const FramesPath kScalarFrames;
#if defined(__x86_64__)
extern const FramesPath kAvx2Frames, kAvx512VnniFrames;
inline constexpr const FramesPath* kFramesTable[]{&kScalarFrames, &kAvx2Frames, &kAvx512VnniFrames};
#elif defined(__aarch64__)
extern const FramesPath kNeonFrames;
inline constexpr const FramesPath* kFramesTable[]{&kScalarFrames, &kNeonFrames};
#else
inline constexpr const FramesPath* kFramesTable[]{&kScalarFrames};
#endif

}  // namespace quaver
