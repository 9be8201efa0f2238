"""PyTorch: torch.nn.LSTM and GRU in float, and quantized dynamically (int8 weights).

As its tuning guide says: no gradients (inference_mode), as many threads as asked for, and the quantized engine made
for this CPU. In float it can hand the layer to its oneDNN, which for LSTMs packs the weights anew in every call: worth
it for sequences, ruinous for single steps, so the faster way is found by trying. Its GRU resets after the product.
"""
import time
import warnings

import torch

VERSION = torch.__version__
GATES = {"lstm": 4, "gru": 3}
ENGINES = ("x86", "fbgemm", "onednn", "qnnpack")  # best first

warnings.filterwarnings("ignore")  # "will be moved to another package": true, and not ours to say


def variant(shape, engine):
    torch.set_num_threads(shape["threads"])
    torch.manual_seed(shape["seed"])
    cell = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[shape["cell"]]
    module = torch.nn.Sequential(cell(shape["input"], shape["hidden"])).eval()
    if engine:
        torch.backends.quantized.engine = engine
        module = torch.ao.quantization.quantize_dynamic(module, {cell}, dtype=torch.qint8)
    layer = module[0]
    inputs = torch.rand(shape["inputs"], shape["steps"], shape["batch"], shape["input"]) * 2 - 1
    inputs = list(inputs.unbind())
    zeros = torch.zeros(1, shape["batch"], shape["hidden"])
    state, turn = (zeros, zeros) if shape["cell"] == "lstm" else zeros, 0

    def call(calls, onednn=True):
        nonlocal state, turn
        with torch.inference_mode(), torch.backends.mkldnn.flags(enabled=onednn):
            for _ in range(calls):
                _, state = layer(inputs[turn], state)
                turn = (turn + 1) % len(inputs)

    def seconds(onednn):
        call(1, onednn)
        start = time.perf_counter()
        call(3, onednn)
        return time.perf_counter() - start

    onednn = bool(engine) or seconds(True) < seconds(False)
    weights = GATES[shape["cell"]] * shape["hidden"] * (shape["input"] + shape["hidden"])
    return {"scheme": "int8 dynamic" if engine else "f32", "path": engine or ("onednn" if onednn else "native"),
            "weight_bytes": weights * (1 if engine else 4), "call": lambda calls: call(calls, onednn)}


def variants(shape):
    if shape["cell"] not in GATES or (shape["cell"] == "gru" and shape["reset"] != "after"):
        return []
    engine = next((name for name in ENGINES if name in torch.backends.quantized.supported_engines), None)
    return ([variant(shape, engine)] if engine else []) + [variant(shape, None)]
