"""PyTorch: torch.nn.LSTM and GRU in float, and quantized dynamically (int8 weights); the memory network in float.

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


class MemN2N(torch.nn.Module):
    """The memory network of docs/cells/memn2n.md, layer-wise, bag of words: A and C are one table twice as wide, so that
    a fact's words are looked up once. Questions that share their facts (m, c without a batch dimension) are one matrix;
    so is a single question."""

    def __init__(self, shape):
        super().__init__()
        d, self.facts, self.hops = shape["hidden"], shape["facts"], shape["hops"]
        bag = lambda width: torch.nn.EmbeddingBag(shape["vocabulary"], width, mode="sum", padding_idx=0)
        self.fact, self.question = bag(2 * d), bag(d)
        self.age = torch.nn.Parameter(torch.randn(self.facts, 2 * d) * 0.1)
        self.H = torch.nn.Linear(d, d, bias=False)
        self.W = torch.nn.Linear(d, shape["vocabulary"], bias=False)

    def embedded(self, facts):
        both = self.fact(facts)
        if both.shape[0] > self.facts:
            both = both.view(-1, self.facts, both.shape[1])
        return (both + self.age).chunk(2, -1)

    def forward(self, m, c, question):
        u = self.question(question)
        if m.dim() == 2:
            for _ in range(self.hops):
                u = self.H(u) + torch.softmax(u @ m.t(), 1) @ c
        else:
            for _ in range(self.hops):
                p = torch.softmax(torch.bmm(m, u.unsqueeze(2)).squeeze(2), 1)
                u = self.H(u) + torch.bmm(p.unsqueeze(1), c).squeeze(1)
        return self.W(u).argmax(1)


class Told(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, facts, question):
        m, c = self.network.embedded(facts)
        return self.network(m, c, question)


def memory_variant(shape):
    """Float, from word numbers to the answer's. The whole network is traced and frozen, so that Python is left once a
    call and libtorch's own interpreter runs the rest; kept plain where that is faster."""
    torch.set_num_threads(shape["threads"])
    torch.manual_seed(shape["seed"])
    network, batch = MemN2N(shape).eval(), shape["batch"]
    words = lambda rows: torch.randint(1, shape["vocabulary"], (rows, shape["words"]))
    inputs = []
    with torch.inference_mode():
        if shape["stored"]:
            module = network
            m, c = (side.contiguous() for side in network.embedded(words(shape["facts"])))
            inputs = [(m, c, words(batch)) for _ in range(shape["inputs"])]
        else:
            module = Told(network).eval()
            inputs = [(words(batch * shape["facts"]), words(batch)) for _ in range(shape["inputs"])]
    with torch.no_grad():
        traced = torch.jit.freeze(torch.jit.trace(module, inputs[0], check_trace=False))
    turn = 0

    def call(calls, run):
        nonlocal turn
        with torch.inference_mode():
            for _ in range(calls):
                run(*inputs[turn])
                turn = (turn + 1) % len(inputs)

    def seconds(run):
        least = float("inf")
        for trial in range(20):
            start = time.perf_counter()
            call(1, run)
            least = min(least, time.perf_counter() - start)
            if least > 0.1 and trial > 0:  # a million facts: the difference does not matter
                break
        return least

    best, path = (traced, "traced") if seconds(traced) < seconds(module) else (module, "plain")
    weights = sum(parameter.numel() for parameter in network.parameters())
    return {"scheme": "f32", "path": path, "weight_bytes": 4 * weights, "batch": batch, "stored": shape["stored"],
            "call": lambda calls: call(calls, best)}


def variants(shape):
    if shape["cell"] == "memn2n":
        return [memory_variant({**shape, "batch": batch, "stored": stored})
                for stored in ([False, True] if shape["told"] else [True]) for batch in shape["batches"]]
    if shape["cell"] not in GATES or (shape["cell"] == "gru" and shape["reset"] != "after"):
        return []
    engine = next((name for name in ENGINES if name in torch.backends.quantized.supported_engines), None)
    return ([variant(shape, engine)] if engine else []) + [variant(shape, None)]
