#!/usr/bin/env python3
"""What scales of column groups would gain beside those of rows in weights of few bits: docs/results/column-groups.{md,json}.

    python3 tools/column_groups.py [MODEL ...] [--quaver build/release/quaver] [--work build/tasks]
        [--dump build/release/tests/dump_operands] [--models ../shared/models]

A weight is scale_row * k_group * code, k_group an integer of 1 to 255 that all rows share (or the rows of a gate), a group
a run of columns. Networks are trained here or published by others; published ones, and what feeds their recurrent layers,
are turned into files that quaver converts. Matrices and what they multiply come from `dump_operands`, folded as
`quantize` does. A model that lies in --work is not trained again. QUAVER_DATA names the data. Needs NumPy, and h5py for
some of the published ones.
"""
import json
import lzma
import os
import pathlib
import statistics
import subprocess
import sys
import wave

import numpy as np

from experiment import Program, SeedModels, command_text, commit, cpu_text, flags_of, write_results

TRAINED = {  # name: task, flags of train
    "digits_lstm": ("digits", ["--cell", "lstm", "--layers", "2", "--epochs", "8"]),
    "har_gru": ("har", ["--cell", "gru", "--epochs", "6"]),
    "jsb": ("jsb", ["--epochs", "15"]),
    "shakespeare": ("shakespeare", ["--epochs", "2"]),
}
SEQUENCES = 256  # of each split at most
SCHEMES = {"ternary": 1, "quaternary": 2, "binary": 1, "int4": 7}  # the largest code
WIDTHS = (32, 64, 128)
LARGEST_FACTOR = 255
TURNS = 40
DAMPING = 0.01  # of compensated rounding, as src/quaver/quantize/compensated_rounding.cc has it
WORTH_MATRIX = 1.0  # dB of product SQNR


# ---- codes ----

def nearest(scheme, ratio):
    if scheme == "binary":
        return np.where(ratio < 0, np.float32(-1), np.float32(1))
    if scheme == "quaternary":
        size = np.where(np.abs(ratio) < 1.5, np.float32(1), np.float32(2))
        return np.where(ratio < 0, -size, size)
    limit = SCHEMES[scheme]
    return np.clip(np.rint(ratio), -limit, limit)


def quotient(products, squares, otherwise):
    return np.where(squares > 0, products / np.where(squares > 0, squares, 1), otherwise)


def row_scales(scheme, weights, energy):
    """Scales [rows] of least error, columns counted by `energy`: Lloyd's turns from eight starts, as A48 has them."""
    largest = np.abs(weights).max(axis=1)
    best, least = np.where(largest > 0, largest, 1), np.full(len(weights), np.inf)
    counted = weights * energy
    for start in range(1, 9):
        scales = np.where(largest > 0, largest * start / (8 * SCHEMES[scheme]), 1)
        for _ in range(TURNS):
            codes = nearest(scheme, weights / scales[:, None])
            products = np.einsum("rc,rc->r", counted, codes)
            squares = np.einsum("rc,rc->r", codes * energy, codes)
            fitted = quotient(products, squares, scales)
            losses = -products * fitted
            better = (losses < least) & (squares > 0)
            best, least = np.where(better, fitted, best), np.where(better, losses, least)
            if np.allclose(fitted, scales, rtol=1e-5, atol=0):
                break
            scales = fitted
    return best


def groups_of(columns, width):
    return np.arange(columns) // width


def free_scales(scheme, weights, energy, width):
    """[rows, groups]: a real scale a row and group, the most that any factors could reach."""
    return np.stack([row_scales(scheme, weights[:, first:first + width], energy[first:first + width])
                     for first in range(0, weights.shape[1], width)], axis=1)


