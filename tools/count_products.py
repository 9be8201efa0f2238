#!/usr/bin/env python3
"""Instructions of the NEON products' innermost loops, for what emulation can not time.

    python3 tools/count_products.py BUILD_FOLDER [--kernel recurrent_step/neon_dot] [--function REGEX]

A row a loop that multiplies: the instructions of a turn, the products of bytes that they make, the instructions for 32
products, and how many reach for the stack, where a loop that ran out of registers keeps something. With one stream each
product is a weight. Formats of weights are numbers, as WeightFormatId has them.
Needs aarch64-linux-gnu-objdump.
"""
import argparse
import pathlib
import re
import sys

from check_machine_code import functions, innermost_loops

PRODUCTS = {"sdot": 16, "smmla": 32, "smull": 8, "smull2": 8, "smlal": 8, "smlal2": 8}
FEWEST_PRODUCTS = 32  # of a turn that is looked at: curves multiply, too


def loops(path, pattern):
    for name, instructions in functions(path, objdump="aarch64-linux-gnu-objdump"):
        if not pattern.search(name):
            continue
        for first, last in innermost_loops(instructions):
            body = [text for address, _, text in instructions if first <= address <= last]
            products = sum(PRODUCTS.get(text.split()[0], 0) for text in body if ".16b" in text or ".8b" in text)
            if products >= FEWEST_PRODUCTS:
                yield name, len(body), products, sum("[sp" in text for text in body)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--kernel", default="recurrent_step/neon_dot")
    parser.add_argument("--function", default="", metavar="REGEX")
    options = parser.parse_args()
    objects = sorted(pathlib.Path(options.build).rglob(f"*{options.kernel}.cc.o"))
    if not objects:
        sys.exit(f"count_products: no object of {options.kernel} below {options.build}; run make neon first")
    print("instructions  products  for 32  stack  function")
    for path in objects:
        for name, count, products, stack in loops(path, re.compile(options.function)):
            short = re.sub(r"quaver::|\(anonymous namespace\)::|\(quaver::WeightFormatId\)", "", name).partition("(")[0]
            print(f"{count:12}  {products:8}  {32 * count / products:6.2f}  {stack:5}  {short}")


if __name__ == "__main__":
    main()
