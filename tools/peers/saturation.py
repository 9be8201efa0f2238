#!/usr/bin/env python3
"""How often ONNX Runtime's products of bytes saturate, and what that does to an LSTM's output.

    COPY/bin/python3-avx2 tools/peers/saturation.py [--model MODEL.safetensors --input X.npz]... [--save NAME]

COPY is made by without_avx512.py; on a CPU that has neither AVX-512 nor AVX-VNNI any Python that has the peers will do.
There ONNX Runtime multiplies unsigned codes of activations by signed codes of weights with vpmaddubsw, which adds two
products in 16 bits and cuts the sum to -32768..32767. With python3-avxvnni the same program finds no sum that differs:
that instruction adds in 32 bits.

Weights: drawn, or `lstm0.W` and `lstm0.R` of a float model of ours, which reads the sequences `x` [sequences, steps,
features] of the npz file (`lengths` where they differ). They are coded as quantize_dynamic() codes them: a scale a matrix
or, with its per_channel, a row; 8 bits (-127..127) or, with its reduce_range, 7 (-64..64). Two things are compared with
sums in exact integers:

products   MatMulInteger on the codes of input and state at every step: the share of sums that differ, and by how much,
           in parts of the root mean square of all sums
outputs    DynamicQuantizeLSTM on the sequences: the share that differs by more than 1/256, half a step of an int8 code,
           and the root mean square of what both are off the float LSTM
"""
import argparse
import json
import shlex
import struct
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from limit import Limit
from onnx import TensorProto, helper

LEVELS = {8: 127, 7: 64}
STEPS, SEQUENCES = 100, 4  # of drawn sequences
FAR = 1 / 256


def tensors_of(path):
    content = Path(path).read_bytes()
    size = struct.unpack_from("<Q", content)[0]
    tensors = {}
    for name, entry in json.loads(content[8:8 + size]).items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            tensors[name] = np.frombuffer(content[begin:end], np.float32).reshape(entry["shape"])
    return tensors


def model_case(path, inputs):
    tensors = tensors_of(path)
    missing = {"lstm0.W", "lstm0.R", "lstm0.b"} - tensors.keys()
    if missing:
        raise SystemExit(f"{path} has no {', '.join(sorted(missing))} in float: expected a float model of ours that "
                         "begins with an LSTM")
    with np.load(inputs) as arrays:
        x = (arrays["x"] - tensors["input.mean"]) * tensors["input.inverse_deviation"]
        lengths = arrays["lengths"] if "lengths" in arrays else np.full(len(x), x.shape[1])
    sequences = [frames[:length].astype(np.float32) for frames, length in zip(x, lengths)]
    return {"weights": Path(path).name.split(".")[0], "W": tensors["lstm0.W"], "R": tensors["lstm0.R"],
            "b": tensors["lstm0.b"], "sequences": sequences}


def drawn_case(name, draw, hidden, rng):
    weights = [draw((4 * hidden, hidden)).astype(np.float32) for _ in range(2)]
    sequences = [rng.uniform(-1, 1, (STEPS, hidden)).astype(np.float32) for _ in range(SEQUENCES)]
    return {"weights": f"{name}, {hidden} units", "W": weights[0], "R": weights[1],
            "b": np.zeros(4 * hidden, np.float32), "sequences": sequences}


def coded(weights, bits, scale_a):
    """Codes, and their scale: one, or one a row."""
    scale = (np.abs(weights).max(axis=1 if scale_a == "row" else None) / LEVELS[bits]).astype(np.float32)
    scale = np.where(scale > 0, scale, np.float32(1))
    return np.rint(weights / scale.reshape(-1, 1)).astype(np.int8), scale


def coded_activations(values):
    """As DynamicQuantizeLSTM does: eight unsigned bits from the least to the largest value, zero among them."""
    least, most = np.float32(min(values.min(), 0)), np.float32(max(values.max(), 0))
    scale = np.float32((most - least) / np.float32(255)) if most > least else np.float32(1)
    zero = np.rint(np.clip(-least / scale, 0, 255))
    return np.clip(np.rint(values / scale) + zero, 0, 255).astype(np.uint8), scale, int(zero)


