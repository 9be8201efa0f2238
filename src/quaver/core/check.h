// check.h - a check for what only a bug in Quaver itself can break.
//
// Input is checked with Error (error.h) at the door. Inside, QUAVER_DCHECK states what the door has guaranteed; it
// costs nothing in release builds and stops debug and sanitizer builds at the broken promise.
#pragma once

#include <cassert>

#define QUAVER_DCHECK(condition) assert(condition)
