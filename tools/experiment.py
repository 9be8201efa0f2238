"""What the scripts of docs/results share: the program, whose answers are kept, and figures over several seeds."""
import json
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


def command_text(command):
    return "quaver " + " ".join(command)


def spread_text(values, digits):
    """Mean and sample deviation over the seeds; the value alone where there is but one seed."""
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} +- {statistics.stdev(values):.{digits}f}"
