#!/usr/bin/env python3
"""Counts which codes of x and h stay from a step to the next in trained int8 models, and what a step that skips them
would gain: docs/results/delta.{md,json}.

    python3 tools/unchanged_codes.py [MODEL ...] [--quaver build/release/quaver] [--work build/tasks] [--seeds 1 2 3]
        [--counter build/release/tests/count_unchanged_codes] [--sequences 64]

A model that lies in --work, where tools/reproduce_tasks.py leaves its own, is not trained again. Times are taken on one
thread, and only their ratios are used. Standard library only.
"""
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

from experiment import Program, SeedModels, commit, cpu_text, flags_of, write_results

MODELS = {  # name: task, flags of train
    "har_lstm": ("har", ["--cell", "lstm", "--epochs", "8"]),
    "har_gru": ("har", ["--cell", "gru", "--epochs", "8"]),
    "digits_lstm": ("digits", ["--cell", "lstm", "--epochs", "8"]),
    "digits_gru": ("digits", ["--cell", "gru", "--epochs", "8"]),
    **{task: (task, []) for task in ("japanese_vowels", "ecg", "ett", "ett_all", "nab", "jsb", "nottingham",
                                     "shakespeare")},
}
SCHEME = "int8"
GROUP = 4  # columns
LARGE = (512, 1024)  # units that the counts are carried over to, of the same inputs
WORTH = 1.15  # a whole step's gain from which on such a step is built

# What a step executes. of_group: instructions for a group of four columns in a block of units, on AVX2 by the counts of
# docs/results/instructions.json, on AVX-512 the loads, products and loop of the source. What skipping costs is set low:
# of_change: more for a group that changes, whose place is read from a list; of_comparison: for a group, once a step, of
# comparing, subtracting, finding wide differences and writing the list, in vectors. Kept sums cost a store a register and
# half beside, for their loads take the place of the bias's.
PATHS = {
    "avx2": {"block": 16, "lanes": 8, "of_group": {"lstm": 44, "gru": 34}, "of_change": 1, "of_comparison": 5},
    "avx512vnni": {"block": 32, "lanes": 16, "of_group": {"lstm": 10.5, "gru": 8.5}, "of_change": 1,
                   "of_comparison": 2.5},
}
GATES = {"lstm": 4, "gru": 3}


def groups_of(columns):
    return math.ceil(columns / GROUP)


def products_left(counts):
    """Of a half's products, over those of a whole step: of groups that change, twice of wide ones."""
    groups = counts["groups"]
    return 1 - (groups["unchanged"] - groups["wide"]) / groups["all"]


def step_us(program, path, cell, hidden, inputs):
    command = [program.quaver, "bench", "--cell", cell, "--hidden", str(hidden), "--input-size", str(inputs), "--frames",
               "codes", "--json"]
    done = subprocess.run(command, env={**os.environ, "QUAVER_FORCE_ISA": path}, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"quaver bench ended with {done.returncode}; does this CPU have {path}?")
    return json.loads(done.stdout)["results"][0]["least_us"]


class StepTimes:
    """What a group of columns takes, and a step of one group of x, in us: measured once a path, cell and units."""

    def __init__(self, program):
        self.program, self.measured = program, {}

    def of(self, path, cell, hidden):
        key = path, cell, hidden
        if key not in self.measured:
            few, many = (step_us(self.program, *key, columns) for columns in (GROUP, GROUP + hidden))
            self.measured[key] = (many - few) / groups_of(hidden), few
        return self.measured[key]

    def products(self, path, cell, hidden, inputs):
        """Their share of a step. Where nothing but products takes time, noise may make more than all of it."""
        of_group, few = self.of(path, cell, hidden)
        return min(of_group * (groups_of(inputs) + groups_of(hidden)) / (few + of_group * (groups_of(inputs) - 1)), 1)


def half_left(path, cell, hidden, columns, left):
    """What is left of a half that skips, over a whole one, with the overhead."""
    costs = PATHS[path]
    of_group, blocks = costs["of_group"][cell], math.ceil(hidden / costs["block"])
    registers = GATES[cell] * costs["block"] // costs["lanes"]
    return (left * (1 + costs["of_change"] / of_group) + registers / (groups_of(columns) * of_group) +
            costs["of_comparison"] / (blocks * of_group))


def prediction(times, path, cell, row, hidden):
    """gain: time of a whole step over that of one whose halves skip where that takes less."""
    columns = {"x": row["x"]["columns"], "h": hidden}
    groups = sum(groups_of(count) for count in columns.values())
    products = times.products(path, cell, hidden, columns["x"])
    time, skip = 1, []
    for half, count in columns.items():
        left = half_left(path, cell, hidden, count, products_left(row[half]))
        if left < 1:
            skip.append(half)
            time -= products * (1 - left) * groups_of(count) / groups
    return {"products": products, "halves": skip, "gain": 1 / time}


def count(program, counter, file, task, sequences):
    done = subprocess.run([counter.resolve(), file, task, "test", str(sequences)], cwd=program.work, stdout=subprocess.PIPE,
                          text=True)
    if done.returncode != 0:
        sys.exit(f"{counter} ended with {done.returncode}")
    return json.loads(done.stdout)


def rows_of(program, seeds, counter, name, sequences, times):
    task, flags = MODELS[name]
    rows = []
    for models in seeds:
        command, trained = models.train(name, task, flags)
        file, quantize, _ = models.quantize(name, task, SCHEME)
        counted = count(program, counter, file, task, sequences)
        for row in counted["rows"]:
            cell, units = trained["cell"], (row["h"]["columns"], *LARGE)
            rows.append({"model": name, "seed": models.seed, "train": command, "quantize": quantize, "cell": cell,
                         "sequences": counted["sequences"], **row,
                         "predicted": [{path: prediction(times, path, cell, row, hidden) for path in PATHS}
                                       for hidden in units]})
    return rows


