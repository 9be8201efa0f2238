#!/usr/bin/env python3
"""The small golden set of the integer LSTM: parameters, inputs, outputs and states of LiteRT's own kernel.

Usage: pip install ai-edge-litert numpy flatbuffers; make.py [FOLDER]      (default: the folder of this script)

Every parameter is drawn as a real number first and coded as the recipe for integer LSTMs says (int8 symmetric weights,
int16 peepholes and layer norm, int32 biases, cell state with a power-of-two scale); activation ranges are drawn too, so
that inputs, outputs and states saturate now and then. A case is one UNIDIRECTIONAL_SEQUENCE_LSTM run twice, the second
time with the state of the first. One file a case; README.md lists the keys.
"""
import dataclasses
import json
import math
import pathlib
import sys

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

SEED = 811
GATES = ("input", "forget", "cell", "output")
# Places of tensors among the operator's 24 inputs.
INPUT, WEIGHTS, RECURRENT, PEEPHOLE, BIAS, PROJECTION, H_STATE, C_STATE, NORM = 0, 1, 5, 9, 12, 16, 18, 19, 20


@dataclasses.dataclass
class Case:
    name: str
    n_in: int
    n_cell: int
    n_out: int
    cifg: bool = False
    peephole: bool = False
    layer_norm: bool = False
    projection: bool = False
    steps: int = 7
    batch: int = 2
    time_major: bool = True
    cell_bits: int = 3          # m of Qm.(15-m)
    cell_clip: float = 0.0
    projection_clip: float = 0.0
    weight_gain: float = 1.0    # beyond 2 most gates saturate


def cases():
    """The 16 variants, and the corners: one unit, clips, both layouts, ends of the cell's format, saturated gates."""
    sizes = [(5, 6), (17, 11), (9, 24), (20, 16), (3, 13), (12, 21), (16, 8), (7, 19)]
    for variant in range(16):
        cifg, peephole, layer_norm, projection = (bool(variant >> bit & 1) for bit in (3, 2, 1, 0))
        n_in, n_cell = sizes[variant % 8]
        n_out = n_cell if peephole or not projection else max(1, n_cell * 2 // 3)
        words = [w for w, on in (("cifg", cifg), ("peephole", peephole), ("norm", layer_norm), ("projection", projection))
                 if on]
        yield Case("_".join(words) or "plain", n_in, n_cell, n_out, cifg, peephole, layer_norm, projection,
                   time_major=variant % 3 != 1, cell_bits=variant % 7, batch=1 + variant % 3)
    yield Case("corner_one_unit", 1, 1, 1, steps=12, batch=1)
    yield Case("corner_one_unit_norm_projection", 1, 1, 1, layer_norm=True, projection=True, steps=5)
    yield Case("corner_cell_clip", 6, 10, 10, cell_bits=2, cell_clip=0.4, weight_gain=2.0, time_major=False)
    yield Case("corner_cell_clip_beyond_format", 6, 10, 10, peephole=True, cell_bits=0, cell_clip=1.5, weight_gain=2.0)
    yield Case("corner_projection_clip", 6, 12, 7, projection=True, projection_clip=0.35, weight_gain=2.0)
    yield Case("corner_saturated_gates", 15, 9, 9, cell_bits=6, weight_gain=8.0, steps=20, batch=1)
    yield Case("corner_many_steps", 4, 5, 5, cifg=True, steps=60, batch=1, cell_bits=4)
    yield Case("defect_peephole_stride_time_major", 5, 12, 7, peephole=True, projection=True, batch=3)
    yield Case("defect_peephole_stride_batch_major", 5, 12, 7, True, True, True, True, batch=3, time_major=False)


class Graph:
    """A model of one subgraph, tensor by tensor."""
    TYPES = {np.int8: schema.TensorType.INT8, np.int16: schema.TensorType.INT16, np.int32: schema.TensorType.INT32}

    def __init__(self):
        self.buffers, self.tensors = [schema.BufferT()], []

    def add(self, name, dtype, shape, scale, zero_point=0, codes=None, variable=False):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.isVariable = name.encode(), list(shape), self.TYPES[dtype], variable
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [float(scale)], [int(zero_point)]
        tensor.buffer = 0
        if codes is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(codes.tobytes(), np.uint8)
            tensor.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def finish(self, operator, source, sink):
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_LSTM
        code.version = 1
        graph = schema.SubGraphT()
        graph.tensors, graph.operators, graph.inputs, graph.outputs = self.tensors, [operator], [source], [sink]
        model = schema.ModelT()
        model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], self.buffers
        builder = flatbuffers.Builder(4096)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def f32(x):
    return float(np.float32(x))


def code(values, scale, limit, dtype):
    """Nearest code, ties away from zero."""
    q = np.asarray(values) / scale
    return np.clip(np.sign(q) * np.floor(np.abs(q) + 0.5), -limit, limit).astype(dtype)


def drawn_affine(rng, low, high):
    """Scale and zero point of an int8 tensor whose range is about [low, high]."""
    low, high = low * rng.uniform(0.7, 1.3), high * rng.uniform(0.7, 1.3)
    scale = f32((high - low) / 255)
    return scale, int(np.clip(round(-128 - low / scale), -128, 127))


