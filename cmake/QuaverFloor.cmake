# quaver_floor([HEADERS ...] [SOURCES ...] [DEPS floors...] [PRIVATE_LIBS libs...]
#              [LIGHT] [PRECOMPILED headers...]
#              [TESTS ...] [TEST_LIBS libs...] [TEST_PRECOMPILED headers...] [EXTERNAL_TESTS name filter ...] [BENCHES ...])
#
# Declares the floor of the calling CMakeLists.txt's folder, whose name it has (train/common: train_common): a static
# library quaver_<name> (to users quaver::<name>), one GoogleTest program quaver_<name>_test (ctest '<name>_test', see quaver_gtest) and one Google
# Benchmark program quaver_<name>_bench. DEPS are folders, those of docs/layers.txt, which tools/check_layers.py compares.
# LIGHT and the precompiled headers: see QuaverCompileTime; a floor without its own takes those of core, its tests those of
# quaver_test_support.
# HEADERS are the floor's public headers: CMake verifies that each compiles alone (target all_verify_interface_header_sets).
function(quaver_floor)
  cmake_parse_arguments(PARSE_ARGV 0 floor "LIGHT" ""
                        "HEADERS;SOURCES;DEPS;PRIVATE_LIBS;PRECOMPILED;TESTS;TEST_LIBS;TEST_PRECOMPILED;EXTERNAL_TESTS;BENCHES")
  if(NOT floor_PRECOMPILED)
    set(floor_PRECOMPILED FROM quaver_core)
  endif()
  if(NOT floor_TEST_PRECOMPILED)
    set(floor_TEST_PRECOMPILED FROM quaver_test_support)
  endif()
  file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR}/src/quaver ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "/" "_" name "${name}")
  string(REPLACE "/" "_" deps "${floor_DEPS}")
  set(target quaver_${name})
  list(TRANSFORM deps PREPEND quaver_)
  if(floor_SOURCES)
    add_library(${target} STATIC ${floor_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:quaver_flags> ${floor_PRIVATE_LIBS})
    quaver_precompile(${target} ${floor_PRECOMPILED})
    if(floor_LIGHT)
      target_compile_options(${target} PRIVATE ${QUAVER_LIGHT_OPTIONS})
    endif()
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(${target} ${scope} ${deps})
  target_compile_features(${target} ${scope} cxx_std_20)
  target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${floor_HEADERS})
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON EXPORT_NAME ${name})
  add_library(quaver::${name} ALIAS ${target})

  if(BUILD_TESTING AND floor_TESTS)
    add_executable(${target}_test ${floor_TESTS})
    target_link_libraries(${target}_test PRIVATE ${target} quaver_test_support ${floor_TEST_LIBS})
    quaver_precompile(${target}_test ${floor_TEST_PRECOMPILED})
    quaver_gtest(${name}_test ${target}_test EXTERNAL ${floor_EXTERNAL_TESTS})
  endif()
  if(floor_BENCHES AND TARGET benchmark::benchmark_main)
    add_executable(${target}_bench EXCLUDE_FROM_ALL ${floor_BENCHES})
    add_dependencies(benches ${target}_bench)
    target_link_libraries(${target}_bench PRIVATE ${target} quaver_flags benchmark::benchmark_main)
  endif()
endfunction()

# quaver_install(component FLOORS floors...)
#
# What find_package(quaver COMPONENTS component) gives: libraries, headers and targets of these floors. What else they need
# is found by cmake/components/<component>.cmake, which is installed beside them.
function(quaver_install component)
  cmake_parse_arguments(PARSE_ARGV 1 install "" "" "FLOORS")
  string(REPLACE "/" "_" targets "${install_FLOORS}")
  list(TRANSFORM targets PREPEND quaver_)
  set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/quaver)
  install(TARGETS ${targets} EXPORT quaver_${component} FILE_SET HEADERS)
  install(EXPORT quaver_${component} NAMESPACE quaver:: DESTINATION ${folder} FILE ${component}_targets.cmake)
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/components/${component}.cmake DESTINATION ${folder})
endfunction()
