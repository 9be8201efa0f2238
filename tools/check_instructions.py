#!/usr/bin/env python3
"""Counts the instructions of fixed work (tests/count_instructions.cc) under callgrind and compares with the baseline.

    check_instructions.py PROGRAM [--update]

A count says nothing about caches and bandwidth, but it is the same on every machine and at every load, so it can be
gated where time can not. valgrind knows no AVX-512: the scalar and AVX2 paths stand for all. More instructions than
the baseline's by over TOLERANCE fail; fewer are told, for --update to keep.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BASELINE = pathlib.Path(__file__).resolve().parent.parent / "docs/results/instructions.json"
PATHS = ("scalar", "avx2")
# Between builds by one compiler nothing changes; what a new standard library inlines or not is worth less than this.
TOLERANCE = 0.02


def counts_of(program, path):
    """Case -> instructions, and the compiler that the program names."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=counted_work",
                   "--dump-after=counted_work", f"--callgrind-out-file={folder}/out", program]
        run = subprocess.run(command, env={**os.environ, "QUAVER_FORCE_ISA": path}, capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"check_instructions: {' '.join(command)} failed:\n{run.stderr[-2000:]}")
        compiler, *cases = run.stdout.splitlines()
        counts = {}
        for number, case in enumerate(cases, 1):
            dump = pathlib.Path(folder, f"out.{number}").read_text()
            counts[case] = int(re.search(r"^summary: (\d+)", dump, re.MULTILINE)[1])
        return counts, compiler


def main():
    program, update = sys.argv[1], "--update" in sys.argv[2:]
    found, compiler = {}, ""
    for path in PATHS:
        found[path], compiler = counts_of(program, path)
    if update:
        BASELINE.write_text(json.dumps({"compiler": compiler, "instructions": found}, indent=1) + "\n")
        print(f"instructions: wrote {BASELINE.name}")
        return
    baseline = json.loads(BASELINE.read_text())
    if baseline["compiler"] != compiler:
        print(f"instructions: not compared: the baseline is of {baseline['compiler']}, this build of {compiler}")
        return
    failed = False
    for path in PATHS:
        expected = baseline["instructions"][path]
        for case in sorted(expected.keys() | found[path].keys()):
            before, now = expected.get(case), found[path].get(case)
            if before is None or now is None:
                print(f"instructions: {path}, {case}: {before} in the baseline, {now} now")
                failed = True
            elif abs(now - before) > TOLERANCE * before:
                print(f"instructions: {path}, {case}: {before} -> {now} ({100 * (now / before - 1):+.1f} %)")
                failed |= now > before
    total = sum(len(counts) for counts in found.values())
    print(f"instructions: {total} counts compared; a change that is meant to stay: make count-update")
    sys.exit(1 if failed else 0)


main()
