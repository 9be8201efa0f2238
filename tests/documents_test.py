#!/usr/bin/env python3
"""What the documents name exists: verbs and flags of the program, make targets, files, and names in the sources.

    python3 tests/documents_test.py build/release/quaver      (ctest: documents)

Read are README.md, CONTRIBUTING.md, CHANGELOG.md, docs/ and tools/peers/README.md, and there what stands between
backticks, in blocks that are indented or fenced, and behind links:

    quaver VERB ... --flag      the verb, and the flag in what `quaver VERB --help` prints
    --flag alone                in the help of some verb, or in a script of tools/
    python3 SCRIPT ... --flag   the script, and the flag in its text
    make TARGET ...             the Makefile
    src/quaver/npz/npz.h         a path in the tree, below src/quaver, docs and the like too; <k>, NAME and * stand for
                                any name, docs/results/bench for what begins so
    fn(), A::b, kName, QUAVER_X the word in a source

What belongs to others is listed in FOREIGN. Standard library only.
"""
import functools
import pathlib
import re
import shlex
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = pathlib.Path("build/release/quaver")
# Below these a document may leave the folder away: "kernels/matvec/", "quaver/quaver.h", "layers.txt".
BASES = ["", "src", "src/quaver", "docs", "tests", "tests/support", "apps/quaver", "tools", "tools/peers",
         "cells"]
SOURCES = [path for folder in ("src", "apps", "tests", "tools", "examples", "fuzz", "cmake")
           for path in sorted((ROOT / folder).rglob("*"))
           if path.suffix in {".h", ".cc", ".inc", ".py", ".txt", ".cmake"} and path != pathlib.Path(__file__).resolve()]
SOURCES += [ROOT / "CMakeLists.txt", ROOT / "Makefile", ROOT / "CMakePresets.json", ROOT / ".ci/run"]
EXTENSIONS = r"\.(?:h|cc|inc|md|py|txt|cmake|toml)"

# Names of others that the documents cite.
FOREIGN = {
    "code/kernels/rnn_problems.h",  # DeepBench
    "plays.txt",  # a reader's own text
    "rnnt.toml",  # MLPerf inference
    "DTLN_model.py",  # breizhn/DTLN
    "src/silero_vad/tinygrad_model.py",  # snakers4/silero-vad
    "train_commands.txt",  # ARM-software/ML-KWS-for-MCU
    "src/layers/nnom_gru_cell.c",  # majianjia/nnom
    "LSTMCell",  # tinygrad
    "std", "torch", "nn",  # namespaces
}


@functools.cache
def words_of_sources():
    return set(re.findall(r"\w+", "\n".join(path.read_text() for path in SOURCES)))


@functools.cache
def make_targets():
    makefile = (ROOT / "Makefile").read_text()
    lines = re.findall(r"^([a-z][a-z -]*):(?!=)", makefile, re.MULTILINE)
    return {target for line in lines for target in line.split()}


@functools.cache
def help_of(verb):
    """Flags that a verb knows; none for a word that is no verb."""
    done = subprocess.run([PROGRAM, *([verb] if verb else []), "--help"], capture_output=True, text=True, timeout=60)
    return frozenset(re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", done.stdout)) if done.returncode == 0 else frozenset()


@functools.cache
def verbs():
    done = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, timeout=60, check=True)
    return {word for word in re.findall(r"^ +([a-z]+)\b", done.stdout, re.MULTILINE) if help_of(word)}


@functools.cache
def known_flags():
    """By verb, and by script of tools/."""
    flags = {verb: help_of(verb) for verb in ["", *verbs()]}
    for script in (ROOT / "tools").rglob("*.py"):
        flags[script] = set(re.findall(r"--[a-z][a-z0-9-]*", script.read_text()))
    return flags


def flags_in(words):
    found = [re.match(r"\[?(--[a-z][a-z0-9-]*[a-z0-9]|-[a-z])(?![\w-])", word) for word in words]
    return [match.group(1) for match in found if match]


