// unrolled.h - QUAVER_UNROLLED before a loop over an array of registers, of up to 24 turns. GCC 12 otherwise unrolls a
// nest of such loops after it has decided that the array lives in memory: every product then loads and stores its sum.
#pragma once

#if defined(__clang__)
#define QUAVER_UNROLLED _Pragma("unroll")
#else
#define QUAVER_UNROLLED _Pragma("GCC unroll 24")
#endif
