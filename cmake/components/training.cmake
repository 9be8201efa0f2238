# quaver::train_recurrent: trains recurrent networks, with libtorch.
include(${CMAKE_CURRENT_LIST_DIR}/workflow.cmake)
find_dependency(Torch)
include(${CMAKE_CURRENT_LIST_DIR}/training_targets.cmake)
