# Tests are GoogleTest's: the installed library, or in a cross build Debian's sources (package googletest). Where it is not
# installed there are no tests, and ctest fails for having none.
if(BUILD_TESTING)
  if(CMAKE_CROSSCOMPILING)
    set(INSTALL_GTEST OFF CACHE BOOL "" FORCE)
    add_subdirectory(/usr/src/googletest ${PROJECT_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
  else()
    find_package(GTest QUIET)
    if(NOT TARGET GTest::gmock)
      message(STATUS "quaver: GoogleTest was not found (Debian: libgtest-dev libgmock-dev), so there are no tests")
      set(BUILD_TESTING OFF)
    endif()
  endif()
endif()
# Benchmarks are Google Benchmark's, where it is installed: target 'benches', no part of 'all'.
add_custom_target(benches)
if(BUILD_TESTING AND NOT CMAKE_CROSSCOMPILING)
  find_package(benchmark QUIET)
endif()