def wrong_in_commands(code):
    """What is wrong in the commands of one line or span of code. What no command has said is left of it."""
    wrong, rest = [], code
    for command in re.findall(r"(?:^|(?<=[|;&($] )|(?<=/))quaver [a-zA-Z-][^|;&)]*", code):
        rest = rest.replace(command, " ")
        try:
            words = shlex.split(command)
        except ValueError:  # an apostrophe
            words = command.split()
        verb = words[1]
        if verb in ("--help", "--version", "VERB"):
            continue
        if verb not in verbs():
            wrong.append(f"quaver has no verb '{verb}'")
            continue
        words = words[:words.index("#")] if "#" in words else words
        wrong += [f"quaver {verb} has no flag {flag}" for flag in flags_in(words[2:]) if flag not in help_of(verb)]
    for script, arguments in re.findall(r"python3 +(\S+\.py)([^|;&]*)", code):
        rest = rest.replace(arguments, " ")
        if not (ROOT / script).exists():
            wrong.append(f"there is no script {script}")
        elif not script.endswith("peer.py"):
            text = (ROOT / script).read_text()
            wrong += [f"{script} has no flag {flag}" for flag in flags_in(arguments.split()) if flag not in text]
    for arguments in re.findall(r"(?:^|(?<=[|;&(] ))make +([^|;&#)]*)", code):
        wrong += [f"the Makefile has no target {word}" for word in arguments.split()
                  if re.fullmatch(r"[a-z][a-z-]*", word) and word not in make_targets()]
    if re.match(r"\s*(git|pip|ctest|perf|apt|apt-get|debootstrap|cmake|\S*/pip)\b", rest):
        return wrong
    flags = {flag for flag in flags_in(rest.split()) if flag.startswith("--")}
    unknown = sorted(flags - set().union(*known_flags().values()))
    wrong += [f"no verb has a flag {flag}" for flag in unknown]
    if not unknown and not any(flags <= known for known in known_flags().values()):
        wrong.append(f"no verb has all of {', '.join(sorted(flags))}")
    return wrong


def exists(token, folder):
    pattern = re.sub(r"<\w+>|(?<![A-Z])(?!README|CHANGELOG|CONTRIBUTING|LICENSE)[A-Z]{4,}", "*", token.rstrip("/"))
    pattern = re.sub(r"\{([^{},]*),[^{}]*\}", r"\1", pattern)
    return any(next(iter(base.glob(form)), None) for base in [folder, *(ROOT / base for base in BASES)]
               for form in (pattern, pattern + ".*"))


def wrong_paths(code, folder):
    wrong = []
    for token in re.findall(r"[\w.<>*{},/-]+", code):
        token = token.strip(".,").removesuffix("/*")
        if token in FOREIGN or token.startswith(("/", "../", "~", "build/", "-")) or token.endswith("-"):
            continue
        first = token.split("/")[0]
        known_folder = "/" in token and len(token) > len(first) + 1 and any(
            first and (ROOT / base / first).is_dir() for base in BASES)
        if not known_folder and not re.search(EXTENSIONS + "$", token):
            continue
        bare = "/" not in token and any(re.fullmatch(re.sub(r"<\w+>", r"\\w+", token).replace("*", ".*"), path.name)
                                        for path in SOURCES)
        if not bare and not exists(token, folder):
            wrong.append(f"there is no {token}")
    return wrong


def wrong_names(code):
    names = re.findall(r"\b(\w+)\(", code) if re.fullmatch(r"[\w:.]+\([^)]*\)", code) else []
    names += [part for name in re.findall(r"\b[A-Za-z_]\w*(?:::\w+)+", code) for part in name.split("::")]
    names += re.findall(r"\b(?:k[A-Z]\w+|QUAVER_[A-Z_]+)\b", code)
    return [f"no source has the name {name}" for name in names
            if name not in words_of_sources() | FOREIGN]