def build(case, rng):
    graph, arrays, operands, gates = Graph(), {}, [-1] * 24, {}
    layout = lambda n: [case.steps, case.batch, n] if case.time_major else [case.batch, case.steps, n]
    s_x, z_x = drawn_affine(rng, -2.0, 2.5)
    s_h, z_h = drawn_affine(rng, -0.8, 0.7)
    s_m, z_m = drawn_affine(rng, -0.6, 0.8) if case.projection else (s_h, z_h)
    s_c = 2.0 ** (case.cell_bits - 15)

    def constant(place, name, values, scale, limit, dtype):
        arrays[name] = code(values, scale, limit, dtype)
        operands[place] = graph.add(name, dtype, arrays[name].shape, scale, 0, arrays[name])

    def weights(place, name, rows, cols):
        values = rng.normal(0, case.weight_gain / math.sqrt(cols), (rows, cols))
        scale = f32(np.abs(values).max() / 127)
        constant(place, name, values, scale, 127, np.int8)
        return scale

    operands[INPUT] = graph.add("x", np.int8, layout(case.n_in), s_x, z_x)
    for g, gate in enumerate(GATES):
        if case.cifg and gate == "input":
            continue
        scales = {"s_W": weights(WEIGHTS + g, f"W_{gate}", case.n_cell, case.n_in),
                  "s_R": weights(RECURRENT + g, f"R_{gate}", case.n_cell, case.n_out), "s_gate": 2.0 ** -12}
        if case.peephole and gate != "cell":
            values = rng.normal(0, 0.4, case.n_cell)
            scales["s_P"] = f32(np.abs(values).max() / 32767)
            constant(PEEPHOLE + ("input", "forget", "output").index(gate), f"P_{gate}", values, scales["s_P"], 32767,
                     np.int16)
        scales["s_b"] = f32(s_x * scales["s_W"])
        if case.layer_norm:
            values = rng.uniform(0.3, 1.6, case.n_cell)
            scales["s_L"] = f32(values.max() / 32767)
            constant(NORM + g, f"L_{gate}", values, scales["s_L"], 32767, np.int16)
            scales["s_b"] = f32(scales["s_L"] / 1024)
            scales["s_gate"] = f32(rng.uniform(3.0, 9.0) / 32767)
        constant(BIAS + g, f"b_{gate}", rng.normal(0.5 if gate == "forget" else 0, 0.5, case.n_cell), scales["s_b"],
                 2**31 - 1, np.int32)
        gates[gate] = scales
    meta = {key: getattr(case, key) for key in
            ("cifg", "peephole", "layer_norm", "projection", "n_in", "n_cell", "n_out", "steps", "batch", "time_major")}
    meta.update(cell_clip=case.cell_clip, proj_clip=case.projection_clip, s_x=s_x, z_x=z_x, s_h=s_h, z_h=z_h, s_m=s_m,
                z_m=z_m, s_c=s_c, gates=gates,
                peephole_stride_differs=case.peephole and case.projection and case.n_out != case.n_cell)
    if case.projection:
        meta["s_proj"] = weights(PROJECTION, "W_proj", case.n_out, case.n_cell)
        constant(PROJECTION + 1, "b_proj", rng.normal(0, 0.1, case.n_out), f32(meta["s_proj"] * s_m), 2**31 - 1, np.int32)
    operands[H_STATE] = graph.add("h", np.int8, [case.batch, case.n_out], s_h, z_h, variable=True)
    operands[C_STATE] = graph.add("c", np.int16, [case.batch, case.n_cell], s_c, variable=True)
    output = graph.add("y", np.int8, layout(case.n_out), s_h, z_h)

    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, operands, [output]
    operator.intermediates = [graph.add(f"sum_{gate}", np.int16, [], gates[gate]["s_gate"] if gate in gates else 1.0)
                              for gate in GATES] + [graph.add("hidden", np.int8, [], s_m, z_m)]
    options = schema.UnidirectionalSequenceLSTMOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.TANH
    options.cellClip, options.projClip, options.timeMajor = case.cell_clip, case.projection_clip, case.time_major
    operator.builtinOptionsType = schema.BuiltinOptions.UnidirectionalSequenceLSTMOptions
    operator.builtinOptions = options
    return graph.finish(operator, operands[INPUT], output), operands, output, arrays, meta


def run(case, rng):
    model, operands, output, arrays, meta = build(case, rng)
    engine = Interpreter(model_content=model, num_threads=1,
                         experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    engine.allocate_tensors()
    for k in "12":
        shape = engine.get_tensor(operands[INPUT]).shape
        arrays[f"x{k}"] = code(rng.normal(0, 1.0, shape) / meta["s_x"] + meta["z_x"], 1.0, 128, np.int16).clip(
            -128, 127).astype(np.int8)
        engine.set_tensor(operands[INPUT], arrays[f"x{k}"])
        engine.invoke()
        for name, tensor in (("y", output), ("h", operands[H_STATE]), ("c", operands[C_STATE])):
            arrays[f"{name}{k}"] = engine.get_tensor(tensor).copy()
    return meta, arrays


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    folder = folder if len(sys.argv) > 1 else folder.parent
    folder.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(cases()):
        meta, arrays = run(case, np.random.default_rng([SEED, number]))
        np.savez_compressed(folder / f"{case.name}.npz", meta=np.frombuffer(json.dumps(meta).encode(), np.uint8), **arrays)
        y, c = arrays["y2"], arrays["c2"]
        print(f"{case.name:40s} y in {y.min():4d}..{y.max():4d}  c in {c.min():6d}..{c.max():6d}")


if __name__ == "__main__":
    main()
