#include "support/built_programs.h"

namespace quaver::testing_support {

const char* const kProgram = QUAVER_PROGRAM;
const char* const kFootprint = QUAVER_FOOTPRINT;

}  // namespace quaver::testing_support
