#!/usr/bin/env python3
"""Trains, quantizes and judges a model of each task with its defaults: docs/results/tasks.{md,json}.

    python3 tools/reproduce_tasks.py [TASK ...] [--quaver build/release/quaver] [--work build/tasks] [--seeds 1 2 3]

Float and int8 on test, and beside them the predictors that need no network. Tasks that are not named keep what the JSON
has of them. Everything is kept in --work: what is there is not made again, so an interrupted run goes on where it
stopped; empty it when the program has changed. Standard library only.
"""
import json
import statistics

from experiment import Program, SeedModels, commit, cpu_text, flags_of, spread_text, write_results

TASKS = ["japanese_vowels", "ecg", "ett", "ett_all", "nab", "jsb", "nottingham", "shakespeare"]
SCHEME = "int8"
FIGURES = {  # as eval names them: heading, digits, whether differences are points
    "accuracy": ("accuracy, %", 2, True),
    "macro_f1": ("macro F1, %", 2, True),
    "mse": ("mean squared error", 4, False),
    "nats_per_frame": ("nats a frame", 3, False),
    "bits_per_character": ("bits a character", 3, False),
    "nab_score": ("NAB score", 2, True),
}


def evaluated(models, task, model, more=()):
    answer = models.program.kept(f"{model}.eval", "eval", model, task, *more)
    others = {name: value for name, value in answer["others"].items() if name in FIGURES}
    return {answer["metric"]: answer["value"], **others}, answer


def row_of(models, task):
    command, trained = models.train(task, task)
    quantized, quantize, made = models.quantize(task, task, SCHEME)
    of_float, answer = evaluated(models, task, models.file_of(task), ["--controls"])
    of_codes, _ = evaluated(models, task, quantized)
    return {"seed": models.seed, "train": command, "quantize": quantize, "cell": trained["cell"],
            "hidden": trained["hidden"], "epochs": trained["epochs"], "best_epoch": trained["best_epoch"],
            "train_seconds": round(trained["seconds"], 1), "validation": trained["validation"], "float": of_float,
            SCHEME: of_codes, "bytes": {"float": trained["bytes"], SCHEME: made["bytes"]}}, answer


def entry_of(seeds, task):
    """What the JSON has of a task."""
    made = [row_of(models, task) for models in seeds]
    answer = made[0][1]
    return {"task": task, "metric": answer["metric"], "n": answer["n"], "commit": commit(), "cpu": cpu_text(),
            "controls": answer["controls"], "rows": [row for row, _ in made]}


def figures_of(entry):
    """Names of the figures that a page shows of a task: what judges it, and a benchmark's own score."""
    return [entry["metric"], *(name for name in entry["rows"][0]["float"] if name == "nab_score")]


def change_text(figure, before, after):
    _, digits, in_points = FIGURES[figure]
    if in_points:
        return f"{after - before:+.{digits}f} points"
    return f"{100 * (after - before) / before:+.2f} %"


def control_value(control, figure, metric):
    """None where the control has no such figure."""
    return control.get("value") if figure == metric else control.get("others", {}).get(figure)


def ahead_of(entry, figure):
    """The control that is further ahead of the float networks' mean than any other, and its value; None: there is none."""
    higher_is_better = FIGURES[figure][2]
    values = {control["name"]: control_value(control, figure, entry["metric"]) for control in entry["controls"]}
    values = {name: value for name, value in values.items() if value is not None}
    mean = statistics.fmean(row["float"][figure] for row in entry["rows"])
    if not values:
        return None
    best = (max if higher_is_better else min)(values, key=values.get)
    return (best, values[best]) if (values[best] > mean) == higher_is_better else None


def ahead_text(entries):
    ahead = []
    for entry in entries:
        for figure in figures_of(entry):
            heading, digits, _ = FIGURES[figure]
            if control := ahead_of(entry, figure):
                ahead.append(f"`{entry['task']}` ({heading}): {control[0]}, {control[1]:.{digits}f}")
    if not ahead:
        return "No control is ahead of a network."
    return "**A control is ahead of the network** on " + "; ".join(ahead) + "."


def page_of(entries):
    lines = ["# Every task with its defaults, in float and int8", "",
             "`python3 tools/reproduce_tasks.py TASK` makes a row, `make results` all of them: `quaver train TASK --seed N`, "
             "`quaver quantize --scheme int8 --calib TASK:train`, `quaver eval`. Test, mean +- deviation over the seeds; "
             "a model is picked on validation alone; so were the recipes, whose tries showed test too. Controls need no network "
             "(`quaver eval --controls`). `tasks.json` has every command and every seed.", "",
             "| task | figure | float | int8 | int8 - float | controls |", "|---|---|---|---|---|---|"]
    for entry in entries:
        for figure in figures_of(entry):
            heading, digits, _ = FIGURES[figure]
            of_float, of_codes = ([row[scheme][figure] for row in entry["rows"]] for scheme in ("float", SCHEME))
            change = change_text(figure, statistics.fmean(of_float), statistics.fmean(of_codes))
            values = [(control["name"], control_value(control, figure, entry["metric"])) for control in entry["controls"]]
            controls = [f"{name} {value:.{digits}f}" for name, value in values if value is not None]
            lines.append(f"| `{entry['task']}` | {heading} | {spread_text(of_float, digits)} | "
                         f"{spread_text(of_codes, digits)} | {change} | "
                         f"{', '.join(controls)} |")
    lines += ["", ahead_text(entries)]
    lines += ["", "| task | network | epochs | seconds to train | bytes, float | bytes, int8 | seeds | commit | CPU |",
              "|---|---|---|---|---|---|---|---|---|"]
    for entry in entries:
        rows = entry["rows"]
        lines.append(f"| `{entry['task']}` | {rows[0]['cell']}, hidden {rows[0]['hidden']} | "
                     f"{', '.join(str(row['epochs']) for row in rows)} | "
                     f"{', '.join(format(row['train_seconds'], '.0f') for row in rows)} | {rows[0]['bytes']['float']} | "
                     f"{rows[0]['bytes'][SCHEME]} | {', '.join(str(row['seed']) for row in rows)} | {entry['commit']} | "
                     f"{entry['cpu']} |")
    return "\n".join([*lines, ""])


def main():
    parser = flags_of(__doc__, "build/tasks")
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"of {', '.join(TASKS)}; none: all")
    arguments = parser.parse_args()
    for task in arguments.tasks:
        if task not in TASKS:
            parser.error(f"unknown task '{task}', expected {', '.join(TASKS)}")
    program = Program(arguments.quaver, arguments.work)
    seeds = [SeedModels(program, seed, arguments.threads) for seed in arguments.seeds]
    record = arguments.out / "tasks.json"
    entries = {entry["task"]: entry for entry in json.loads(record.read_text())["tasks"]} if record.exists() else {}
    for task in arguments.tasks or TASKS:
        entries[task] = entry_of(seeds, task)
        ordered = [entries[name] for name in TASKS if name in entries]
        write_results(arguments.out, "tasks",
                      {"what": "test figures of every task, float and int8, with the defaults of train", "tasks": ordered},
                      page_of(ordered))


if __name__ == "__main__":
    main()