class GroupFit:
    """scale_row * k_group * code with the k of one run of rows, by alternating least squares."""

    def __init__(self, scheme, weights, energy, groups):
        self.scheme, self.weights, self.energy, self.groups = scheme, weights, energy, groups
        self.of_group = np.eye(groups.max() + 1, dtype=np.float32)[groups]  # [columns, groups]

    def spread(self, scales, factors):
        return scales[:, None] * factors[self.groups]

    def loss(self, scales, factors):
        spread = self.spread(scales, factors)
        rest = self.weights - spread * nearest(self.scheme, self.weights / spread)
        return float(np.einsum("rc,c->", rest * rest, self.energy))

    def turn(self, scales, factors, moves_factors):
        counted = self.weights * self.energy
        codes = nearest(self.scheme, self.weights / self.spread(scales, factors))
        scaled = codes * factors[self.groups]
        scales = quotient((counted * scaled).sum(1), (scaled * scaled * self.energy).sum(1), scales)
        if moves_factors:
            products = (counted * codes) @ self.of_group
            squares = (codes * codes * self.energy) @ self.of_group
            factors = quotient(scales @ products, (scales * scales) @ squares, factors)
        return scales, factors

    def settled(self, scales, factors, moves_factors):
        least, best = self.loss(scales, factors), (scales, factors)
        for _ in range(TURNS):
            scales, factors = self.turn(scales, factors, moves_factors)
            loss = self.loss(scales, factors)
            if loss >= least * (1 - 1e-6):
                break
            least, best = loss, (scales, factors)
        return least, best

    def best(self, scales, free):
        """Row scales and integer factors, from factors of 1 and from those of free scales."""
        ones = np.ones(self.groups.max() + 1, dtype=np.float32)
        starts = [ones, (scales @ free) / (scales @ scales)]
        found = [self.settled(scales, ones, False)]
        for start in starts:
            _, (real, factors) = self.settled(scales, start.astype(np.float32), True)
            unit = np.abs(factors).max() / LARGEST_FACTOR
            whole = np.clip(np.rint(factors / unit), 1, LARGEST_FACTOR).astype(np.float32)
            found.append(self.settled(real * unit, whole, False))
        return min(found, key=lambda of: of[0])[1]


def spread_scales(scheme, weights, energy, gates):
    """By variant, the scale [rows, columns] of every weight."""
    rows, columns = weights.shape
    by_row = row_scales(scheme, weights, energy)
    spread = {"row": np.repeat(by_row[:, None], columns, axis=1)}
    size = np.sqrt((weights * weights).mean(0))
    order = np.argsort(-size, kind="stable")
    size = np.where(size > 0, size, 1)
    # Columns of like size, whose operands are as much larger: a fit that counts their energy counts that too.
    like_energy = energy if np.all(energy == 1) else energy * size * size
    spread["column"] = row_scales(scheme, weights / size, like_energy)[:, None] * size

    def factored(part, groups, free):
        fit = GroupFit(scheme, weights[part], energy, groups)
        return fit.spread(*fit.best(by_row[part], free[part]))

    for width in WIDTHS:
        if columns <= width:
            continue
        groups = groups_of(columns, width)
        free = free_scales(scheme, weights, energy, width)
        spread[f"free{width}"] = free[:, groups]
        spread[f"k{width}"] = factored(slice(0, rows), groups, free)
        run = rows // gates
        spread[f"gate{width}"] = np.concatenate(
            [factored(slice(gate * run, (gate + 1) * run), groups, free) for gate in range(gates)])
        by_size = np.empty(columns, dtype=int)
        by_size[order] = groups
        free_by_size = free_scales(scheme, weights[:, order], energy[order], width)
        spread[f"sorted{width}"] = factored(slice(0, rows), by_size, free_by_size)
    return spread


def compensated(scheme, weights, spread, moment):
    """Codes whose errors cancel on the data (decision 11)."""
    columns = weights.shape[1]
    damping = DAMPING * np.trace(moment) / columns or 1.0
    lower = np.linalg.cholesky(moment + damping * np.eye(columns))
    codes, left = np.empty_like(weights, dtype=np.float64), np.zeros(weights.shape)
    for j in range(columns - 1, -1, -1):
        codes[:, j] = nearest(scheme, (weights[:, j] + left[:, j] / lower[j, j]) / spread[:, j])
        left += np.outer(weights[:, j] - spread[:, j] * codes[:, j], lower[j])
    return codes


# ---- a matrix ----

def decibels(before, after):
    return float(10 * np.log10(before / after)) if after > 0 and before > 0 else 0.0


