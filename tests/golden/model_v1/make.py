#!/usr/bin/env python3
"""A model file of version 1, written from docs/file_format.md alone: no code of Quaver is used.

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


def form(kind, scale=1.0, zero_point=0):
    written = {"kind": kind}  # what equals its default is left out
    if scale != 1.0:
        written["scale"] = shortest(scale)
    if zero_point != 0:
        written["zero_point"] = zero_point
    return written


def value(sequence, features, format_):
    return {"sequence": sequence, "features": features, "format": format_}


def node(name, op, attributes, input_, output, formats=None, codes_=None):
    written = {"name": name, "op": op, "attributes": attributes, "input": input_, "output": output, "scheme": "int8"}
    if formats:
        written["formats"] = formats
    if codes_:
        written["codes"] = codes_
    return written


def bfloat16(values):
    """The upper halves of float32 values whose lower halves are 0."""
    bits = [struct.unpack("<I", struct.pack("<f", value))[0] for value in values]
    assert all(value & 0xFFFF == 0 for value in bits)
    return struct.pack(f"<{len(bits)}H", *[value >> 16 for value in bits])


lstm_out = form("i8", 0.0078, 3)
tensors = {  # name: dtype, shape, bytes
    "lstm.W": ("I8", [16, 3], codes("I8", 48)),
    "lstm.R": ("I8", [16, 4], codes("I8", 64)),
    "lstm.b": ("I32", [16], codes("I32", 16)),
    "lstm.W.scale": ("BF16", [16], bfloat16([(row + 1) / 1024 for row in range(16)])),
    "scores.W": ("I8", [2, 4], codes("I8", 8)),
    "scores.b": ("I32", [2], codes("I32", 2)),
    "input.mean": ("F32", [3], struct.pack("<3f", -1.5, 0.1, 2.0)),
    "input.inverse_deviation": ("F32", [3], struct.pack("<3f", 1.0, 0.3, 4.0)),
}
graph = {
    "name": "golden", "task": "chirps", "scheme": "int8",
    "input": value(True, 3, form("i8", 0.02, -5)),
    "nodes": [
        node("lstm", "lstm",
             {"input_size": 3, "hidden_size": 4, "projection_size": 0, "input_forget": False, "peephole": False,
              "layer_norm": False, "clip": shortest(7.7), "projection_clip": 0.0, "direction": "forward"},
             "input", value(True, 4, lstm_out), {"cell": form("i16", 2.0 ** -12)},
             {"cell_clip": 31539, "output_high": 127, "output_low": -128}),
        node("last", "pool", {"pooling": "last"}, "lstm", value(False, 4, lstm_out)),
        node("scores", "dense", {"input_size": 4, "units": 2}, "last", value(False, 2, form("i16", 0.001))),
    ],
    "outputs": ["scores"], "classes": ["up", "d\u00f6wn"],
    "scales": {"lstm.R": shortest(0.0123), "scores.W": shortest(1 / 3)},
}
compact = {"separators": (",", ":"), "ensure_ascii": False}
graph_text = json.dumps(graph, **compact)
provenance_text = json.dumps({"command": "tests/golden/model_v1/make.py", "seed": "none"}, **compact)

checksum = 0xCBF29CE484222325


def add(data):
    global checksum
    for byte in data:
        checksum = (checksum ^ byte) * 0x100000001B3 % 2 ** 64


add(graph_text.encode() + b"\0" + provenance_text.encode() + b"\0")
for name, (dtype, shape, data) in sorted(tensors.items()):
    add(name.encode() + b"\0" + dtype.encode() + b"\0" + "x".join(map(str, shape)).encode() + b"\0" + data)

header = {"__metadata__": {"checksum": f"{checksum:016x}", "format": "quaver", "graph": graph_text,
                           "provenance": provenance_text, "version": "1"}}
body = b""
size = {"F32": 4, "I32": 4, "BF16": 2, "I8": 1}
for name, (dtype, shape, data) in sorted(tensors.items(), key=lambda item: (-size[item[1][0]], item[0])):
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
    body += data
header_text = json.dumps(header, **compact).encode()
header_text += b" " * (-len(header_text) % 8)
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(header_text)) + header_text + body)
