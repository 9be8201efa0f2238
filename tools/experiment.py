"""What the scripts of docs/results share: the program, whose answers are kept, the models of a seed, flags, and figures
over several seeds."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys


class Program:
    """quaver, run in a folder of work."""

    def __init__(self, quaver, work):
        self.quaver, self.work = quaver.resolve(), work
        work.mkdir(parents=True, exist_ok=True)

    def run(self, *command, more=()):
        """The JSON that a verb prints. Its command goes to the terminal, and what it says beside, warnings too. `more`
        flags change no result."""
        print("quaver", *command, file=sys.stderr, flush=True)
        done = subprocess.run([self.quaver, *command, *more, "--json"], cwd=self.work, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"quaver {command[0]} ended with {done.returncode}")
        return json.loads(done.stdout)

    def kept(self, name, *command, more=()):
        """The same, from the file NAME.json where it was run before."""
        record = self.work / f"{name}.json"
        if not record.exists():
            answer = self.run(*command, more=more)
            whole = record.with_suffix(".part")
            whole.write_text(json.dumps(answer))
            whole.rename(record)
        return json.loads(record.read_text())


class SeedModels:
    """The models of one seed."""

    def __init__(self, program, seed, threads):
        self.program, self.seed, self.threads = program, seed, threads

    def file_of(self, name, *more):
        return ".".join([name, f"seed{self.seed}", *more, "safetensors"])

    def train(self, name, task, flags=()):
        """The command, without the threads on which no result depends, and the JSON of the training."""
        out = self.file_of(name)
        command = ["train", task, *flags, "--seed", str(self.seed), "-o", out]
        trained = self.program.kept(f"{name}.seed{self.seed}.train", *command, more=["--threads", str(self.threads)])
        return command_text(command), trained

    def quantize(self, name, task, scheme, flags=()):
        """The file, the command and the JSON."""
        out = self.file_of(name, scheme, *flags[1:])
        command = ["quantize", self.file_of(name), "--scheme", scheme, "--calib", f"{task}:train", *flags, "-o", out]
        return out, command_text(command), self.program.kept(f"{out}.quantize", *command)


def flags_of(description, work):
    """A parser of the flags that the scripts have in common."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quaver", type=pathlib.Path, default=pathlib.Path("build/release/quaver"))
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(work))
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/results"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=2, help="of the trainings; no result depends on it")
    return parser


def commit():
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def cpu_text():
    """The CPU's name and the number of its cores."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else 'unknown CPU'}, {os.cpu_count()} cores"


def write_results(folder, name, results, page):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / f"{name}.md").write_text(page)


def command_text(command):
    return "quaver " + " ".join(command)


def spread_text(values, digits):
    """Mean and sample deviation over the seeds; the value alone where there is but one seed."""
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} +- {statistics.stdev(values):.{digits}f}"