def errors_of(scheme, weights, spread, calibration, test, rounding):
    """|W - Wq|^2 and the mean of |(W - Wq) x|^2 on test; moments: [parts, columns, columns], or None."""
    parts = 1 if calibration is None else len(calibration)
    run, in_weights, in_products = len(weights) // parts, 0.0, 0.0
    for part in range(parts):
        rows = slice(part * run, (part + 1) * run)
        W, S = weights[rows].astype(np.float64), spread[rows].astype(np.float64)
        codes = nearest(scheme, W / S) if rounding == "nearest" else compensated(scheme, W, S, calibration[part])
        rest = W - S * codes
        in_weights += float((rest * rest).sum())
        if test is not None:
            in_products += float(((rest @ test[part]) * rest).sum())
    return in_weights, in_products


def row_of(scheme, weights, gates, calibration=None, test=None):
    """Errors by fit, rounding and variant. Fit: every column alike, or by the energy of what it multiplies."""
    columns, found = weights.shape[1], []
    flat = np.ones(columns, dtype=np.float32)
    fits = {"plain": flat}
    if calibration is not None:
        energy = np.einsum("pcc->c", calibration) / len(calibration)
        fits["energy"] = (energy / energy.mean() + 1e-6).astype(np.float32)
        moments = sum(float(((part.astype(np.float64) @ test[at]) * part).sum())
                      for at, part in enumerate(np.split(weights, len(test))))
    for fit, weight_of in fits.items():
        spread = spread_scales(scheme, weights, weight_of, gates)
        for rounding in ["nearest"] + (["compensated"] if calibration is not None else []):
            errors = {variant: errors_of(scheme, weights, scales, calibration, test, rounding)
                      for variant, scales in spread.items()}
            row = errors.pop("row")
            entry = {"fit": fit, "rounding": rounding,
                     "relative_weight_error": float(f"{row[0] / float((weights.astype(np.float64)**2).sum()):.4g}"),
                     "weight_gain": {variant: round(decibels(row[0], of[0]), 3) for variant, of in errors.items()}}
            if test is not None:
                entry["product_sqnr"] = round(decibels(moments, row[1]), 2)
                entry["product_gain"] = {variant: round(decibels(row[1], of[1]), 3) for variant, of in errors.items()}
            found.append(entry)
    return found


def symmetric(lower):
    return lower + np.swapaxes(np.tril(lower, -1), 1, 2)


def rows_of_dump(name, dump):
    arrays, rows = np.load(dump["file"]), []
    for told in dump["rows"]:
        matrix = f"{told['scheme']}/{told['tensor']}"
        weights = arrays[matrix]
        if weights.shape[1] <= WIDTHS[0]:
            continue  # a single group
        moments = (symmetric(arrays[f"{matrix}/{of}"]) for of in ("calibration", "test"))
        rows += [{"model": name, **told, "shape": list(weights.shape), **entry}
                 for entry in row_of(told["scheme"], weights, told["gates"], *moments)]
        print(f"{name}: {matrix} {weights.shape}", file=sys.stderr, flush=True)
    return rows


# ---- published networks: a state_dict, and arrays for calibration and test ----

def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_outputs(x, weight_ih, weight_hh, bias):
    """PyTorch's order of gates. [steps, hidden]"""
    h = c = np.zeros(weight_hh.shape[1])
    outputs = []
    for frame in x @ weight_ih.T + bias:
        i, f, g, o = np.split(frame + weight_hh @ h, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.array(outputs)


def expect_close(name, found, expected, tolerance):
    difference = float(np.abs(found - expected).max())
    if not difference <= tolerance:
        sys.exit(f"{name}: what its layers give is {difference:.2g} from the published outputs, expected {tolerance} at most")


def halves(x):
    return {"x": x[:len(x) // 2].astype(np.float32)}, {"x": x[len(x) // 2:].astype(np.float32)}


def read_safetensors(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data[8 + size:][slice(*of["data_offsets"])], np.float32).reshape(of["shape"])
            for name, of in header.items()}


def write_safetensors(path, arrays):
    header, blocks, at = {}, [], 0
    for name, array in arrays.items():
        block = np.ascontiguousarray(array, dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + len(block)]}
        blocks.append(block)
        at += len(block)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blocks))


