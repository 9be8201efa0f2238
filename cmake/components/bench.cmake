# quaver::bench: races, beside other engines too.
include(${CMAKE_CURRENT_LIST_DIR}/workflow.cmake)
find_package(OpenMP QUIET COMPONENTS CXX)  # where oneDNN was linked
include(${CMAKE_CURRENT_LIST_DIR}/bench_targets.cmake)
