#!/usr/bin/env python3
"""Copies the peers' virtual environment so that its libraries see a CPU without AVX-512.

    without_avx512.py VENV COPY

ONNX Runtime, PyTorch and LiteRT choose their kernels by cpuid and take no word for it. In copies of their shared
libraries every cpuid instruction becomes two bytes that the CPU refuses, and a library that COPY/bin/python3-avx2 and
COPY/bin/python3-avxvnni preload answers them (without_avx512.c). VENV is only read; what needs no patch is a link into
it.

Then the copy is tried: each peer runs what the bench times, and the state of the thread shows whether a register was
used that only AVX-512 has. That must not be so in the copy; how it is in VENV is printed beside.
"""
import bisect
import os
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

CPUID = b"\x0f\xa2"
PATCH = b"\x37\xa2"  # aaa, which 64-bit mode refuses and no compiler emits; the second byte belongs to the mark
ISAS = ("avx2", "avxvnni")
# Package: the library of it that is known to ask the CPU, and the peer that runs it.
PACKAGES = {
    "onnxruntime": ("capi/onnxruntime_pybind11_state*.so", "onnxruntime"),
    "torch": ("lib/libtorch_cpu.so", "torch"),
    "ai_edge_litert": ("libpywrap_litert_common.so", "litert"),
    "numpy": ("_core/_multiarray_umath*.so", None),
}
ON_GPUS = ("cuda", "nvshmem", "webgpu")  # libraries that compute nothing here, some of a gigabyte

# glibc chooses its memory functions before anything can be preloaded, but it takes a word for it.
GLIBC_TUNABLES = "glibc.cpu.hwcaps=" + ",".join(
    "-" + name for name in ("AVX512F", "AVX512VL", "AVX512BW", "AVX512DQ", "AVX512CD"))

SECTION_WITHOUT_BYTES, SECTION_OF_CODE = 8, 4  # ELF: a type, a flag
SEGMENT_OF_FUNCTIONS = 0x6474E550  # PT_GNU_EH_FRAME
LONGEST_INSTRUCTION = 15


def stop(text):
    sys.exit(f"without_avx512.py: {text}")


def code_sections(image):
    """(address, offset, size) of each section of code of a 64-bit ELF file."""
    table, = struct.unpack_from("<Q", image, 40)
    entry, count = struct.unpack_from("<HH", image, 58)
    for index in range(count):
        kind, flags, address, offset, size = struct.unpack_from("<IQQQQ", image, table + index * entry + 4)
        if kind != SECTION_WITHOUT_BYTES and flags & SECTION_OF_CODE:
            yield address, offset, size


def function_starts(image, path):
    """Addresses at which functions begin, in order: the table of .eh_frame_hdr, which stripped files have too."""
    table, = struct.unpack_from("<Q", image, 32)
    entry, count = struct.unpack_from("<HH", image, 54)
    for index in range(count):
        kind, _, offset, address = struct.unpack_from("<IIQQ", image, table + index * entry)
        if kind != SEGMENT_OF_FUNCTIONS:
            continue
        coding = image[offset:offset + 4]
        if coding != b"\x01\x1b\x03\x3b":  # version 1; a count of 32 bits; pairs of 32 bits, relative to the table
            stop(f"{path}: its .eh_frame_hdr is coded as {coding.hex()}, expected 011b033b")
        functions, = struct.unpack_from("<I", image, offset + 8)
        pairs = struct.unpack_from(f"<{2 * functions}i", image, offset + 12)
        return [address + start for start in pairs[::2]]
    stop(f"{path}: it has no .eh_frame_hdr, by which its functions are found")


def cpuid_offsets(image, path):
    """Offsets of the cpuid instructions of an ELF file. Other instructions and data hold their two bytes as well, so
    each function that holds them is disassembled from its beginning."""
    starts = None
    pieces = {}  # of code: offset at which it begins -> at which it ends
    candidates = set()
    for address, offset, size in code_sections(image):
        found = image.find(CPUID, offset, offset + size)
        while found >= 0:
            starts = starts or function_starts(image, path)
            before = bisect.bisect_right(starts, found - offset + address)
            begin = max(starts[before - 1] - address if before else 0, 0) + offset
            pieces[begin] = found + LONGEST_INSTRUCTION
            candidates.add(found)
            found = image.find(CPUID, found + 1, offset + size)
    if not candidates:
        return []
    with tempfile.NamedTemporaryFile() as code:
        origins = []  # (offset in the code, offset in the image)
        for begin, end in pieces.items():
            origins.append((code.tell(), begin))
            code.write(image[begin:end] + b"\x90" * LONGEST_INSTRUCTION)  # nop: the next piece begins afresh
        code.flush()
        listing = subprocess.run(
            ["objdump", "-D", "-w", "-b", "binary", "-m", "i386:x86-64", "--no-show-raw-insn", code.name],
            check=True, capture_output=True, text=True).stdout
    instructions = [int(line.split(":")[0], 16) for line in listing.splitlines() if line.endswith("\tcpuid")]
    at = [origins[bisect.bisect_right(origins, (place, len(image))) - 1] for place in instructions]
    return sorted(candidates & {begin + place - start for place, (start, begin) in zip(instructions, at)})


