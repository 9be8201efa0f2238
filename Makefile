# The one door: every target does its own set-up, so that a fresh clone needs nothing else. "make help" lists them.
# SETUP installs what is missing of the groups of tools/packages.txt that stand after it; ALSO names a target's own.

SETUP     := @tools/setup.sh
JOBS      ?= $(shell nproc)
QUAVER    := build/release/quaver
TEST      := CTEST_PARALLEL_LEVEL=$(JOBS) tools/run_tests.sh

.DEFAULT_GOAL := build
.PHONY: help setup build demo test results bench count count-update count-program lint tidy sanitize clang clang-quick no-torch debug neon fuzz clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z -]+:.*## / { printf "  make %-21s %s\n", $$1, $$2 }' Makefile

setup: ## install every Debian package that any target needs (root or sudo); the targets install their own
	$(SETUP) build train test tools bench count lint clang cross

build: ## build/release/quaver, optimized; not the tests
	$(SETUP) build train $(ALSO)
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target quaver_program

demo: build ## the whole way on built-in data: train, quantize, compare; under two minutes once it is built
	@$(QUAVER) demo

test: ## every test of the release build
	$(SETUP) build train test tools
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS)
	@$(TEST) release

results: ALSO := tools
results: build ## docs/results on accuracy: train, quantize and compare on real data; hours, resumable
	@python3 tools/reproduce_digits_har.py
	@python3 tools/reproduce_tasks.py
	@python3 tools/reproduce_memn2n.py
	@python3 tools/memory_accuracy.py

bench: ALSO := bench tools
bench: build ## our steps beside oneDNN's on this machine
	@$(QUAVER) bench --peers

# Counts, not times: the same at any load. The baseline is docs/results/instructions.json.
COUNT := python3 tools/check_instructions.py build/release/tests/count_instructions
count: count-program ## instructions of fixed steps against the baseline
	@$(COUNT)
count-update: count-program ## the same, kept as the new baseline
	@$(COUNT) --update
count-program:
	$(SETUP) build train test tools count
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target count_instructions

lint: ## formatting, floors, headers that compile alone
	$(SETUP) build tools lint
	@find src apps tests examples fuzz -name '*.h' -o -name '*.cc' | xargs clang-format --dry-run --Werror
	@python3 tools/check_layers.py
	@cmake --preset no-torch >/dev/null
	@cmake --build --preset no-torch -j $(JOBS) --target all_verify_interface_header_sets

tidy: ## clang-tidy over the runtime
	$(SETUP) build test clang lint
	@cmake --preset clang >/dev/null
	@find src/quaver/core src/quaver/fixed src/quaver/kernels src/quaver/cells src/quaver/model src/quaver/engine \
	  src/quaver/io src/quaver/quantize -name '*.cc' ! -name '*_test.cc' ! -name '*_bench.cc' | \
	  xargs -P $(JOBS) -n 4 clang-tidy --quiet -p build/clang

# One preset each: configure, build, test. Under the thread sanitizer the tests of the team of threads and of the engine
# that have several threads, of one scheme on vector paths; other threads take whole tasks and meet at their ends only.
sanitize: ## tests under address + undefined-behaviour sanitizers, those with threads under the thread sanitizer
	$(SETUP) build test tools
	@cmake --preset asan-ubsan >/dev/null && cmake --build --preset asan-ubsan -j $(JOBS) && \
	  $(TEST) asan-ubsan
	@cmake --preset tsan >/dev/null && cmake --build --preset tsan -j $(JOBS) --target quaver_core_test test_engine && \
	  GTEST_FILTER='Team.*:*.Teams*:*.AnyChunking*-*per_tensor*:*int4*:*scalar*' $(TEST) tsan -R '^(core_test|engine_[0-9].*)$$'

clang: ALSO := clang
clang no-torch debug: ## all tests and benchmarks, built that way
	$(SETUP) build test tools bench $(ALSO)
	@cmake --preset $@ >/dev/null && cmake --build --preset $@ -j $(JOBS) --target all benches && $(TEST) $@

clang-quick: ## the program built by clang, and the tests of what has vector code
	$(SETUP) build test tools clang
	@cmake --preset clang >/dev/null && \
	  cmake --build --preset clang -j $(JOBS) --target quaver_program quaver_kernels_test quaver_cells_test \
    quaver_engine_test test_engine && \
	  $(TEST) clang -R '^(kernels_test|cells_test|engine_test|engine_[0-9].*)$$'

neon: ## kernels, cells and engine for 64-bit ARM, tested under qemu-user
	$(SETUP) build tools cross
	@cmake --preset aarch64 >/dev/null && \
	  cmake --build --preset aarch64 -j $(JOBS) --target quaver_kernels_test quaver_cells_test quaver_engine_test \
    test_engine && \
	  $(TEST) aarch64 -R '^(kernels_test|kernels_without_i8mm|cells_test|engine_test|engine_[0-9].*)$$'

SECONDS_A_TARGET ?= 30
FUZZERS := csv graph lm model_file npz own_npz state stories text ts wav
fuzz: ## libFuzzer on all that reads files, SECONDS_A_TARGET each
	$(SETUP) build clang
	@cmake --preset fuzz >/dev/null && cmake --build --preset fuzz -j $(JOBS) --target $(addprefix fuzz_,$(FUZZERS))
	@for target in $(FUZZERS); do mkdir -p build/fuzz/corpus/$$target; \
	  build/fuzz/fuzz/fuzz_$$target -max_total_time=$(SECONDS_A_TARGET) -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
	    build/fuzz/corpus/$$target fuzz/corpus/$$target || exit 1; done

clean: ## remove everything built
	@rm -rf build
