#!/usr/bin/env python3
"""Trains, quantizes and compares the models of docs/results/digits-har.md, and writes that page and its JSON.

    python3 tools/reproduce_digits_har.py [--quaver build/release/quaver] [--work build/digits-har] [--seeds 1 2 3]

Everything is kept in --work: a model that is already there is not trained again, so an interrupted run goes on where
it stopped, all models of the first seed before those of the second. --train-only stops before anything is quantized.
What the program says on the way, warnings too, goes to the terminal. Standard library only.
"""
import array
import json
import random
import struct
import zipfile

from experiment import Program, SeedModels, commit, flags_of, spread_text, write_results

MODELS = [  # name, task, flags of train
    ("digits_lstm", "digits", ["--cell", "lstm"]),
    ("digits_gru", "digits", ["--cell", "gru"]),
    ("digits_lstm_norm_projection", "digits", ["--cell", "lstm", "--layer-norm", "--projection", "64"]),
    ("digits_lstm_peephole_cifg", "digits", ["--cell", "lstm", "--peephole", "--cifg"]),
    ("digits_gru_bidirectional", "digits", ["--cell", "gru", "--direction", "bidirectional"]),
    ("har_gru", "har", ["--cell", "gru"]),
    ("har_lstm", "har", ["--cell", "lstm"]),
]
SCHEMES = ["int8", "int8_per_tensor", "int4"]
DEFAULT = "minmax, compensated rounding"
METHODS = {  # flags of quantize
    DEFAULT: [],
    "mse": ["--calib-method", "mse"],
    "entropy": ["--calib-method", "entropy"],
    "percentile": ["--calib-method", "percentile"],
    "minmax, weights to the nearest code": ["--rounding", "nearest"],
}
DRIFT_MODELS = ["digits_lstm", "digits_gru"]
DRIFT_SEQUENCES, DRIFT_STEPS, DRIFT_WINDOW = 16, 1100, 25  # rmse over step +- window


