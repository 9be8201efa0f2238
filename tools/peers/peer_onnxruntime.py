"""ONNX Runtime: float LSTM and GRU, and DynamicQuantizeLSTM (int8 weights, activations quantized at run time).

As its performance guide says: all graph optimizations, sequential execution, as many threads as asked for, and I/O
binding, so that inputs, outputs and states stay where they are and nothing is allocated in a call.
"""
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

VERSION = ort.__version__
GATES = {"lstm": 4, "gru": 3}


def model_of(shape, quantized, rng):
    steps, batch, inputs, hidden = (shape[key] for key in ("steps", "batch", "input", "hidden"))
    gates, is_lstm = GATES[shape["cell"]], shape["cell"] == "lstm"
    state = [1, batch, hidden]
    value = helper.make_tensor_value_info
    graph_inputs = [value("x", TensorProto.FLOAT, [steps, batch, inputs]), value("h", TensorProto.FLOAT, state)]
    graph_outputs = [value("y", TensorProto.FLOAT, [steps, 1, batch, hidden]), value("h_next", TensorProto.FLOAT, state)]
    if is_lstm:
        graph_inputs.append(value("c", TensorProto.FLOAT, state))
        graph_outputs.append(value("c_next", TensorProto.FLOAT, state))
    constants = []

    def constant(name, array):
        constants.append(onnx.numpy_helper.from_array(array, name))
        return name

    def weights(name, columns):
        if quantized:  # transposed, one scale a matrix, as quantize_dynamic() writes it
            codes = rng.integers(-127, 128, (1, columns, gates * hidden), dtype=np.int8)
            constant(name + "_scale", np.full(1, 1 / (127 * hidden**0.5), np.float32))
            constant(name + "_zero", np.zeros(1, np.int8))
            return constant(name, codes)
        return constant(name, (rng.uniform(-1, 1, (1, gates * hidden, columns)) / hidden**0.5).astype(np.float32))

    node_inputs = ["x", weights("W", inputs), weights("R", hidden),
                   constant("B", np.zeros((1, 2 * gates * hidden), np.float32)), "", "h"]
    outputs = ["y", "h_next"]
    attributes = {"hidden_size": hidden}
    if is_lstm:
        node_inputs.append("c")
        outputs.append("c_next")
    else:
        attributes["linear_before_reset"] = int(shape["reset"] == "after")
    if quantized:
        node_inputs += ["", "W_scale", "W_zero", "R_scale", "R_zero"]
        node = helper.make_node("DynamicQuantizeLSTM", node_inputs, outputs, domain="com.microsoft", **attributes)
    else:
        node = helper.make_node(shape["cell"].upper(), node_inputs, outputs, **attributes)
    graph = helper.make_graph([node], "cell", graph_inputs, graph_outputs, constants)
    opsets = [helper.make_opsetid("", 14), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def variant(shape, quantized):
    rng = np.random.default_rng(shape["seed"])
    options = ort.SessionOptions()
    options.intra_op_num_threads = shape["threads"]
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(model_of(shape, quantized, rng), options, providers=["CPUExecutionProvider"])

    steps, batch, inputs, hidden = (shape[key] for key in ("steps", "batch", "input", "hidden"))
    on_cpu = ort.OrtValue.ortvalue_from_numpy
    names = ["h", "c"] if shape["cell"] == "lstm" else ["h"]
    states = [{name: on_cpu(np.zeros((1, batch, hidden), np.float32)) for name in names} for _ in range(2)]
    output = on_cpu(np.zeros((steps, 1, batch, hidden), np.float32))
    bindings = []
    for index in range(shape["inputs"] + shape["inputs"] % 2):  # even, so that the states alternate all the way round
        binding = session.io_binding()
        x = rng.uniform(-1, 1, (steps, batch, inputs)).astype(np.float32)
        binding.bind_ortvalue_input("x", on_cpu(x))
        binding.bind_ortvalue_output("y", output)
        for name in names:
            binding.bind_ortvalue_input(name, states[index % 2][name])
            binding.bind_ortvalue_output(name + "_next", states[1 - index % 2][name])
        bindings.append(binding)
    turn = 0

    def call(calls):
        nonlocal turn
        run, count = session.run_with_iobinding, len(bindings)
        for _ in range(calls):
            run(bindings[turn])
            turn = (turn + 1) % count

    weights = GATES[shape["cell"]] * hidden * (inputs + hidden)
    return {"scheme": "int8 dynamic" if quantized else "f32", "path": "CPUExecutionProvider",
            "weight_bytes": weights * (1 if quantized else 4), "call": call}


def variants(shape):
    if shape["cell"] == "lstm":
        return [variant(shape, True), variant(shape, False)]
    return [variant(shape, False)] if shape["cell"] == "gru" else []
