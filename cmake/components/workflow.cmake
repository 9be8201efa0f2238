# quaver::workflow: a call a verb, with all that it stands on. quaver::reproduce: the papers.
find_dependency(fmt)
find_dependency(PkgConfig)
pkg_check_modules(LIBZIP REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(kissfft REQUIRED IMPORTED_TARGET kissfft-float)
pkg_check_modules(libarchive REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(samplerate REQUIRED IMPORTED_TARGET samplerate)
pkg_check_modules(sndfile REQUIRED IMPORTED_TARGET sndfile)
include(${CMAKE_CURRENT_LIST_DIR}/workflow_targets.cmake)