def read_tensor(path, name):
    """A float tensor of a model file."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    begin, end = json.loads(data[8 : 8 + size])[name]["data_offsets"]
    return array.array("f", data[8 + size + begin : 8 + size + end])


def write_long_streams(path, model, seed):
    """x [sequences, steps, features]: slow noise with the mean and deviation of the model's features, cut off at 2.8
    deviations: what saturates at the input is no drift, and calibration has seen no more than 2.9."""
    mean, inverse = read_tensor(model, "input.mean"), read_tensor(model, "input.inverse_deviation")
    source = random.Random(seed)
    values = array.array("f")
    for _ in range(DRIFT_SEQUENCES):
        level = [0.0] * len(mean)
        for _ in range(DRIFT_STEPS):
            for i in range(len(mean)):
                level[i] = 0.9 * level[i] + source.gauss(0, 0.19**0.5)  # deviation 1
                values.append(mean[i] + min(max(level[i], -2.8), 2.8) / inverse[i])
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({DRIFT_SEQUENCES}, {DRIFT_STEPS}, {len(mean)}), }}"
    header += " " * ((-len(header) - 11) % 64) + "\n"
    with zipfile.ZipFile(path, "w") as archive:
        start = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
        archive.writestr("x.npy", start + values.tobytes())


def last_hidden(models, name, quantized, source):
    """Points of the last hidden states, as compare reports them."""
    compared = models.program.run("compare", models.file_of(name), quantized, "--input", source)
    names = [point["name"] for point in compared["last_hidden"]]
    points = {point["name"]: point for point in compared["layers"] + compared["gates"]}
    return [points.get(name) or points[name.split(".")[0]] for name in names]


def row_of(models, name, task, flags):
    command, trained = models.train(name, task, flags)
    row = {"model": name, "seed": models.seed, "train": command, "float_accuracy": trained["value"],
           "n": trained["n"], "validation": trained["validation"], "train_seconds": round(trained["seconds"], 1),
           "float_bytes": trained["bytes"]}
    for scheme in SCHEMES:
        out, quantize, made = models.quantize(name, task, scheme)
        evaluated = models.program.run("eval", out, task)
        points = last_hidden(models, name, out, f"{task}:test")
        row[scheme] = {"quantize": quantize, "accuracy": evaluated["value"], "bytes": made["bytes"],
                       "bytes_ratio": round(made["ratio"], 4), "float_ops": made["float_ops"],
                       "last_hidden_db": {point["name"]: round(point["sqnr_last_db"], 2) for point in points},
                       "warnings": made["warnings"]}
    return row


def methods_of(models, name, task):
    """What each calibration method makes of one model."""
    entries = []
    for method in METHODS:
        entry = {"method": method, "model": name, "seed": models.seed}
        for scheme in SCHEMES:
            out, _, _ = models.quantize(name, task, scheme, METHODS[method])
            (point,) = last_hidden(models, name, out, f"{task}:test")
            entry[scheme] = {"db": round(point["sqnr_last_db"], 2),
                             "accuracy": models.program.run("eval", out, task)["value"]}
        entries.append(entry)
    return entries


def drift_of(models, name):
    """Root mean square errors of the hidden state around steps 100 and 1000 of long streams."""
    model = models.program.work / models.file_of(name)
    streams = model.with_suffix(".streams.npz")
    write_long_streams(streams, model, models.seed)
    result = {"model": name, "seed": models.seed, "sequences": DRIFT_SEQUENCES, "steps": DRIFT_STEPS}
    for scheme in SCHEMES:
        out, _, _ = models.quantize(name, "digits", scheme)
        (point,) = last_hidden(models, name, out, streams.name)

        def rmse_near(step):
            near = [s["rmse"] for s in point["steps"]
                    if s["step"] <= step + DRIFT_WINDOW and s["step"] + s["width"] > step - DRIFT_WINDOW]
            return (sum(e * e for e in near) / len(near)) ** 0.5

        early, late = rmse_near(100), rmse_near(1000)
        result[scheme] = {"point": point["name"], "rmse_step_100": early, "rmse_step_1000": late,
                          "ratio": round(late / early, 3)}
    return result


def by_name(entries, key):
    """Lists of the entries of all seeds, in the order of their first."""
    groups = {}
    for entry in entries:
        groups.setdefault(entry[key], []).append(entry)
    return groups


def by_scheme(entries, value, digits):
    return " / ".join(spread_text([value(entry[scheme]) for entry in entries], digits) for scheme in SCHEMES)


def warnings_of(rows):
    """A line for each place that is warned of: model, seeds with their schemes, and the text of the first of them."""
    places = {}
    for row in rows:
        for scheme in SCHEMES:
            for warning in row[scheme]["warnings"]:
                place = tuple(warning.get(key) for key in ("code", "node", "point"))
                seeds, _ = places.setdefault((row["model"], *place), ({}, warning["text"]))
                seeds.setdefault(row["seed"], []).append(scheme)
    lines = []
    for (model, *_), (seeds, text) in places.items():
        where = "; ".join(f"seed {seed}: {', '.join(schemes)}" for seed, schemes in seeds.items())
        first = next(iter(seeds))
        lines.append(f"- `{model}` ({where}). Of seed {first}, {seeds[first][0]}: {text}")
    return lines


def page_of(results):
    rows, seeds = results["rows"], results["seeds"]
    lines = ["# Float, int8 and int4 on spoken digits and smartphone activity", "",
             f"Commit {results['commit']}, seeds {', '.join(map(str, seeds))}, {results['machine']}. `digits` has 300 "
             "test files (one is 0.33 points), `har` 2,996 windows; the model is picked on the validation split alone. "
             "Calibration: minmax, 256 training sequences, compensated rounding, where nothing else is said. Made by `make results` "
             "(`tools/reproduce_digits_har.py`); `digits-har.json` has every command and every seed. "
             "+-: deviation over the seeds.", "",
             "| model | float % | int8 % | int8 per tensor % | int4 % |", "|---|---|---|---|---|"]
    for entries in by_name(rows, "model").values():
        command = entries[0]["train"].removeprefix("quaver train ").split(" --seed")[0]
        accuracies = [[row["float_accuracy"] for row in entries]]
        accuracies += [[row[scheme]["accuracy"] for row in entries] for scheme in SCHEMES]
        lines.append(f"| `{command}` | " + " | ".join(spread_text(values, 2) for values in accuracies) + " |")
    lines += ["", "Where there are three values they are int8 with a scale a row / int8 per tensor / int4; forward and "
              "reverse have a comma between them. All integer models have `float_ops: "
              f"{max(row[scheme]['float_ops'] for row in rows for scheme in SCHEMES)}`.", "",
              "| model | file, of float | last hidden state, dB |", "|---|---|---|"]
    for name, entries in by_name(rows, "model").items():
        decibels = []
        for scheme in SCHEMES:
            points = [list(row[scheme]["last_hidden_db"].values()) for row in entries]
            decibels.append(", ".join(spread_text(values, 1) for values in zip(*points)))
        ratios = by_scheme(entries[:1], lambda part: part["bytes_ratio"], 3)
        lines.append(f"| `{name}` | {ratios} | {' / '.join(decibels)} |")
    lines += ["", f"Calibration and rounding on `{results['methods'][0]['model']}`:", "",
              "| method | last hidden state, dB | accuracy, % |", "|---|---|---|"]
    for method, entries in by_name(results["methods"], "method").items():
        lines.append(f"| {method} | {by_scheme(entries, lambda part: part['db'], 1)} | "
                     f"{by_scheme(entries, lambda part: part['accuracy'], 2)} |")
    lines += ["", f"Drift: root mean square error of the hidden state near step 1000 over that near step 100, "
              f"{DRIFT_SEQUENCES} streams of slow noise with the features' mean and deviation, inside the calibrated "
              "range: "
              + "; ".join(f"`{name}` {by_scheme(entries, lambda part: part['ratio'], 2)}"
                          for name, entries in by_name(results["drift"], "model").items()) + ".", "",
              "What `quantize` warned of:", "", *(warnings_of(rows) or ["- nothing"]), ""]
    return "\n".join(lines)


def main():
    parser = flags_of(__doc__, "build/digits-har")
    parser.add_argument("--machine", default="2 cores, shared; Debian 12", help="kind of machine, for the record")
    parser.add_argument("--train-only", action="store_true", help="make the float models and no more")
    arguments = parser.parse_args()
    program = Program(arguments.quaver, arguments.work)
    seeds = [SeedModels(program, seed, arguments.threads) for seed in arguments.seeds]
    for models in seeds:
        for model in MODELS:
            models.train(*model)
    if arguments.train_only:
        return
    results = {"what": "float, int8 and int4: test accuracy in percent, file bytes, SQNR of the last hidden state",
               "commit": commit(), "seeds": arguments.seeds, "machine": arguments.machine,
               "rows": [row_of(models, *model) for models in seeds for model in MODELS],
               "methods": [entry for models in seeds for entry in methods_of(models, "digits_gru", "digits")],
               "drift": [drift_of(models, name) for models in seeds for name in DRIFT_MODELS]}
    write_results(arguments.out, "digits-har", results, page_of(results))


if __name__ == "__main__":
    main()