def exact_sums(codes, zero, weights):
    return (codes.astype(np.int64) - zero) @ weights.astype(np.int64).T


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def lstm(sequence, hidden, input_sums, state_sums):
    """Gates stand in the order i, o, f, c, as in ONNX; each `..._sums` gives W x of all steps, or R h of one."""
    from_input = input_sums(sequence)
    h, c = np.zeros(hidden, np.float32), np.zeros(hidden, np.float32)
    outputs = []
    for step in range(len(sequence)):
        i, o, f, z = np.split(from_input[step] + state_sums(h), 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(z)
        h = (sigmoid(o) * np.tanh(c)).astype(np.float32)
        outputs.append(h)
    return np.array(outputs)


def session_of(node, inputs, outputs, constants):
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph([node], "product", inputs, outputs, tensors)
    opsets = [helper.make_opsetid("", 14), helper.make_opsetid("com.microsoft", 1)]
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def product_session(weights):
    value = helper.make_tensor_value_info
    node = helper.make_node("MatMulInteger", ["a", "W", "zero"], ["y"])
    inputs = [value("a", TensorProto.UINT8, ["rows", weights.shape[1]]), value("zero", TensorProto.UINT8, [])]
    outputs = [value("y", TensorProto.INT32, ["rows", len(weights)])]
    return session_of(node, inputs, outputs, {"W": np.ascontiguousarray(weights.T)})


def lstm_session(case, W, w_scale, R, r_scale):
    value = helper.make_tensor_value_info
    hidden = R.shape[1]
    scales = (1, 4 * hidden) if w_scale.ndim else 1
    constants = {"W": np.ascontiguousarray(W.T)[None], "R": np.ascontiguousarray(R.T)[None],
                 "b": np.concatenate([case["b"], np.zeros_like(case["b"])])[None], "w_scale": w_scale.reshape(scales),
                 "r_scale": r_scale.reshape(scales), "zero": np.zeros(scales, np.int8)}
    names = ["x", "W", "R", "b", "", "", "", "", "w_scale", "zero", "r_scale", "zero"]
    node = helper.make_node("DynamicQuantizeLSTM", names, ["y"], domain="com.microsoft", hidden_size=hidden)
    return session_of(node, [value("x", TensorProto.FLOAT, ["steps", 1, W.shape[1]])],
                      [value("y", TensorProto.FLOAT, ["steps", 1, 1, hidden])], constants)


def root_mean_square(values):
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def compare(case, scale_a, bits):
    (W, w_scale), (R, r_scale) = coded(case["W"], bits, scale_a), coded(case["R"], bits, scale_a)
    hidden = R.shape[1]
    products = {True: product_session(W), False: product_session(R)}
    network = lstm_session(case, W, w_scale, R, r_scale)
    sums, differences, exact, found, real = [], [], [], [], []

    def product(values, is_input):
        codes, scale, zero = coded_activations(values)
        weights, weight_scale = (W, w_scale) if is_input else (R, r_scale)
        right = exact_sums(codes, zero, weights)
        theirs = products[is_input].run(None, {"a": np.atleast_2d(codes), "zero": np.array(zero, np.uint8)})[0]
        sums.append(right.ravel())
        differences.append(theirs.ravel() - right.ravel())
        return right.astype(np.float32) * (scale * weight_scale)

    for sequence in case["sequences"]:
        exact.append(lstm(sequence, hidden, lambda x: product(x, True) + case["b"], lambda h: product(h, False)))
        found.append(network.run(None, {"x": sequence[:, None]})[0][:, 0, 0])
        real.append(lstm(sequence, hidden, lambda x: x @ case["W"].T + case["b"], lambda h: case["R"] @ h))
    sums, differences, exact, found, real = (np.concatenate(parts) for parts in (sums, differences, exact, found, real))
    return {"weights": case["weights"], "scale_a": scale_a, "bits": bits, "sums": len(sums),
            "sums_that_differ": float(np.mean(differences != 0)),
            "largest_difference_of_a_sum": float(np.abs(differences).max()) / root_mean_square(sums),
            "outputs": exact.size, "outputs_that_differ": float(np.mean(np.abs(found - exact) > FAR)),
            "largest_difference_of_an_output": float(np.abs(found - exact).max()),
            "off_float_exact": root_mean_square(exact - real), "off_float_found": root_mean_square(found - real)}


def text_of(report):
    limit = f"held to {report['isa_limit']}" if report["isa_limit"] else "all of the CPU's instruction sets"
    lines = [f"ONNX Runtime {report['onnxruntime']}, {limit}", "",
             "| weights | a scale a | bits | sums that differ | largest, of their rms | outputs off by > 1/256 "
             "| largest | rms off float, exact sums | rms off float, found |", "|---" * 9 + "|"]
    for row in report["results"]:
        figures = [f"{100 * row['sums_that_differ']:.2g} %", f"{row['largest_difference_of_a_sum']:.2g}",
                   f"{100 * row['outputs_that_differ']:.2g} %", f"{row['largest_difference_of_an_output']:.2g}",
                   f"{row['off_float_exact']:.2g}", f"{row['off_float_found']:.2g}"]
        lines.append(f"| {row['weights']} | {row['scale_a']} | {row['bits']} | " + " | ".join(figures) + " |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--model", action="append", default=[], help="float model of ours that begins with an LSTM")
    parser.add_argument("--input", action="append", default=[], help="npz file of what it reads: one for each model")
    parser.add_argument("--save", help="also write NAME.json and NAME.md")
    flags = parser.parse_args()
    if len(flags.model) != len(flags.input):
        parser.error(f"{len(flags.model)} --model and {len(flags.input)} --input: expected one for each")

    rng = np.random.default_rng(1)
    cases = []
    for hidden in (128, 512):
        bound = 1 / hidden**0.5
        cases.append(drawn_case("uniform", lambda shape: rng.uniform(-bound, bound, shape), hidden, rng))
        cases.append(drawn_case("normal", lambda shape: rng.normal(0, bound / 3**0.5, shape), hidden, rng))
    cases += [model_case(*pair) for pair in zip(flags.model, flags.input)]
    report = {"command": shlex.join(["python3", *sys.argv]), "onnxruntime": ort.__version__, "isa_limit": Limit().isa,
              "results": [compare(case, scale_a, bits) for case in cases for scale_a in ("matrix", "row")
                          for bits in LEVELS]}
    text = text_of(report)
    print(text, end="")
    if flags.save:
        Path(flags.save + ".json").write_text(json.dumps(report, indent=1) + "\n")
        Path(flags.save + ".md").write_text(f"# Sums that saturate\n\n    {report['command']}\n\n{text}")


if __name__ == "__main__":
    main()
