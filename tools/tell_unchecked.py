#!/usr/bin/env python3
"""Tells what a run of ctest did not check: tell_unchecked.py FOLDER, of the XML files that GoogleTest wrote.

A line for each reason of a skipped test, and at last a line for the paths of the kernels that this CPU lacks: a test
that left one out has the property "lacks_<path>" (tests/support/paths.h).
"""
import collections
import pathlib
import sys
import xml.etree.ElementTree


def main(folder):
    cases = 0
    reasons = collections.Counter()
    not_run = 0       # cases on a path that is lacking
    run_in_part = 0   # cases that run on several paths
    lacking = set()
    for file in sorted(pathlib.Path(folder).glob("*.xml")):
        for case in xml.etree.ElementTree.parse(file).iter("testcase"):
            if case.get("status") != "run":
                continue
            cases += 1
            paths = {name.removeprefix("lacks_") for name in (each.get("name") for each in case.iter("property"))
                     if name.startswith("lacks_")}
            skipped = case.find("skipped")
            lacking |= paths
            if paths and skipped is not None:
                not_run += 1
            elif paths:
                run_in_part += 1
            elif skipped is not None:
                reasons[skipped.get("message").partition("\n")[2].strip() or case.get("name")] += 1
    for reason, count in sorted(reasons.items()):
        print(f"quaver: skipped {count} of {cases:,} cases: {reason}")
    if lacking:
        print(f"quaver: this CPU lacks {', '.join(sorted(lacking))}: of {cases:,} cases {not_run:,} did not run, "
              f"{run_in_part:,} ran without it")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
