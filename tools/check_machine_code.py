#!/usr/bin/env python3
"""What compilers made of the products: sums stay in registers, and AVX-VNNI has no EVEX.

    python3 tools/check_machine_code.py BUILD_FOLDER

The product of int8 keeps its sums in registers over its innermost loop; a compiler that runs out of them stores sums on the stack
instead, at the same bits and a fraction of the speed, and no other test sees it. So here: in the innermost loops of the
object files below that multiply, nothing as wide as a sum is stored. And what needs AVX-VNNI alone must run on CPUs
without AVX-512: no instruction of it has the EVEX prefix. Exit code 1 names object, function and instruction. Needs
objdump; x86-64 objects alone.
"""
import pathlib
import re
import subprocess
import sys

PRODUCTS = re.compile(r"\bv(pmaddubsw|pmaddwd|pdpbusd)\b")
STORE = re.compile(r"\bvmov\S*\s+(%[yz]mm\d+),.*\(%r[sb]p")
SUM = re.compile(r"\bv(paddd|pdpbusd)\b.*(%[yz]mm\d+)$")
OTHER = re.compile(r"\bv\S+ .*(%[yz]mm\d+)$")
JUMP = re.compile(r"\b(?:j[a-z]+|b\.[a-z]+)\s+([0-9a-f]+)\b")
LINE = re.compile(r"^\s*([0-9a-f]+):\t([0-9a-f ]+)\t(.*)$")
KERNELS = ["recurrent_step/avx2", "recurrent_step/avxvnni", "matvec/avx2", "matvec/avxvnni"]
OF_FEW_BITS = re.compile(r"\(quaver::WeightFormatId\)[1-9]\b|sums_of_signs")  # a sum or two on the stack there, measured no slower
FEWEST_PRODUCTS = 6  # of a loop that is looked at: fewer are of what is left, or of sums of x


def functions(path, objdump="objdump"):
    """Of each function its name and its instructions: address, bytes, text."""
    text = subprocess.run([objdump, "-d", "-C", str(path)], check=True,
                          capture_output=True, text=True).stdout
    name, found = None, []
    for line in text.splitlines():
        head = re.match(r"^[0-9a-f]+ <(.*)>:$", line)
        if head:
            if name:
                yield name, found
            name, found = head.group(1), []
        elif (match := LINE.match(line)):
            found.append((int(match.group(1), 16), match.group(2).split(), match.group(3)))
    if name:
        yield name, found


def innermost_loops(instructions):
    """Spans of addresses that a jump back closes and that hold no smaller one."""
    spans = []
    for address, _, text in instructions:
        jump = JUMP.search(text)
        if jump and int(jump.group(1), 16) <= address:
            spans.append((int(jump.group(1), 16), address))
    return [span for span in spans
            if not any(other != span and span[0] <= other[0] and other[1] <= span[1] for other in spans)]


def faults(path, kernel):
    loops = 0
    for name, instructions in functions(path):
        if kernel.endswith("avxvnni"):
            for address, codes, text in instructions:
                if codes[0] == "62":
                    yield f"{kernel}: {name}: {address:x}: '{text.strip()}' has an EVEX prefix, which AVX-VNNI CPUs may lack"
        for first, last in innermost_loops(instructions):
            body = [text for address, _, text in instructions if first <= address <= last]
            if sum(bool(PRODUCTS.search(text)) for text in body) < FEWEST_PRODUCTS or OF_FEW_BITS.search(name):
                continue
            loops += 1
            is_sum = {}  # what the last instruction left in each register
            for text in body + body:
                if (found := SUM.search(text.strip())):
                    is_sum[found.group(2)] = True
                elif (found := STORE.search(text)) and is_sum.get(found.group(1)):
                    yield f"{kernel}: {name}: the loop at {first:x} keeps a sum on the stack: '{text.strip()}'"
                    break
                elif (found := OTHER.search(text.strip())):
                    is_sum[found.group(1)] = False
    if loops == 0:
        yield f"{kernel}: no loop of products found, expected at least one"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    objects = {kernel: [path for path in pathlib.Path(sys.argv[1]).rglob(f"*{kernel}.cc.o") if "_test" not in str(path)]
               for kernel in KERNELS}
    missing = [kernel for kernel, paths in objects.items() if not paths]
    if missing:
        sys.exit(f"machine code: no object of {', '.join(missing)} below {sys.argv[1]}; build first")
    found = [fault for kernel, paths in objects.items() for path in paths for fault in faults(path, kernel)]
    for fault in found:
        print(f"machine code: {fault}")
    if found:
        sys.exit(1)
    print(f"machine code: {len(KERNELS)} kernels keep their sums in registers; AVX-VNNI without EVEX")


if __name__ == "__main__":
    main()
