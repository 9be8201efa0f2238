#!/usr/bin/env python3
"""Checks every #include of the tree against docs/layers.txt: a floor never includes a higher floor."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
allowed = {}
for line in (root / "docs/layers.txt").read_text().splitlines():
    if line.strip() and not line.startswith("#"):
        floor, below = line.split(":")
        allowed[floor.strip()] = set(below.split())

errors, checked = [], 0
for path in sorted((root / "src/quaver").rglob("*/*")):  # quaver.h, the umbrella, belongs to no floor
    if path.suffix not in (".h", ".cc", ".inc"):
        continue
    floor = path.relative_to(root / "src/quaver").parts[0]
    text = path.read_text()
    for_tests = path.stem.endswith("_bench") or "#include <gtest/gtest.h>" in text
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#include "([^"]+)"', line)
        if not match:
            continue
        checked += 1
        parts = match[1].split("/")
        place = f"{path.relative_to(root)}:{number}"
        if parts[0] == "support" and for_tests:
            continue  # tests/support serves every floor's tests
        if parts[0] != "quaver":
            errors.append(f'{place}: includes "{match[1]}", expected "quaver/<floor>/..."')
        elif parts[1] != floor and parts[1] not in allowed.get(floor, set()):
            errors.append(f"{place}: {floor} includes {parts[1]}, allowed: {' '.join(sorted(allowed.get(floor, [])))}")
for floor in {p.name for p in (root / "src/quaver").iterdir() if p.is_dir()} - set(allowed):
    errors.append(f"src/quaver/{floor}: not in docs/layers.txt")
print("\n".join(errors) if errors else f"layers: {checked} includes of {len(allowed)} floors keep to docs/layers.txt")
sys.exit(1 if errors else 0)
