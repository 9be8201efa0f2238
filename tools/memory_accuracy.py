#!/usr/bin/env python3
"""How many facts a memory network can be told and still answer, by what it was trained with: docs/results/memory-accuracy.

    python3 tools/memory_accuracy.py [--quaver build/release/quaver] [--work build/memory-accuracy]

Task 1 of bAbI, made here in its format (people walk between rooms; "Where is Mary?"), told as stories of so many facts.
Networks learn from short stories, as bAbI's are, or from longer ones, in float and in Q-MANN's fixed point; the float
ones are quantized. Everything is kept in --work: what is there is not trained again. Standard library only.
"""
import argparse
import json
import pathlib
import random

from experiment import Program, command_text

PEOPLE = ["Mary", "John", "Sandra", "Daniel"]
ROOMS = ["bathroom", "bedroom", "garden", "hallway", "kitchen", "office"]
MOVES = ["moved to", "went to", "went back to", "journeyed to", "travelled to"]
FILES = pathlib.Path("babi/tasks_1-20_v1-2/en-10k")  # where `quaver train babi` looks below the data folder

TRAININGS = [  # name, most facts of a story, memory of the network, flags of train
    ("short", 10, 50, []),
    ("filled", 50, 50, []),
    ("long", 200, 200, []),
    ("long-one-hop", 200, 200, ["--hops", "1"]),
    ("short-qmann8", 10, 50, ["--scheme", "qmann8", "--integer-only", "true"]),
    ("long-qmann8", 200, 200, ["--scheme", "qmann8", "--integer-only", "true"]),
]
SCHEMES = ["int8", "fixed8-calibrated"]  # of the float networks
TRAIN_QUESTIONS = 4000
FACTS = [10, 50, 200, 1000, 10000]
TEST_QUESTIONS = 200


def story(source, facts):
    """Lines of a story and where everybody is at its end."""
    lines, rooms = [], {}
    for _ in range(facts):
        person = source.choice(PEOPLE)
        room = source.choice([room for room in ROOMS if room != rooms.get(person)])
        rooms[person] = (room, len(lines) + 1)
        lines.append(f"{len(lines) + 1} {person} {source.choice(MOVES)} the {room}.")
    return lines, rooms


def stories(seed, questions, facts_of):
    """Text in bAbI's format: every story ends with a question about each person that it told of."""
    source, lines, asked = random.Random(seed), [], 0
    while asked < questions:
        told, rooms = story(source, facts_of(source))
        for person in sorted(rooms):
            if asked < questions:
                room, line = rooms[person]
                told.append(f"{len(told) + 1} Where is {person}? \t{room}\t{line}")
                asked += 1
        lines += told
    return "\n".join(lines) + "\n"


def networks(program, name, most, memory, flags, seed):
    """(scheme, file, commands) of what comes of one training."""
    data = f"{name}.data"
    folder = program.work / data / FILES
    folder.mkdir(parents=True, exist_ok=True)
    for split, source in (("train", 2 * seed), ("test", 2 * seed + 1)):
        (folder / f"qa1_single-supporting-fact_{split}.txt").write_text(
            stories(source, TRAIN_QUESTIONS, lambda random_source: random_source.randint(2, most)))
    trained = f"{name}.safetensors"
    task = ["babi", "--tasks", "1", "--data", data]
    train = ["train", *task, "--memory", str(memory), *flags, "--seed", str(seed), "-o", trained]
    program.kept(f"{name}.train", *train)
    if "--scheme" in flags:
        return [(flags[flags.index("--scheme") + 1], trained, [command_text(train)])]
    found = [("f32", trained, [command_text(train)])]
    for scheme in SCHEMES:
        quantize = ["quantize", trained, "--scheme", scheme, "--calib", *task, "-o", f"{name}.{scheme}.safetensors"]
        program.run(*quantize)
        found.append((scheme, quantize[-1], [command_text(train), command_text(quantize)]))
    return found


def right(program, network, facts, seed):
    """How many questions are answered right, and how many were asked."""
    text = program.work / f"facts{facts}.txt"
    text.write_text(stories(1000 + seed, TEST_QUESTIONS, lambda _: facts))
    answered = program.run("run", network, "--memory", str(facts), "--input", text.name)["questions"]
    return sum(question["answer"] == question["expected"] for question in answered), len(answered)


def page_of(results):
    lines = ["# Accuracy against the number of facts", "",
             f"Task 1 of bAbI, made by `tools/memory_accuracy.py`, which writes this page; {TEST_QUESTIONS} questions a "
             f"number of facts, seed {results['seed']}; {TRAIN_QUESTIONS} questions of training. Percent right; one room "
             f"of {len(ROOMS)} at random is {100 / len(ROOMS):.0f}.", "",
             "| trained with stories of | memory | hops | scheme | " + " | ".join(f"{facts:,} facts" for facts in FACTS) + " |",
             "|---|---|---|---|" + "---|" * len(FACTS)]
    for row in results["rows"]:
        values = " | ".join(f"{100 * part['right'] / part['n']:.1f}" for part in row["facts"])
        lines.append(f"| up to {row['longest_story']} facts | {row['memory']} | {row['hops']} | `{row['scheme']}` | {values} |")
    return "\n".join(lines + [""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quaver", type=pathlib.Path, default=pathlib.Path("build/release/quaver"))
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/memory-accuracy"))
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/results"))
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    program = Program(arguments.quaver, arguments.work)
    rows = []
    for name, most, memory, flags in TRAININGS:
        for scheme, network, commands in networks(program, name, most, memory, flags, arguments.seed):
            counts = [dict(zip(("facts", "right", "n"), (facts, *right(program, network, facts, arguments.seed))))
                      for facts in FACTS]
            hops = int(flags[flags.index("--hops") + 1]) if "--hops" in flags else 3
            rows.append({"training": name, "longest_story": most, "memory": memory, "hops": hops, "scheme": scheme,
                         "commands": commands, "facts": counts})
    results = {"what": "right answers by the number of facts, task 1", "seed": arguments.seed, "rows": rows}
    (arguments.out / "memory-accuracy.json").write_text(json.dumps(results, indent=1) + "\n")
    (arguments.out / "memory-accuracy.md").write_text(page_of(results))


if __name__ == "__main__":
    main()
