# quaver::quaver: reads and runs models. Links the standard library and threads; the JSON reader is headers alone.
find_dependency(Threads)
find_dependency(nlohmann_json)
include(${CMAKE_CURRENT_LIST_DIR}/runtime_targets.cmake)
