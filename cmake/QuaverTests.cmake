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

# quaver_gtest(name target [FILTER filter] [SHARDS count] [EXTERNAL external filter ...])
#
# The ctest 'name' runs the GoogleTest program `target`, or what matches the filter; of a program that takes long,
# `count` of them, 'name_1_of_2' and so on, each every count-th test, so that they run side by side. Tests that need files
# which are no part of the repository are left out of it: they are the ctest 'external', whose name says what it needs.
# ctest shows as skipped a program that skipped all its tests; tools/tell_unchecked.py reads the XML for the others.
function(quaver_gtest name target)
  cmake_parse_arguments(PARSE_ARGV 2 test "" "FILTER;SHARDS" "EXTERNAL")
  set(names)
  while(test_EXTERNAL)
    list(POP_FRONT test_EXTERNAL external filter)
    add_test(NAME ${external} COMMAND ${target} --gtest_filter=${filter})
    list(APPEND names ${external})
    list(APPEND others ${filter})
  endwhile()
  if(others)
    list(JOIN others ":" others)
    string(APPEND test_FILTER "-${others}")
  endif()
  if(test_FILTER)
    set(test_FILTER --gtest_filter=${test_FILTER})
  endif()
  if(test_SHARDS)
    foreach(shard RANGE 1 ${test_SHARDS})
      set(test ${name}_${shard}_of_${test_SHARDS})
      math(EXPR index "${shard} - 1")
      add_test(NAME ${test} COMMAND ${target} ${test_FILTER})
      set_property(TEST ${test} PROPERTY
        ENVIRONMENT "GTEST_TOTAL_SHARDS=${test_SHARDS}" "GTEST_SHARD_INDEX=${index}")
      set_property(TEST ${test} PROPERTY COST 100)  # begun early
      list(APPEND names ${test})
    endforeach()
  else()
    add_test(NAME ${name} COMMAND ${target} ${test_FILTER})
    list(APPEND names ${name})
  endif()
  # Skipped only where the list of skipped tests ends the output: a failure or a sanitizer's report comes after it.
  string(CONCAT all_skipped "PASSED  \\] 0 tests\\.\n\\[  SKIPPED \\] [0-9]+ tests?, listed below:\n"
                            "(\\[  SKIPPED \\] [^\n]*\n)+$")
  foreach(test IN LISTS names)
    set_property(TEST ${test} APPEND PROPERTY
      ENVIRONMENT "GTEST_OUTPUT=xml:${PROJECT_BINARY_DIR}/Testing/gtest/${test}.xml")
    set_tests_properties(${test} PROPERTIES
      SKIP_REGULAR_EXPRESSION "${all_skipped}"
      FAIL_REGULAR_EXPRESSION "Running 0 tests")
  endforeach()
endfunction()
