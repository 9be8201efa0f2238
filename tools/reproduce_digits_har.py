#!/usr/bin/env python3
"""Trains, quantizes and compares the models of docs/results/digits-har.md, and writes that page and its JSON.

    python3 tools/reproduce_digits_har.py [--quaver build/release/quaver] [--work build/digits-har] [--seed 1]

Everything is kept in --work: a model that is already there is not trained again, so an interrupted run goes on where
it stopped. Standard library only. About 10 minutes on 2 cores.
"""
import argparse
import array
import json
import pathlib
import random
import struct
import subprocess
import sys
import zipfile

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
METHODS = ["minmax", "mse", "entropy", "percentile"]
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


class Runner:
    def __init__(self, quaver, work, seed):
        self.quaver, self.work, self.seed = quaver.resolve(), work, seed

    def run(self, *arguments):
        """The JSON that a verb prints; its command goes to the terminal."""
        print("quaver", *arguments, file=sys.stderr, flush=True)
        done = subprocess.run([self.quaver, *arguments, "--json"], cwd=self.work, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        return json.loads(done.stdout)

    def train(self, name, task, flags):
        record = self.work / f"{name}.train.json"
        command = ["train", task, *flags, "--seed", str(self.seed), "--threads", "2", "-o", f"{name}.safetensors"]
        if not record.exists():
            record.write_text(json.dumps(self.run(*command)))
        return "quaver " + " ".join(command), json.loads(record.read_text())

    def quantize(self, name, task, scheme, method="minmax"):
        out = f"{name}.{scheme}.{method}.safetensors"
        command = ["quantize", f"{name}.safetensors", "--scheme", scheme, "--calib", f"{task}:train"]
        command += [] if method == "minmax" else ["--calib-method", method]
        command += ["-o", out]
        return out, "quaver " + " ".join(command), self.run(*command)

    def last_hidden(self, name, quantized, source):
        """Points of the last hidden states, as compare reports them."""
        compared = self.run("compare", f"{name}.safetensors", quantized, "--input", source)
        names = [point["name"] for point in compared["last_hidden"]]
        points = {point["name"]: point for point in compared["layers"] + compared["gates"]}
        return [points.get(name) or points[name.split(".")[0]] for name in names]


def row_of(runner, name, task, flags):
    command, trained = runner.train(name, task, flags)
    row = {"model": name, "train": command, "float_accuracy": trained["value"], "n": trained["n"],
           "validation": trained["validation"], "train_seconds": round(trained["seconds"], 1),
           "float_bytes": trained["bytes"]}
    for scheme in SCHEMES:
        out, quantize, made = runner.quantize(name, task, scheme)
        evaluated = runner.run("eval", out, task)
        points = runner.last_hidden(name, out, f"{task}:test")
        row[scheme] = {"quantize": quantize, "accuracy": evaluated["value"], "bytes": made["bytes"],
                       "bytes_ratio": round(made["ratio"], 4), "float_ops": made["float_ops"],
                       "last_hidden_db": {point["name"]: round(point["sqnr_last_db"], 2) for point in points}}
    return row


def drift_of(runner, name):
    """Root mean square errors of the hidden state around steps 100 and 1000 of long streams."""
    streams = runner.work / f"{name}.streams.npz"
    write_long_streams(streams, runner.work / f"{name}.safetensors", runner.seed)
    result = {"model": name, "sequences": DRIFT_SEQUENCES, "steps": DRIFT_STEPS}
    for scheme in SCHEMES:
        out, _, _ = runner.quantize(name, "digits", scheme)
        (point,) = runner.last_hidden(name, out, streams.name)

        def rmse_near(step):
            near = [s["rmse"] for s in point["steps"]
                    if s["step"] <= step + DRIFT_WINDOW and s["step"] + s["width"] > step - DRIFT_WINDOW]
            return (sum(e * e for e in near) / len(near)) ** 0.5

        early, late = rmse_near(100), rmse_near(1000)
        result[scheme] = {"point": point["name"], "rmse_step_100": early, "rmse_step_1000": late,
                          "ratio": round(late / early, 3)}
    return result


def by_scheme(row, text):
    return " / ".join(text(row[scheme]) for scheme in SCHEMES)


def page_of(results):
    lines = ["# Float, int8 and int4 on spoken digits and smartphone activity", "",
             f"Commit {results['commit']}, seed {results['seed']}, {results['machine']}. `digits` has 300 test files "
             "(one is 0.33 points), `har` 2,996 windows; the model is picked on the validation split alone. "
             "Calibration: minmax, 256 training sequences, compensated rounding. Made by "
             "`tools/reproduce_digits_har.py`; `digits-har.json` has every command.", "",
             "Where there are three values they are int8 with a scale a row / int8 per tensor / int4.", "",
             "| model | float % | int8 % | per tensor % | int4 % | file, of float | last hidden state, dB |",
             "|---|---|---|---|---|---|---|"]
    for row in results["rows"]:
        decibels = by_scheme(row, lambda part: ", ".join(f"{value:.1f}" for value in part["last_hidden_db"].values()))
        accuracies = " | ".join(f"{row[scheme]['accuracy']:.2f}" for scheme in SCHEMES)
        ratios = by_scheme(row, lambda part: f"{part['bytes_ratio']:.3f}")
        command = row["train"].removeprefix("quaver train ").split(" --seed")[0]
        lines.append(f"| `{command}` | {row['float_accuracy']:.2f} | {accuracies} | {ratios} | {decibels} |")
    lines += ["", "Forward and reverse have a comma between them. All integer models have `float_ops: "
              f"{max(row[s]['float_ops'] for row in results['rows'] for s in SCHEMES)}`.", "",
              "Calibration methods on `digits_gru`, last hidden state in dB and accuracy:", "",
              "| " + " | ".join(m["method"] for m in results["methods"]) + " |",
              "|" + "---|" * len(results["methods"]),
              "| " + " | ".join(by_scheme(m, lambda part: f"{part['db']:.1f}, {part['accuracy']:.2f} %")
                                for m in results["methods"]) + " |", "",
              f"Drift: root mean square error of the hidden state near step 1000 over that near step 100, "
              f"{DRIFT_SEQUENCES} streams of slow noise with the features' mean and deviation, inside the calibrated "
              "range: "
              + "; ".join(f"`{d['model']}` {by_scheme(d, lambda part: format(part['ratio'], '.2f'))}"
                          for d in results["drift"]) + ".", ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quaver", type=pathlib.Path, default=pathlib.Path("build/release/quaver"))
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/digits-har"))
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/results"))
    parser.add_argument("--machine", default="2 cores, shared; Debian 12", help="kind of machine, for the record")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    runner = Runner(arguments.quaver, arguments.work, arguments.seed)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    results = {"what": "float, int8 and int4: test accuracy in percent, file bytes, SQNR of the last hidden state",
               "commit": commit.stdout.strip(), "seed": arguments.seed, "machine": arguments.machine,
               "rows": [row_of(runner, *model) for model in MODELS], "methods": [],
               "drift": [drift_of(runner, name) for name in DRIFT_MODELS]}
    for method in METHODS:
        entry = {"method": method}
        for scheme in SCHEMES:
            out, _, _ = runner.quantize("digits_gru", "digits", scheme, method)
            (point,) = runner.last_hidden("digits_gru", out, "digits:test")
            entry[scheme] = {"db": round(point["sqnr_last_db"], 2),
                             "accuracy": runner.run("eval", out, "digits")["value"]}
        results["methods"].append(entry)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "digits-har.json").write_text(json.dumps(results, indent=1) + "\n")
    (arguments.out / "digits-har.md").write_text(page_of(results))


if __name__ == "__main__":
    main()