def mean_of(rows, value):
    return statistics.fmean(value(row) for row in rows)


def percent(value):
    return f"{100 * value:.1f}"


def share(counts, order, kind):
    return counts[order][kind] / counts[order]["all"]


def count_line(name, rows):
    first = rows[0]
    shares = [percent(mean_of(rows, lambda row: value(row[point]))) for point in "xh" for value in (
        lambda counts: counts["unchanged_codes"] / counts["codes"],
        lambda counts: share(counts, "groups", "unchanged"),
        lambda counts: share(counts, "sorted_groups", "unchanged"),
        lambda counts: share(counts, "groups", "wide"))]
    del shares[2]  # an order of inputs is the data's
    return (f"| `{name}` | {first['cell']} {first['h']['columns']}, inputs {first['x']['columns']} | "
            f"{sum(row['h']['steps'] for row in rows)} | {' | '.join(shares)} |")


def gain_line(name, rows):
    cells = [percent(mean_of(rows, lambda row: products_left(row[half]))) for half in "xh"]
    for at in range(1 + len(LARGE)):
        for path in PATHS:
            found = [row["predicted"][at][path] for row in rows]
            gain, products = mean_of(found, lambda of: of["gain"]), mean_of(found, lambda of: of["products"])
            halves = "".join(half for half in "xh" if any(half in of["halves"] for of in found)) or "none"
            text = f"{gain:.2f} ({100 * products:.0f}, {halves})"
            cells.append(f"**{text}**" if gain >= WORTH else text)
    return f"| `{name}` | {' | '.join(cells)} |"


def best_text(by_name):
    """The row, shape and path that gain most, and whether that is worth it."""
    shapes = ("as trained", *(f"at {units}" for units in LARGE))
    gains = {f"`{name}` {shape}, {path}": mean_of(rows, lambda row: row["predicted"][at][path]["gain"])
             for name, rows in by_name.items() for at, shape in enumerate(shapes) for path in PATHS}
    best = max(gains, key=gains.get)
    reached = sum(value >= WORTH for value in gains.values())
    return f"{reached} of {len(gains)} reach {WORTH}; the most is {gains[best]:.2f}, {best}."


def page_of(results):
    by_name = {}
    for row in results["rows"]:
        by_name.setdefault(f"{row['model']} {row['node']}", []).append(row)
    lines = ["# Codes that stay from a step to the next", "",
             f"`{results['command']}`: commit {results['commit']}, seeds {', '.join(map(str, results['seeds']))}, "
             f"{results['cpu']}, shared with other work. Scheme int8, up to {results['sequences']} sequences of test; "
             "`delta.json` has every count and command. Means over the seeds.", "",
             "Shares in %. Groups: of four columns that follow each other, which a product reads at once; of h also with "
             "units sorted by how often they stay on these very data, which flatters. Wide: groups with a difference that "
             "no int8 holds, which take two products.", "",
             "| model, node | layer | steps | x: codes that stay | groups | wide | h: codes that stay | groups | sorted | wide |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    lines += [count_line(name, rows) for name, rows in by_name.items()]
    lines += ["", "Predicted: time of a whole step over that of one that skips, one step a call; a half, W x or R h, skips only "
              "where that takes less. Left: products that remain, % of all, in the trained order. In brackets: what all "
              "products are of a step, %, by what more columns of x cost (100 where those push weights out of a cache, which "
              "flatters), and the halves that skip. What comparing, listing and keeping cost is in `PATHS` of "
              "`tools/unchanged_codes.py`. 512 and 1024 units: the same inputs, with the "
              f"shares of the model. Bold: from {WORTH} on.", "",
              "| model, node | left of x | of h | " +
              " | ".join(f"{units}, {path}" for units in ("as trained", *LARGE) for path in PATHS) + " |",
              "|---|---|---|" + "---|" * (len(PATHS) * (1 + len(LARGE)))]
    lines += [gain_line(name, rows) for name, rows in by_name.items()]
    return "\n".join([*lines, "", best_text(by_name), ""])


def main():
    parser = flags_of(__doc__, "build/tasks")
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(MODELS)}; none: all")
    parser.add_argument("--counter", type=pathlib.Path, default=pathlib.Path("build/release/tests/count_unchanged_codes"))
    parser.add_argument("--sequences", type=int, default=64, help="of each model's test split at most; 0: all")
    arguments = parser.parse_args()
    for name in arguments.models:
        if name not in MODELS:
            parser.error(f"unknown model '{name}', expected {', '.join(MODELS)}")
    if not arguments.counter.exists():
        parser.error(f"{arguments.counter} is not there; cmake --build --preset release --target count_unchanged_codes")
    program = Program(arguments.quaver, arguments.work)
    times, seeds = StepTimes(program), [SeedModels(program, seed, arguments.threads) for seed in arguments.seeds]
    names = arguments.models or list(MODELS)
    rows = [row for name in names
            for row in rows_of(program, seeds, arguments.counter, name, arguments.sequences, times)]
    seeds_text = " ".join(map(str, arguments.seeds))
    results = {"what": "codes of x and h that stay from a step to the next, and what skipping them would gain",
               "command": f"python3 tools/unchanged_codes.py {' '.join([*arguments.models, '--seeds', seeds_text])}",
               "commit": commit(), "cpu": cpu_text(), "seeds": arguments.seeds, "sequences": arguments.sequences,
               "rows": rows}
    write_results(arguments.out, "delta", results, page_of(results))


main()
