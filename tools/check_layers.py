#!/usr/bin/env python3
"""Checks every #include of the tree against docs/layers.txt, that a floor never includes a higher floor, and that the
floor's CMakeLists.txt links what its line names, no more and no less."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
source = root / "src/quaver"
allowed, for_tests = {}, {}
for line in (root / "docs/layers.txt").read_text().splitlines():
    if line.strip() and not line.startswith("#"):
        floor, below = line.split(":", 1)
        below, _, tests = below.partition("; tests:")
        allowed[floor], for_tests[floor] = set(below.split()), set(tests.split())

errors, checked, included = [], 0, set()


def floor_of(path):
    """The floor of a path below src/quaver: the longest of its folders that docs/layers.txt names."""
    folders = ["/".join(path.parts[:n]) for n in range(len(path.parts) - 1, 0, -1)]
    return next((folder for folder in folders if folder in allowed), folders[-1])


for path in sorted(source.rglob("*/*")):  # quaver.h, the umbrella, belongs to no floor
    if path.suffix not in (".h", ".cc", ".inc"):
        continue
    floor = floor_of(path.relative_to(source))
    text = path.read_text()
    a_test = re.search("^test_|_test$|_bench$", path.stem) or "#include <gtest/gtest.h>" in text
    may = allowed.get(floor, set()) | (for_tests.get(floor, set()) if a_test else set())
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#include "([^"]+)"', line)
        if not match:
            continue
        checked += 1
        parts = match[1].split("/")
        place = f"{path.relative_to(root)}:{number}"
        if parts[0] == "support" and a_test:
            continue  # tests/support serves every floor's tests
        if parts[0] != "quaver":
            errors.append(f'{place}: includes "{match[1]}", expected "quaver/<floor>/..."')
            continue
        below = floor_of(pathlib.Path(*parts[1:]))
        included.add((floor, below))
        if below != floor and below not in may:
            errors.append(f"{place}: {floor} includes {below}, allowed: {' '.join(sorted(may))}")

with_target = {str(path.parent.relative_to(source)): path.read_text() for path in source.rglob("CMakeLists.txt")
               if "quaver_floor(" in path.read_text()}
for floor in set(with_target) ^ set(allowed):
    errors.append(f"src/quaver/{floor}: a folder has either both, a target and a line in docs/layers.txt, or none")
for floor in set(with_target) & set(allowed):
    def arguments(keyword):
        found = re.search(rf"\s{keyword}\s([^A-Z)]*)", with_target[floor])
        return set(found[1].split()) if found else set()
    tests = {name.removeprefix("quaver_") for name in arguments("TEST_LIBS") if name.startswith("quaver_")}
    for linked, named in ((arguments("DEPS"), allowed[floor]), (tests, for_tests[floor])):
        if linked != named:
            errors.append(f"src/quaver/{floor}/CMakeLists.txt links {' '.join(sorted(linked)) or 'none'}, "
                          f"docs/layers.txt has {' '.join(sorted(named)) or 'none'}")
        errors += [f"docs/layers.txt: {floor} includes nothing of {below}" for below in sorted(named)
                   if (floor, below) not in included]
print("\n".join(errors) if errors else f"layers: {checked} includes of {len(allowed)} floors keep to docs/layers.txt")
sys.exit(1 if errors else 0)
