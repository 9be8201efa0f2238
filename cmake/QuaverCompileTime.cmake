# What keeps the time of compilation down. None of it changes what a program computes.

# quaver_precompile(target header...)     parses headers of other projects once for all files of the target.
# quaver_precompile(target FROM another)  takes those of another target. Its optimization and what the headers see of its
#                                         macros must be the same: GCC 12 does not compare -O, it crashes.
# quaver_precompile(target NONE)          for a target whose libraries bring macros of their own (libtorch).
# GCC only. Clang compiles without, so that a file which does not include what it uses fails there.
function(quaver_precompile target)
  if(ARGV1 STREQUAL "NONE" OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    return()
  endif()
  target_compile_options(${target} PRIVATE -fpch-preprocess)  # ccache asks for it
  if(ARGV1 STREQUAL "FROM")
    target_precompile_headers(${target} REUSE_FROM ${ARGV2})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

# quaver_compile_together(target) compiles the sources of a program eight at a time: its headers' templates (flags, JSON,
# text) are instantiated once for all of them, which is most of their time. With GCC, but for Debug. Elsewhere each file is
# compiled alone, so that one which does not include what it uses fails there. Names in nameless name spaces must differ
# between files of the program.
function(quaver_compile_together target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# What many files of every floor read of the standard library.
set(QUAVER_STANDARD_HEADERS <algorithm> <array> <cmath> <cstdint> <cstring> <filesystem> <fstream> <functional> <limits>
                            <map> <memory> <numeric> <optional> <span> <sstream> <string> <string_view> <variant> <vector>)

# For files that only read, check, convert and print: half the time of their headers' templates and half their code, whose
# pages count as a program's memory. What takes a user's time is in the floors without it. A library is tested as it is
# shipped.
set(QUAVER_LIGHT_OPTIONS $<$<CONFIG:Release>:-Os>)
