#!/usr/bin/env python3
"""A memory network's file of version 4, written from docs/file_format.md alone: no code of Quaver is used.

Usage: make.py OUT.safetensors. Needs the standard library of Python 3 only; the same bytes on every run.
"""
import json
import struct
import sys

VOCABULARY, MEMORY, EMBEDDING, HOPS = 7, 4, 11, 2
ROWS = VOCABULARY + MEMORY


def shortest(value):
    """The float32 nearest to value, as the JSON number with the fewest digits that reads back as it."""
    exact = struct.unpack("<f", struct.pack("<f", value))[0]
    for digits in range(1, 18):
        text = f"{exact:.{digits}g}"
        if struct.pack("<f", float(text)) == struct.pack("<f", exact):
            return float(text)
    return exact


def signs(rows, columns, seed):
    """Eight signs a byte: bit k of a row's byte b belongs to column 8 b + k and is set for +1."""
    packed, state = b"", seed
    for _ in range(rows):
        line = 0
        for column in range(columns):
            state = state * 1103515245 + 12345 & 0x7FFFFFFF
            line |= (state >> 16 & 1) << column
        packed += line.to_bytes((columns + 7) // 8, "little")
    return packed


matrices = ["A", "C", "B", "W", "H"]  # the order of their scales
rows = {"A": ROWS, "C": ROWS, "B": VOCABULARY, "W": VOCABULARY, "H": EMBEDDING}
tensors = {name: ("U8", [rows[name], (EMBEDDING + 7) // 8], signs(rows[name], EMBEDDING, seed + 1))
           for seed, name in enumerate(matrices)}
network = {
    "name": "golden", "task": "stories", "vocabulary": VOCABULARY, "memory": MEMORY, "embedding": EMBEDDING,
    "hops": HOPS, "sentence": 3, "tying": "layerwise", "temporal": False, "slots": 12,
    "scheme": {"arithmetic": "scaled", "one_bit_weights": True, "integer_only": True, "relative_similarity": True},
    "scales": {"weights": [shortest(0.02 * (i + 1)) for i in range(5)],
               "embedded": [shortest(0.04), shortest(0.05), 1.0, 1.0, 1.0],
               "s": [0.0625, 0.125], "u": [shortest(0.1), shortest(0.2), shortest(0.3)], "query": [1.0, 1.0]},
    "tensors": {name: {"format": "binary", "shape": [rows[name], EMBEDDING]} for name in sorted(matrices)},
}
words = ["", "mary", "john", "went", "kitchen", "garden", "where"]
compact = {"separators": (",", ":"), "ensure_ascii": False}
texts = {"network": json.dumps(network, **compact),
         "words": json.dumps(words, **compact),
         "provenance": json.dumps({"command": "tests/golden/memory_v4/make.py"}, **compact)}

checksum = 0xCBF29CE484222325


def add(data):
    global checksum
    for byte in data:
        checksum = (checksum ^ byte) * 0x100000001B3 % 2 ** 64


for text in texts.values():
    add(text.encode() + b"\0")
for name, (dtype, shape, data) in sorted(tensors.items()):
    add(name.encode() + b"\0" + dtype.encode() + b"\0" + "x".join(map(str, shape)).encode() + b"\0" + data)

metadata = {"checksum": f"{checksum:016x}", "format": "quaver", "version": "4", **texts}
header = {"__metadata__": dict(sorted(metadata.items()))}
body = b""
for name, (dtype, shape, data) in sorted(tensors.items()):
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
    body += data
header_text = json.dumps(header, **compact).encode()
header_text += b" " * (-len(header_text) % 8)
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(header_text)) + header_text + body)