def patched(image, path):
    """The image without its cpuid instructions, and how many it had."""
    offsets = cpuid_offsets(image, path)
    image = bytearray(image)
    for offset in offsets:
        image[offset:offset + len(CPUID)] = PATCH
    return bytes(image), len(offsets)


def patched_libraries(packages):
    """The patched libraries: path below `packages` -> bytes."""
    libraries = {}
    for package, (asking, _) in PACKAGES.items():
        folder = packages / package
        if not folder.is_dir():
            print(f"{package}: not installed")
            continue
        known = list(folder.glob(asking))
        if not known:
            stop(f"{folder} has no {asking}, which is known to ask the CPU: say in PACKAGES where this version does")
        for path in sorted([*folder.rglob("*.so*"), *(packages / f"{package}.libs").glob("*.so*")]):
            if path.is_symlink() or any(word in path.name.lower() for word in ON_GPUS):
                continue
            image = path.read_bytes()
            if not image.startswith(b"\x7fELF"):
                continue
            image, count = patched(image, path)
            if count > 0:
                libraries[path.relative_to(packages)] = image
                print(f"{path.relative_to(packages)}: {count} cpuid instructions", flush=True)
            elif path in known:
                stop(f"{path}: no cpuid instruction found, expected some: nothing can be hidden from it")
    if not libraries:
        stop(f"{packages} has none of {', '.join(PACKAGES)} (tools/peers/README.md says how to install them)")
    return libraries


def lay_out(source, target, libraries, below=Path()):
    """The tree of `source` at `target`: patched libraries as files, what holds none as links."""
    target.mkdir(parents=True)
    for entry in source.iterdir():
        path = below / entry.name
        if path in libraries:
            (target / entry.name).write_bytes(libraries[path])
        elif any(path in library.parents for library in libraries):
            lay_out(entry, target / entry.name, libraries, path)
        else:
            (target / entry.name).symlink_to(entry)


def compile_answers(library):
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-DPATCH_0={PATCH[0]}",
                    f"-DPATCH_1={PATCH[1]}", "-o", library, Path(__file__).resolve().with_suffix(".c")], check=True)


def write_program(path, isa, python, library):
    path.write_text(f"#!/bin/sh\nexport QUAVER_PEERS_ISA={isa} GLIBC_TUNABLES={GLIBC_TUNABLES} \\\n"
                    f"  LD_PRELOAD={shlex.quote(str(library))}\nexec {shlex.quote(str(python))} \"$@\"\n")
    path.chmod(0o755)


# Prints whether a peer used AVX-512. Arguments: the folder of the peers, the library of the answers, the peer.
TRIAL = """
import ctypes, importlib, sys
folder, library, peer = sys.argv[1:]
used = ctypes.CDLL(library).avx512_was_used
if used():
    sys.exit("AVX-512 was used before any package was loaded")
sys.path.insert(0, folder)
peer = importlib.import_module("peer_" + peer)
for cell in "lstm", "gru":
    for batch in 1, 32:
        shape = dict(cell=cell, reset="after", input=128, hidden=128, batch=batch, steps=3, threads=1, inputs=2, seed=1)
        for variant in peer.variants(shape):
            variant["call"](4)
print("yes" if used() else "no")
"""


def used_avx512(python, library, peer):
    environment = dict(os.environ, QUAVER_PEERS_ISA=ISAS[0], GLIBC_TUNABLES=GLIBC_TUNABLES)
    done = subprocess.run([python, "-c", TRIAL, Path(__file__).resolve().parent, library, peer], capture_output=True,
                          text=True, env=environment)
    if done.returncode != 0:
        stop(f"{python} does not run {peer}: {done.stderr.strip()}")
    return done.stdout.split()[-1]


def main():
    if len(sys.argv) != 3:
        stop("expected VENV and COPY")
    venv, copy = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    if copy.exists():
        stop(f"{copy} exists: remove it, or name another")
    packages = next(venv.glob("lib/python3*/site-packages"), None)
    if packages is None or not (venv / "pyvenv.cfg").is_file():
        stop(f"{venv} is no virtual environment (tools/peers/README.md says how to make one)")
    libraries = patched_libraries(packages)

    lay_out(packages, copy / packages.relative_to(venv), libraries)
    shutil.copy(venv / "pyvenv.cfg", copy)
    for folder in "bin", "libexec":
        (copy / folder).mkdir()
    python, library = copy / "libexec" / "python3", copy / "lib" / "without_avx512.so"
    python.symlink_to((venv / "bin" / "python3").resolve())
    compile_answers(library)
    programs = [copy / "bin" / f"python3-{isa}" for isa in ISAS]
    for program, isa in zip(programs, ISAS):
        write_program(program, isa, python, library)

    for package, (_, peer) in PACKAGES.items():
        if peer is None or not (packages / package).is_dir():
            continue
        print(f"{peer}: AVX-512 used in {venv}: {used_avx512(venv / 'bin' / 'python3', library, peer)}", flush=True)
        for program in programs:
            used = used_avx512(program, library, peer)
            print(f"{peer}: AVX-512 used by {program}: {used}", flush=True)
            if used != "no":
                stop(f"{peer} used AVX-512 with {program}: a library that it runs asks the CPU in another way")


if __name__ == "__main__":
    main()
