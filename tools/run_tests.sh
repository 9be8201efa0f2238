#!/bin/sh
# The tests of a preset, and after them what they did not check: run_tests.sh PRESET [ARGUMENT OF CTEST...]
set -u
preset=$1
shift
results=build/$preset/Testing/gtest
rm -rf "$results"
code=0
ctest --preset "$preset" --timeout 600 "$@" || code=$?
python3 tools/tell_unchecked.py "$results"
exit $code
