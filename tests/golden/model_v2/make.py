#!/usr/bin/env python3
"""A model file of version 2, written from docs/file_format.md alone: no code of Quaver is used.

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


def node(name, op, attributes, input_, output, scheme, formats=None, codes_=None, sums=None):
    written = {"name": name, "op": op, "attributes": attributes, "input": input_, "output": output, "scheme": scheme}
    if formats:
        written["formats"] = formats
    if codes_:
        written["codes"] = codes_
    if sums:
        written["sums"] = sums
    return written


tensors = {  # name: dtype, shape, bytes
    "gru.W": ("I8", [6, 3], codes("I8", 18)),
    "gru.R": ("I8", [6, 2], codes("I8", 12)),
    "gru.b": ("I32", [6], codes("I32", 6)),
    "gru.b_recurrent": ("I32", [2], codes("I32", 2)),
    "lstm.W": ("I8", [8, 2], codes("I8", 16)),
    "lstm.R": ("I8", [8, 2], codes("I8", 16)),
    "lstm.b": ("I32", [8], codes("I32", 8)),
    "rnn.W": ("I8", [2, 2], codes("I8", 4)),
    "rnn.R": ("I8", [2, 2], codes("I8", 4)),
    "rnn.b": ("I32", [2], codes("I32", 2)),
    "input.scale": ("F32", [3], struct.pack("<3f", 1.0, 2.5, 0.1)),
    "input.offset": ("F32", [3], struct.pack("<3f", 0.0, -7.0, 1e4)),
    "lstm.scale": ("F32", [2], struct.pack("<2f", 1.0, 0.3)),
}
graph = {
    "name": "golden", "task": "", "scheme": "int8",
    "input": value(True, 3, form("i8", 0.02, -5)),
    "nodes": [
        node("gru", "gru", {"input_size": 3, "hidden_size": 2, "linear_before_reset": True, "direction": "forward"},
             "input", value(True, 2, form("i8", 0.003, -7)), "int8",
             {"candidate_recurrent": form("i16", 2.0 ** -10)}, sums="whole"),
        node("lstm", "lstm",
             {"input_size": 2, "hidden_size": 2, "projection_size": 0, "input_forget": False, "peephole": False,
              "layer_norm": False, "clip": 0.0, "projection_clip": 0.0, "direction": "forward"},
             "gru", value(True, 2, form("i8", 0.0078, 3)), "int8_per_tensor", {"cell": form("i16", 2.0 ** -12)},
             {"cell_clip": 0, "output_high": 127, "output_low": -128}, sums="halves"),
        node("rnn", "rnn", {"input_size": 2, "hidden_size": 2, "nonlinearity": "tanh", "direction": "forward"},
             "lstm", value(True, 2, form("i16", 2.0 ** -15)), "int8", {"state": form("i8", 0.003, -7)}, sums="whole"),
    ],
    "outputs": ["lstm", "rnn"], "classes": [],
    "scales": {"gru.R": shortest(0.02), "gru.W": shortest(0.01), "lstm.R": shortest(0.04), "lstm.W": shortest(0.03),
               "rnn.R": shortest(0.06), "rnn.W": shortest(0.05)},
}
compact = {"separators": (",", ":"), "ensure_ascii": False}
graph_text = json.dumps(graph, **compact)
provenance_text = json.dumps({"command": "tests/golden/model_v2/make.py", "seed": "none"}, **compact)

checksum = 0xCBF29CE484222325


def add(data):
    global checksum
    for byte in data:
        checksum = (checksum ^ byte) * 0x100000001B3 % 2 ** 64


add(graph_text.encode() + b"\0" + provenance_text.encode() + b"\0")
for name, (dtype, shape, data) in sorted(tensors.items()):
    add(name.encode() + b"\0" + dtype.encode() + b"\0" + "x".join(map(str, shape)).encode() + b"\0" + data)

header = {"__metadata__": {"checksum": f"{checksum:016x}", "format": "quaver", "graph": graph_text,
                           "provenance": provenance_text, "version": "2"}}
body = b""
size = {"F32": 4, "I32": 4, "I8": 1}
for name, (dtype, shape, data) in sorted(tensors.items(), key=lambda item: (-size[item[1][0]], item[0])):
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
    body += data
header_text = json.dumps(header, **compact).encode()
header_text += b" " * (-len(header_text) % 8)
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(header_text)) + header_text + body)
