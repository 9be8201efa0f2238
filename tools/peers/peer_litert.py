"""LiteRT's integer LSTM: int8 weights and activations, int16 cell state, no float anywhere. It has no integer GRU.

The model file is built here from the format's own schema. XNNPACK, LiteRT's fast delegate, does not take this
operation, so the interpreter's own kernel runs whether it is switched on or not.
"""
from importlib.metadata import version

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

VERSION = version("ai-edge-litert")
GATES = ("input", "forget", "cell", "output")
INPUT_SCALE, STATE_SCALE, WEIGHT_SCALE = 1 / 128, 1 / 128, 1 / 1024
CELL_SCALE = 2.0**-11
GATE_SCALE = 2.0**-12


class Graph:
    def __init__(self):
        self.model, self.subgraph = schema.ModelT(), schema.SubGraphT()
        self.model.version = 3
        self.model.buffers, self.subgraph.tensors = [schema.BufferT()], []

    def tensor(self, name, shape, dtype, scale, data=None, variable=False):
        tensor, quantization = schema.TensorT(), schema.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = [scale], [0]
        tensor.name, tensor.shape, tensor.isVariable = name.encode(), list(shape), variable
        tensor.type = getattr(schema.TensorType, np.dtype(dtype).name.upper())
        tensor.quantization, tensor.buffer = quantization, 0
        if data is not None:
            content = schema.BufferT()
            content.data = np.frombuffer(np.ascontiguousarray(data, dtype).tobytes(), np.uint8)
            self.model.buffers.append(content)
            tensor.buffer = len(self.model.buffers) - 1
        self.subgraph.tensors.append(tensor)
        return len(self.subgraph.tensors) - 1


def model_of(shape, rng):
    steps, batch, inputs, hidden = (shape[key] for key in ("steps", "batch", "input", "hidden"))
    graph = Graph()
    slots = [-1] * 24  # as UNIDIRECTIONAL_SEQUENCE_LSTM numbers its inputs
    slots[0] = graph.tensor("x", [steps, batch, inputs], np.int8, INPUT_SCALE)
    for index, gate in enumerate(GATES):
        for slot, letter, columns in ((1, "W", inputs), (5, "R", hidden)):
            codes = rng.integers(-127, 128, (hidden, columns), dtype=np.int8)
            slots[slot + index] = graph.tensor(f"{letter}_{gate}", codes.shape, np.int8, WEIGHT_SCALE, codes)
        slots[12 + index] = graph.tensor(f"b_{gate}", [hidden], np.int32, INPUT_SCALE * WEIGHT_SCALE,
                                         np.zeros(hidden, np.int32))
    slots[18] = graph.tensor("h", [batch, hidden], np.int8, STATE_SCALE, variable=True)
    slots[19] = graph.tensor("c", [batch, hidden], np.int16, CELL_SCALE, variable=True)
    output = graph.tensor("y", [steps, batch, hidden], np.int8, STATE_SCALE)
    between = [graph.tensor(f"gate_{gate}", [], np.int16, GATE_SCALE) for gate in GATES]
    between.append(graph.tensor("hidden", [], np.int8, STATE_SCALE))

    operation, options, code = schema.OperatorT(), schema.UnidirectionalSequenceLSTMOptionsT(), schema.OperatorCodeT()
    options.fusedActivationFunction, options.timeMajor = schema.ActivationFunctionType.TANH, True
    operation.opcodeIndex, operation.inputs, operation.outputs = 0, slots, [output]
    operation.intermediates = between
    operation.builtinOptionsType = schema.BuiltinOptions.UnidirectionalSequenceLSTMOptions
    operation.builtinOptions = options
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_LSTM
    code.version = 1
    graph.subgraph.inputs, graph.subgraph.outputs, graph.subgraph.operators = [slots[0]], [output], [operation]
    graph.model.operatorCodes, graph.model.subgraphs = [code], [graph.subgraph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(graph.model.Pack(builder), b"TFL3")
    return bytes(builder.Output()), slots[0]


def variants(shape):
    if shape["cell"] != "lstm":
        return []
    rng = np.random.default_rng(shape["seed"])
    content, x = model_of(shape, rng)
    interpreter = Interpreter(model_content=content, num_threads=shape["threads"],
                              experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    interpreter.allocate_tensors()
    sizes = (shape["inputs"], shape["steps"], shape["batch"], shape["input"])
    inputs = rng.integers(-128, 128, sizes, dtype=np.int8)
    view, invoke = interpreter.tensor(x), interpreter.invoke
    turn = 0

    def call(calls):
        nonlocal turn
        for _ in range(calls):
            view()[:] = inputs[turn]  # straight into the interpreter's memory; the state carries on by itself
            invoke()
            turn = (turn + 1) % len(inputs)

    weights = 4 * shape["hidden"] * (shape["input"] + shape["hidden"])
    return [{"scheme": "int8, int16 cell", "path": "built-in kernels", "weight_bytes": weights, "codes": True,
             "call": call}]
