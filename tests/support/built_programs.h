// built_programs.h - paths of the programs that tests run.
#pragma once

namespace quaver::testing_support {

extern const char* const kProgram;    // quaver
extern const char* const kFootprint;  // examples/footprint

}  // namespace quaver::testing_support