def code_of(text):
    """(line number, code) of every span between backticks and every line of a block, and (line number, target) of
    links."""
    codes, links, prose, fenced = [], [], [], False
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            fenced = not fenced
            prose.append("")
        elif fenced or (line.startswith("    ") and not re.match(r"    +[-*] ", line)):
            codes.append((number, line.strip()))
            prose.append("")
        else:
            prose.append(line)
    joined = "\n".join(prose)
    for span in re.finditer(r"`([^`]+)`", joined):
        codes.append((joined.count("\n", 0, span.start()) + 1, " ".join(span.group(1).split())))
    for link in re.finditer(r"\]\(([^)#:]*[./][^)#:]*)\)", joined):
        links.append((joined.count("\n", 0, link.start()) + 1, link.group(1)))
    return codes, links


def wrong_in_text(text, folder):
    """(line number, what is wrong) of a document in this folder."""
    codes, links = code_of(text)
    found = [(number, what) for number, code in codes
             for what in wrong_in_commands(code) + wrong_paths(code, folder) + wrong_names(code)]
    found += [(number, f"the link {target} leads nowhere") for number, target in links
              if not (folder / target).exists()]
    return sorted(found, key=lambda place: place[0])


class Documents(unittest.TestCase):
    def test_name_only_what_exists(self):
        documents = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tools/peers/README.md")]
        documents += sorted((ROOT / "docs").rglob("*.md"))
        self.assertGreater(len(documents), 20)
        found = [f"{document.relative_to(ROOT)}:{number}: {what}" for document in documents
                 for number, what in wrong_in_text(document.read_text(), document.parent)]
        self.assertEqual(found, [], "\n" + "\n".join(found))


class TheChecks(unittest.TestCase):
    """The checks find what is wrong, in every form, and nothing in what is right."""

    def wrong(self, text):
        return [what for _, what in wrong_in_text(text, ROOT)]

    def test_commands(self):
        self.assertEqual(self.wrong("    quaver trian digits"), ["quaver has no verb 'trian'"])
        self.assertEqual(self.wrong("`quaver train digits --hiden 4`"), ["quaver train has no flag --hiden"])
        self.assertEqual(self.wrong("```\nx | build/release/quaver eval --epochs 3\n```"),
                         ["quaver eval has no flag --epochs"])
        self.assertEqual(self.wrong("`quaver train\ndigits --hidden 4 -o x`; `quaver --version`, `--hidden 4`"), [])
        self.assertEqual(self.wrong("the flag `--hiden`"), ["no verb has a flag --hiden"])
        self.assertEqual(self.wrong("`--epochs 3 --repetitions 4`"), ["no verb has all of --epochs, --repetitions"])
        self.assertEqual(self.wrong("    python3 tools/check_layers.py --fix"), ["tools/check_layers.py has no flag --fix"])
        self.assertEqual(self.wrong("`python3 tools/no.py`"), ["there is no script tools/no.py", "there is no tools/no.py"])

    def test_targets(self):
        self.assertEqual(self.wrong("    make tset   # every test"), ["the Makefile has no target tset"])
        self.assertEqual(self.wrong("    make test lint JOBS=2"), [])

    def test_paths(self):
        self.assertEqual(self.wrong("`src/quaver/io/nqz.h` and `io/nqz.h`"),
                         ["there is no src/quaver/io/nqz.h", "there is no io/nqz.h"])
        self.assertEqual(self.wrong("`nqz.h`, [x](docs/nothing.md)"),
                         ["there is no nqz.h", "the link docs/nothing.md leads nowhere"])
        self.assertEqual(self.wrong("`npz/npz.h`, `npz.h`, `kernels/<k>/scalar.cc`, `out.npz`, `peer_NAME.py`, "
                                    "`docs/results/bench`, [x](docs/bench.md)"), [])

    def test_names(self):
        self.assertEqual(self.wrong("`Session::leap` of `kMissing`, `quite_absent()`"),
                         ["no source has the name leap", "no source has the name kMissing",
                          "no source has the name quite_absent"])
        self.assertEqual(self.wrong("`Session::step`, `QUAVER_FORCE_ISA`, `validate()`"), [])


if __name__ == "__main__":
    PROGRAM = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else ROOT / PROGRAM).resolve()
    unittest.main()
