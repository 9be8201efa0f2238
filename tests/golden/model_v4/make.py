#!/usr/bin/env python3
"""A model file of version 4, written from docs/file_format.md alone: no code of Quaver is used.

Usage: make.py OUT.safetensors. Needs the standard library of Python 3 only; the same bytes on every run.
"""
import json
import struct
import sys


def shortest(value):
    """The float32 nearest to value, as the JSON number with the fewest digits that reads back as it."""
    exact = struct.unpack("<f", struct.pack("<f", value))[0]
    for digits in range(1, 18):
        text = f"{exact:.{digits}g}"
        if struct.pack("<f", float(text)) == struct.pack("<f", exact):
            return float(text)
    return exact


def codes(kind, count):
    if kind == "I8":
        return struct.pack(f"<{count}b", *[(37 * i + 11) % 255 - 127 for i in range(count)])
    return struct.pack(f"<{count}i", *[100 * i - 500 for i in range(count)])


def nibbles(rows, columns):
    """Codes of four bits: two a byte, the earlier column in the lower half, -8 behind a last odd column."""
    packed = b""
    for row in range(rows):
        line = [(5 * (row * columns + i) + 3) % 15 - 7 for i in range(columns)] + [-8] * (columns % 2)
        packed += bytes((line[i] & 15) | (line[i + 1] & 15) << 4 for i in range(0, len(line), 2))
    return packed


def reals(*values):
    return struct.pack(f"<{len(values)}f", *values)


def bfloat16(*values):
    return b"".join(struct.pack("<f", value)[2:] for value in values)


def form(kind, scale=1.0, zero_point=0):
    written = {"kind": kind}  # what equals its default is left out
    if scale != 1.0:
        written["scale"] = shortest(scale)
    if zero_point != 0:
        written["zero_point"] = zero_point
    return written


def value(shape, format_=None, time=True):
    written = {"shape": shape}
    if not time:
        written["time"] = False
    if format_:
        written["format"] = format_
    return written


def node(name, op, attributes, inputs, outputs, scheme=None, formats=None, codes_=None, sums=None):
    written = {"name": name, "op": op, "attributes": attributes, "inputs": inputs, "outputs": outputs,
               "scheme": scheme, "formats": formats, "codes": codes_, "sums": sums}
    return {key: entry for key, entry in written.items() if entry}


i8, state, total = form("i8", 0.0078, 3), form("i16", 2.0 ** -12), form("i16", 0.0001)
tensors = {  # name: dtype, shape, bytes
    "words.W": ("I8", [4, 3], codes("I8", 12)),
    "lstm.W": ("U8", [8, 3], nibbles(8, 5)),
    "lstm.W.scale": ("BF16", [8], bfloat16(*[(row + 1) / 64 for row in range(8)])),
    "lstm.R": ("U8", [8, 1], nibbles(8, 2)),
    "lstm.R.scale": ("F32", [2], reals(0.01, 0.03)),
    "lstm.b": ("I32", [8], codes("I32", 8)),
    "rows.W": ("I8", [2, 2], codes("I8", 4)),
    "rows.b": ("I32", [2], codes("I32", 2)),
    "frames.mean": ("F32", [2], reals(-1.5, 0.1)),
    "frames.inverse_deviation": ("F32", [2], reals(1.0, 0.3)),
    "lstm.offset": ("F32", [2], reals(0.5, -0.25)),
}
graph = {
    "name": "golden", "task": "chirps", "scheme": "int4",
    "inputs": [{"name": "frames", "value": value([2], i8)},
               {"name": "ids", "value": value([1], form("i32"))},
               {"name": "context", "value": value([2], i8, time=False)},
               {"name": "picture", "value": value([3, 2], i8)}],
    "nodes": [
        node("words", "embedding", {"vocabulary": 4, "features": 3}, ["ids"], [value([3], form("i8", 0.02, -1))]),
        node("beside", "concat", None, ["frames", "words"], [value([5], i8)], formats={"input_1": i8}),
        node("lstm", "lstm", {"input_size": 5, "hidden_size": 2, "clip": 7.7}, ["beside"],
             [value([2], i8), value([2], i8, time=False), value([2], state, time=False)], formats={"cell": state},
             codes_={"cell_clip": 31539, "output_high": 127, "output_low": -128}, sums="whole"),
        node("sum", "add", None, ["lstm", "context"], [value([2], form("i8", 0.02))], "int8",
             {"input": total, "input_1": total}),
        node("rows", "dense", {"input_size": 2, "units": 2}, ["picture"], [value([3, 2], form("i16", 0.001))],
             "int8_per_tensor"),
    ],
    "outputs": ["sum", "rows", "lstm.c_n"], "classes": ["up", "d\u00f6wn"],
    "scales": {"rows.W": shortest(1 / 3), "words.W": shortest(0.02)},
    "tensors": {"lstm.R": {"format": "i4", "shape": [8, 2]}, "lstm.W": {"format": "i4", "shape": [8, 5]}},
}
compact = {"separators": (",", ":"), "ensure_ascii": False}
texts = {"graph": json.dumps(graph, **compact),
         "words": json.dumps(["", "yes", "no", "\"\u00e9\""], **compact),
         "provenance": json.dumps({"command": "tests/golden/model_v4/make.py", "seed": "none"}, **compact)}

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
size = {"F32": 4, "I32": 4, "BF16": 2, "I8": 1, "U8": 1}
for name, (dtype, shape, data) in sorted(tensors.items(), key=lambda item: (-size[item[1][0]], item[0])):
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
    body += data
header_text = json.dumps(header, **compact).encode()
header_text += b" " * (-len(header_text) % 8)
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(header_text)) + header_text + body)
