# Options a user or a preset sets, and the compile flags every floor shares.

option(QUAVER_WARNINGS_AS_ERRORS "Treat compiler warnings as errors (developer presets)" OFF)
option(QUAVER_BUILD_TOOLS "Build the command line, data, quantizer and reports, not the runtime alone" ON)
option(QUAVER_BUILD_FUZZERS "Build the libFuzzer targets (clang only)" OFF)
set(QUAVER_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. 'address,undefined' or 'thread'")
set(QUAVER_WITH_TORCH "AUTO" CACHE STRING "Build training on libtorch: AUTO (when found), ON (must be found) or OFF")
set(QUAVER_WITH_ONEDNN "AUTO" CACHE STRING "Link oneDNN as a peer of 'bench': AUTO, ON or OFF")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# A rebuild of an unchanged file should cost nothing, also in another build folder or clone. What a file depends on is
# taken from the compiler's list: without it every miss runs the preprocessor once more. Precompiled headers hold headers
# of other projects only, so that the time and the macros in them are no matter.
find_program(QUAVER_CCACHE ccache)
if(QUAVER_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${QUAVER_CCACHE})
endif()

# Baseline flags only: instruction sets beyond the baseline live in target regions of single files (style: no leaks).
# Float code must mean the same on every compiler: no contraction into fused multiply-add.
add_library(quaver_flags INTERFACE)
target_compile_options(quaver_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -ffp-contract=off)
# A program holds the functions that it calls: what an object has for other models and formats is left out, and its pages
# are not among those that a program takes.
target_compile_options(quaver_flags INTERFACE -ffunction-sections -fdata-sections)
if(NOT APPLE)
  add_link_options(LINKER:--gc-sections)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC bug 105329: "text" + std::string can be reported as a copy onto itself.
  target_compile_options(quaver_flags INTERFACE -Wno-restrict)
endif()
# GCC's documentation recommends against -Werror with sanitizers: what they insert makes it see errors that are none (a
# copy past the end of a temporary string, under the thread sanitizer). Every file is compiled without them, too.
if(QUAVER_WARNINGS_AS_ERRORS AND NOT (QUAVER_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU"))
  target_compile_options(quaver_flags INTERFACE -Werror)
endif()
if(QUAVER_SANITIZE)
  target_compile_options(quaver_flags INTERFACE -fsanitize=${QUAVER_SANITIZE} -fno-sanitize-recover=all
                                                -fno-omit-frame-pointer)
  target_link_options(quaver_flags INTERFACE -fsanitize=${QUAVER_SANITIZE})
endif()
