#!/usr/bin/env python3
"""What the parts of a memory network are worth, on bAbI's small set: docs/results/memn2n-parts.{md,json}.

    python3 tools/reproduce_memn2n.py [--quaver build/release/quaver] [--work build/memn2n-parts] [--seeds 1 2 3]

Slots (empty facts beside those told), and quantization part by part. Set `en`: 1,000 training questions a task, 20
tasks. Everything is kept in --work: what is there is not trained again. Standard library only.
"""
from experiment import Program, command_text, flags_of, spread_text, write_results

SLOTS = [0, 50]
RECIPE_SLOTS = 50  # of --recipe memn2n
RANGED = ["--relative-similarity", "false"]
PARTS = [  # what, flags of quantize
    ("conventional fixed point, IWL 3", ["--scheme", "fixed8", "--integer-only", "true", "--integer-bits", "3"]),
    ("exact sums, IWL 3", ["--scheme", "fixed8-calibrated", *RANGED, "--shared-point", "true", "--truncation", "true",
                           "--integer-bits", "3"]),
    ("and rounding, IWL 3", ["--scheme", "fixed8-calibrated", *RANGED, "--shared-point", "true", "--integer-bits", "3"]),
    ("and rounding, IWL 5", ["--scheme", "fixed8-calibrated", *RANGED, "--shared-point", "true", "--integer-bits", "5"]),
    ("and a point a tensor", ["--scheme", "fixed8-calibrated", *RANGED]),
    ("that, truncated", ["--scheme", "fixed8-calibrated", *RANGED, "--truncation", "true"]),
    ("and relative similarities: `fixed8-calibrated`", ["--scheme", "fixed8-calibrated"]),
    ("real scales: `int8`", ["--scheme", "int8"]),
    ("real scales, similarities with a range", ["--scheme", "int8", *RANGED]),
]


class Networks:
    def __init__(self, program, threads):
        self.program, self.threads = program, threads

    def trained(self, slots, seed):
        """Command, name of the networks and the training's JSON."""
        name = f"slots{slots}.seed{seed}"
        command = ["train", "babi", "--set", "en", "--tasks", "all", "--slots", str(slots), "--seed", str(seed), "-o",
                   f"{name}.safetensors"]
        return command_text(command), name, self.program.kept(name, *command, more=["--threads", str(self.threads)])

    def part(self, number, flags, seed):
        """Command and mean validation error over the tasks of the quantized networks."""
        _, name, _ = self.trained(RECIPE_SLOTS, seed)
        out = f"part{number}.seed{seed}"
        command = ["quantize", f"{name}.safetensors", *flags, "--calib", "babi", "--set", "en", "--tasks", "all", "-o",
                   f"{out}.safetensors"]
        return command_text(command), self.program.run(*command)["validation"]


def page_of(results):
    seeds = ", ".join(map(str, results["seeds"]))
    lines = ["# What the parts of a memory network are worth", "",
             f"bAbI `en`, `--recipe memn2n`, seeds {seeds}; error in percent, mean of 20 tasks, +- its deviation over the "
             "seeds. Made by `tools/reproduce_memn2n.py`; `memn2n-parts.json` has every command.", "",
             "Slots: facts that every softmax sees at least.", "",
             "| slots | validation | test |", "|---|---|---|"]
    lines += [f"| {row['slots']} | {spread_text(row['validation'], 2)} | {spread_text(row['test'], 2)} |"
              for row in results["slots"]]
    lines += ["", f"Quantized after training ({RECIPE_SLOTS} slots), each row one part more:", "",
              "| arithmetic | validation |", "|---|---|", f"| float | {spread_text(results['float'], 2)} |"]
    lines += [f"| {row['what']} | {spread_text(row['validation'], 2)} |" for row in results["parts"]]
    return "\n".join([*lines, ""])


def main():
    arguments = flags_of(__doc__, "build/memn2n-parts").parse_args()
    networks = Networks(Program(arguments.quaver, arguments.work), arguments.threads)
    results = {"what": "bAbI en, error in percent, mean of 20 tasks", "seeds": arguments.seeds, "slots": [],
               "parts": []}
    for slots in SLOTS:
        trained = [networks.trained(slots, seed) for seed in arguments.seeds]
        results["slots"].append({"slots": slots, "commands": [command for command, _, _ in trained],
                                 "validation": [answer["validation"] for _, _, answer in trained],
                                 "test": [answer["value"] for _, _, answer in trained]})
    results["float"] = next(row["validation"] for row in results["slots"] if row["slots"] == RECIPE_SLOTS)
    for number, (what, flags) in enumerate(PARTS):
        parts = [networks.part(number, flags, seed) for seed in arguments.seeds]
        results["parts"].append({"what": what, "commands": [command for command, _ in parts],
                                 "validation": [error for _, error in parts]})
    write_results(arguments.out, "memn2n-parts", results, page_of(results))


if __name__ == "__main__":
    main()