def silero_v6(models):
    folder = models / "silero_vad"
    tensors = read_safetensors(folder / "v6/silero_vad_16k.safetensors")
    with wave.open(str(folder / "test.wav")) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768
    samples = np.concatenate([np.zeros(64), samples])
    chunks = np.stack([samples[at:at + 576] for at in range(0, len(samples) - 575, 512)])

    def convolved(x, weight, bias, stride):  # [chunks, channels, steps]
        windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2], axis=2)[:, :, ::stride]
        return np.einsum("bitk,oik->bot", windows, weight, optimize=True) + (0 if bias is None else bias[:, None])

    x = np.pad(chunks, ((0, 0), (0, 64)), mode="reflect")[:, None]
    x = convolved(x, tensors["stft_conv.weight"], None, 128)
    x = np.hypot(x[:, :129], x[:, 129:])
    for at, stride in enumerate((1, 2, 2, 1), 1):
        x = np.pad(x, ((0, 0), (0, 0), (1, 1)))
        x = np.maximum(convolved(x, tensors[f"conv{at}.weight"], tensors[f"conv{at}.bias"], stride), 0)
    x = x[:, :, 0]
    cell = {name: tensors[f"lstm_cell.{name}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    h = lstm_outputs(x, cell["weight_ih"], cell["weight_hh"], cell["bias_ih"] + cell["bias_hh"])
    score = sigmoid(np.maximum(h, 0) @ tensors["final_conv.weight"][0, :, 0] + tensors["final_conv.bias"])
    # The weights are of another version than any of the published outputs, so that the two only look alike.
    expected = np.load(folder / "reference_outputs/silero_v6_prob.npy")[:len(score)]
    expect_close("silero_v6", np.corrcoef(score, expected)[0, 1], 1, 0.01)
    return {f"rnn.{name}_l0": array for name, array in cell.items()}, *halves(x)


def keras_lstms(file, names):
    """A state_dict; Keras' gates i, f, c, o are PyTorch's i, f, g, o. A bias of 1024 has both halves."""
    state = {}
    for layer, name in enumerate(names):
        group = file[name][name]
        state[f"rnn.weight_ih_l{layer}"] = group["kernel:0"][()].T
        state[f"rnn.weight_hh_l{layer}"] = group["recurrent_kernel:0"][()].T
        bias = group["bias:0"][()]
        rows = len(state[f"rnn.weight_ih_l{layer}"])
        state[f"rnn.bias_ih_l{layer}"] = bias[:rows]
        state[f"rnn.bias_hh_l{layer}"] = bias[rows:] if len(bias) > rows else np.zeros(rows)
    return state


def two_lstms(x, state):
    for layer in range(2):
        x = lstm_outputs(x, *(state[f"rnn.{name}_l{layer}"] for name in ("weight_ih", "weight_hh")),
                         state[f"rnn.bias_ih_l{layer}"] + state[f"rnn.bias_hh_l{layer}"])
    return x


def dtln(models, part):
    import h5py
    file, references = h5py.File(models / "dtln/model.h5"), models / "dtln/reference_outputs"
    if part == 1:
        x, state = np.load(references / "model_1_in_mag.npy"), keras_lstms(file, ["lstm", "lstm_1"])
        dense = file["dense/dense"]
        mask = sigmoid(two_lstms(x, state) @ dense["kernel:0"][()] + dense["bias:0"][()])
        expect_close("dtln_1", mask, np.load(references / "model_1_out_mask.npy"), 1e-3)
    else:
        blocks, state = np.load(references / "model_2_in_block.npy"), keras_lstms(file, ["lstm_2", "lstm_3"])
        encoded = blocks @ file["conv1d/conv1d/kernel:0"][0]
        norm = file["layer_normalization/layer_normalization"]
        x = encoded - encoded.mean(1, keepdims=True)
        x = x / np.sqrt((x * x).mean(1, keepdims=True) + 1e-7) * norm["gamma:0"][()] + norm["beta:0"][()]
        dense = file["dense_1/dense_1"]
        mask = sigmoid(two_lstms(x, state) @ dense["kernel:0"][()] + dense["bias:0"][()])
        output = (encoded * mask) @ file["conv1d_1/conv1d_1/kernel:0"][0]
        expect_close("dtln_2", output, np.load(references / "model_2_out_block.npy"), 1e-3)
    return state, *halves(x)


def padded(sequences):
    lengths = np.array([len(ids) for ids in sequences], np.int32)
    ids = np.zeros((len(sequences), lengths.max()), np.int32)
    for row, of in zip(ids, sequences):
        row[:len(of)] = of
    return {"ids": ids, "lengths": lengths}


def g2p(models, part):
    arrays, told = np.load(models / "g2p/checkpoint20.npz"), json.loads((models / "g2p/expected_phonemes.json").read_text())
    of_letter = {text: at for at, text in enumerate(told["graphemes"])}
    of_phoneme = {text: at for at, text in enumerate(told["phonemes"])}
    if part == "enc":
        sequences = [[*(of_letter.get(letter, 1) for letter in word), of_letter["</s>"]] for word in told["expected"]]
    else:  # from a state of 0, not the encoder's
        sequences = [[of_phoneme["<s>"], *(of_phoneme[text] for text in spoken.split())]
                     for spoken in told["expected"].values()]
    state = {"embedding.weight": arrays[f"{part}_emb"]}
    for ours, theirs in (("weight_ih", "w_ih"), ("weight_hh", "w_hh"), ("bias_ih", "b_ih"), ("bias_hh", "b_hh")):
        state[f"rnn.{ours}_l0"] = arrays[f"{part}_{theirs}"]
    return state, padded(sequences[::2]), padded(sequences[1::2])


def textgenrnn(models):
    import h5py
    file = h5py.File(models / "textgenrnn/textgenrnn_weights.hdf5")
    vocabulary = json.loads((models / "textgenrnn/textgenrnn_vocab.json").read_text())
    data = pathlib.Path(os.environ.get("QUAVER_DATA", "../shared/data"))
    with lzma.open(data / "text/tinyshakespeare.txt.xz", "rt") as file_of_text:
        text = file_of_text.read()
    windows = [[vocabulary.get(letter, 0) for letter in text[at:at + 40]] for at in range(0, 2 * SEQUENCES * 1000, 1000)]
    state = {"embedding.weight": file["embedding/embedding/embeddings:0"][()], **keras_lstms(file, ["rnn_1", "rnn_2"])}
    return state, padded(windows[::2]), padded(windows[1::2])


PUBLISHED = {
    "silero_v6": silero_v6,
    "dtln_1": lambda models: dtln(models, 1),
    "dtln_2": lambda models: dtln(models, 2),
    "g2p_encoder": lambda models: g2p(models, "enc"),
    "g2p_decoder": lambda models: g2p(models, "dec"),
    "textgenrnn": textgenrnn,
}


# ---- published weights alone: what feeds them is not there ----

def rnnoise(models, name):
    """(tensor, weights [3 hidden, columns]) of the GRUs; their weights are int8 codes of one scale."""
    text = (models / f"rnnoise/{name}.rnnn").read_text().split("\n", 1)[1]
    numbers = iter(text.split())
    for layer in ("input_dense", "vad_gru", "noise_gru", "denoise_gru", "denoise_output", "vad_output"):
        inputs, neurons, _ = (int(next(numbers)) for _ in range(3))
        is_gru = layer.endswith("gru")
        rows = 3 * neurons if is_gru else neurons
        for tensor, columns in [("W", inputs)] + ([("R", neurons)] if is_gru else []):
            weights = np.array([int(next(numbers)) for _ in range(rows * columns)], np.float32)
            if is_gru:
                yield f"{layer}.{tensor}", weights.reshape(columns, rows).T.copy()
        for _ in range(rows):
            next(numbers)


WEIGHTS_ALONE = {f"rnnoise_{name}": name for name in ("bd", "mp", "sh")}


def rows_of_weights(models, name):
    return [{"model": name, "scheme": scheme, "tensor": tensor, "gates": 3, "folded": False, "shape": list(weights.shape),
             **entry}
            for tensor, weights in rnnoise(models, WEIGHTS_ALONE[name]) if weights.shape[1] > WIDTHS[0]
            for scheme in SCHEMES for entry in row_of(scheme, weights, 3)]


# ---- all ----

def dumped(program, dump, model, calibration, test):
    out = model.removesuffix("safetensors") + "operands.npz"
    done = subprocess.run([dump.resolve(), model, calibration, test, str(SEQUENCES), out], cwd=program.work,
                          stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{dump} ended with {done.returncode}")
    return {**json.loads(done.stdout), "file": program.work / out}


def rows_of_model(program, arguments, name):
    """(rows, commands)"""
    if name in WEIGHTS_ALONE:
        return rows_of_weights(arguments.models, name), []
    if name in TRAINED:
        task, flags = TRAINED[name]
        models = SeedModels(program, arguments.seeds[0], arguments.threads)
        command, _ = models.train(name, task, flags)
        dump = dumped(program, arguments.dump, models.file_of(name), f"{task}:train", f"{task}:test")
        return rows_of_dump(name, dump), [command]
    state, calibration, test = PUBLISHED[name](arguments.models)
    write_safetensors(program.work / f"{name}.torch.safetensors", state)
    np.savez(program.work / f"{name}.calibration.npz", **calibration)
    np.savez(program.work / f"{name}.test.npz", **test)
    convert = ["convert", f"{name}.torch.safetensors", "-o", f"{name}.safetensors"]
    program.run(*convert)
    dump = dumped(program, arguments.dump, f"{name}.safetensors", f"{name}.calibration.npz", f"{name}.test.npz")
    return rows_of_dump(name, dump), [command_text(convert)]


def spread_text(values):
    values = list(values)
    if not values:
        return "-"
    return f"{statistics.median(values):+.2f} ({min(values):+.2f}, {max(values):+.2f})"


TEXTS = {"k": "k", "gate": "k a gate", "sorted": "k, sorted", "free": "real"}
SHOWN = {f"{kind}{width}": f"{TEXTS[kind]} {width}"
         for kind, widths in (("k", WIDTHS), ("gate", (32,)), ("sorted", (32,)), ("free", WIDTHS)) for width in widths}
SHOWN["column"] = "column"


def table(heading, lines, figure):
    """lines: (what it is of, rows); figure: of a row, the dB by variant."""
    made = [f"| {heading} | cases | {' | '.join(SHOWN.values())} |", "|---|---|" + "---|" * len(SHOWN)]
    for text, rows in lines:
        cells = [spread_text(row[figure][variant] for row in rows if variant in row[figure]) for variant in SHOWN]
        made.append(f"| {text} | {len(rows)} | {' | '.join(cells)} |")
    return made


def chosen(rows, **values):
    return [row for row in rows if all(row[key] == value for key, value in values.items())]


def verdict(rows):
    """What the integer factors gain in products as `quantize` rounds, over all schemes."""
    lines = []
    for width in WIDTHS:
        gains = {f"`{row['model']} {row['tensor']}` {row['scheme']}": row["product_gain"][f"k{width}"]
                 for row in rows if f"k{width}" in row["product_gain"]}
        reached = [name for name, gain in gains.items() if gain >= WORTH_MATRIX]
        lines.append(f"- groups of {width}: {statistics.median(gains.values()):+.2f} dB in the median of {len(gains)} cases, "
                     f"{len(reached)} from {WORTH_MATRIX:g} dB on" + (f" ({', '.join(reached)})" if reached else ""))
    return lines


def matrix_lines(rows):
    lines = ["| model, matrix | shape | " + " | ".join(f"{scheme}: row, SQNR | k 32 | real 32 | column" for scheme in SCHEMES) + " |",
             "|---|---|" + "---|" * (4 * len(SCHEMES))]
    for model, tensor in dict.fromkeys((row["model"], row["tensor"]) for row in rows):
        of = {row["scheme"]: row for row in chosen(rows, model=model, tensor=tensor)}
        cells = [f"{of[scheme]['product_sqnr']:.1f} | {of[scheme]['product_gain']['k32']:+.2f} | "
                 f"{of[scheme]['product_gain']['free32']:+.2f} | {of[scheme]['product_gain']['column']:+.2f}"
                 for scheme in SCHEMES]
        rows_of, columns = of["ternary"]["shape"]
        lines.append(f"| `{model} {tensor}` | {rows_of} x {columns} | {' | '.join(cells)} |")
    return lines


def page_of(results):
    rows = results["rows"]
    with_products = [row for row in rows if "product_gain" in row]
    as_quantized = chosen(with_products, fit="plain", rounding="compensated")

    def by_scheme(**values):
        return [(f"`{scheme}`", chosen(with_products, scheme=scheme, **values)) for scheme in SCHEMES]

    models = list(dict.fromkeys(row["model"] for row in rows))
    lines = ["# Scales of column groups", "",
             f"`{results['command']}`: commit {results['commit']}, up to {results['sequences']} sequences of each split. "
             "`column-groups.json` has every row and command.", "",
             "A weight is scale of its row * k of its column group * code; dB gained over a scale of the row alone, median "
             "(least, most) over the matrices W and R of the recurrent layers. k: integers of 1 to 255 that all rows "
             "share; a gate: that the rows of a gate share; sorted: columns grouped by their size, which takes an order of "
             "units and inputs; real: a real scale a row and group, which no factors of groups pass where weights go "
             "to the nearest code. Operands of R are the outputs of all steps, the last of a sequence, which R does not "
             "read, among them. Behind each, the width of "
             "a group; matrices with no more columns are left out. Column: a real scale a column, its size, which costs "
             "a step nothing where channels of x can take it (A44) and cannot be had for h. Products: of test data, with calibration's "
             "folding (A44), the mean of their errors taken by the bias of W.", "",
             *verdict(as_quantized), "",
             "## Products, rounded as `quantize` does (decision 11)", "", *table("scheme", by_scheme(
                 fit="plain", rounding="compensated"), "product_gain"), "",
             "## Products, rounded to nearest", "", *table("scheme", by_scheme(
                 fit="plain", rounding="nearest"), "product_gain"), "",
             "## Products, scales and factors fitted with columns counted by the energy of their operands", "",
             "As `quantize` rounds; over a scale of the row fitted so.", "", *table("scheme", by_scheme(
                 fit="energy", rounding="compensated"), "product_gain"), "",
             "## Weights, rounded to nearest", "", *table("scheme", [
                 (f"`{scheme}`", chosen(rows, scheme=scheme, fit="plain", rounding="nearest")) for scheme in SCHEMES],
                 "weight_gain"), "",
             "## By model, the four schemes together", "", "Products, rounded as `quantize` does:", "",
             *table("model", [(f"`{model}`", found) for model in models if (found := chosen(as_quantized, model=model))],
                    "product_gain"), "", "Weights, rounded to nearest:", "",
             *table("model", [(f"`{model}`", chosen(rows, model=model, fit="plain", rounding="nearest"))
                              for model in models], "weight_gain"), "",
             "## By matrix", "", "Products, rounded as `quantize` does, dB.", "", *matrix_lines(as_quantized), ""]
    return "\n".join(lines)


def main():
    parser = flags_of(__doc__, "build/tasks")
    names = [*TRAINED, *PUBLISHED, *WEIGHTS_ALONE]
    parser.set_defaults(seeds=[1])
    parser.add_argument("names", nargs="*", metavar="MODEL", help=f"of {', '.join(names)}; none: all")
    parser.add_argument("--dump", type=pathlib.Path, default=pathlib.Path("build/release/tests/dump_operands"))
    parser.add_argument("--models", type=pathlib.Path, default=pathlib.Path("../shared/models"))
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in names:
            parser.error(f"unknown model '{name}', expected {', '.join(names)}")
    if not arguments.dump.exists():
        parser.error(f"{arguments.dump} is not there; cmake --build --preset release --target dump_operands")
    program = Program(arguments.quaver, arguments.work)
    rows, commands = [], {}
    for name in arguments.names or names:
        found, commands[name] = rows_of_model(program, arguments, name)
        rows += found
    results = {"what": "dB that factors of column groups gain beside scales of rows, in weights and in products",
               "command": " ".join(["python3 tools/column_groups.py", *arguments.names]), "commit": commit(),
               "cpu": cpu_text(), "sequences": SEQUENCES, "commands": commands, "rows": rows}
    write_results(arguments.out, "column-groups", results, page_of(results))


if __name__ == "__main__":
    main()
