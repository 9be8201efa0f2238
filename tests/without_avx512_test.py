#!/usr/bin/env python3
"""tools/peers/without_avx512.py on a library that is compiled here: what is taken for cpuid, and what is answered.

Needs an x86-64 CPU, cc and objdump; no peer has to be installed.
"""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "tools" / "peers" / "without_avx512.py"
sys.path.insert(0, str(SCRIPT.parent))
import without_avx512  # noqa: E402: found by the line above

# One cpuid; its two bytes in a constant of an instruction, and twice in data.
LIBRARY = r"""
#include <cpuid.h>
void ask(unsigned leaf, unsigned subleaf, unsigned answer[4]) {
  __cpuid_count(leaf, subleaf, answer[0], answer[1], answer[2], answer[3]);
}
unsigned constant(void) { return 0xa20f1234u; }
const unsigned char bytes[4] = {0x0f, 0xa2, 0x0f, 0xa2};
void trap(void) { __builtin_trap(); }
"""
ASK = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
library.constant.restype = ctypes.c_uint
answer = (ctypes.c_uint * 4)()
for leaf, subleaf in (7, 0), (7, 1), (13, 0), (0, 0):
    library.ask(leaf, subleaf, answer)
    print(*answer)
print(library.constant(), *(ctypes.c_ubyte * 4).in_dll(library, "bytes"))
"""
# Of leaf 7, subleaf 0: what only AVX-512 has, and AVX2 and what came after it without AVX-512.
AVX512_EBX = 1 << 16 | 1 << 17 | 1 << 21 | 1 << 28 | 1 << 30 | 1 << 31
AVX_VNNI_EAX = 1 << 4


class WithoutAvx512(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.plain = self.compile("plain", LIBRARY)

    def compile(self, name, source):
        library = self.folder / f"{name}.so"
        command = ["cc", "-O2", "-shared", "-fPIC", "-x", "c", "-", "-o", library]
        subprocess.run(command, input=source, text=True, check=True)
        return library

    def venv(self, library):
        """A virtual environment whose numpy is one library."""
        packages = self.folder / "venv" / "lib" / "python3.1" / "site-packages"
        (packages / "numpy" / "_core").mkdir(parents=True)
        (packages / "numpy" / "_core" / "notes.txt").write_text("text")
        (packages / "other").mkdir()
        shutil.copy(library, packages / "numpy" / "_core" / "_multiarray_umath.so")
        (self.folder / "venv" / "pyvenv.cfg").write_text("")
        (self.folder / "venv" / "bin").mkdir()
        (self.folder / "venv" / "bin" / "python3").symlink_to(sys.executable)
        return self.folder / "venv"

    def run_script(self, venv, copy):
        return subprocess.run([sys.executable, SCRIPT, venv, copy], capture_output=True, text=True)

    def test_finds_instructions_alone(self):
        image = self.plain.read_bytes()
        self.assertGreaterEqual(image.count(without_avx512.CPUID), 4)
        changed, count = without_avx512.patched(image, self.plain)
        self.assertEqual(count, 1)
        self.assertEqual(len(changed), len(image))
        self.assertEqual(sum(a != b for a, b in zip(image, changed)), 1)

    def test_a_library_without_cpuid_stays_as_it_is(self):
        none = self.compile("none", "unsigned constant(void) { return 0xa20f1234u; }")
        image = none.read_bytes()
        self.assertEqual(without_avx512.patched(image, none), (image, 0))

    def test_copy_answers_what_was_asked_for(self):
        venv, copy = self.venv(self.plain), self.folder / "copy"
        done = self.run_script(venv, copy)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("numpy/_core/_multiarray_umath.so: 1 cpuid instructions", done.stdout)
        packages = Path("lib/python3.1/site-packages")
        library = packages / "numpy" / "_core" / "_multiarray_umath.so"
        self.assertEqual((venv / library).read_bytes(), self.plain.read_bytes())
        self.assertFalse((copy / library).is_symlink())
        self.assertEqual((copy / packages / "other").resolve(), (venv / packages / "other").resolve())
        self.assertTrue((copy / packages / "numpy" / "_core" / "notes.txt").is_symlink())

        plain = self.asked([sys.executable], venv / library)
        avx2 = self.asked([copy / "bin" / "python3-avx2"], copy / library)
        vnni = self.asked([copy / "bin" / "python3-avxvnni"], copy / library)
        for answers in avx2, vnni:
            self.assertEqual(answers[0][1], plain[0][1] & ~AVX512_EBX)
            self.assertEqual(answers[1][0] & 1 << 5, 0)  # BF16 of AVX-512
            self.assertEqual(answers[2][0], plain[2][0] & ~0xe0)
            self.assertEqual(answers[3:], plain[3:])
        self.assertEqual(avx2[1][0] & AVX_VNNI_EAX, 0)
        self.assertEqual(vnni[1][0] & AVX_VNNI_EAX, plain[1][0] & AVX_VNNI_EAX)

    def asked(self, command, library):
        # The script's COPY names python3.1, which is not the one that runs: what is asked needs no package.
        done = subprocess.run([*command, "-S", "-c", ASK, library], capture_output=True, text=True, check=True)
        return [[int(word) for word in line.split()] for line in done.stdout.splitlines()]

    def test_other_refused_instructions_end_the_program(self):
        answers = self.folder / "answers.so"
        without_avx512.compile_answers(answers)
        environment = dict(os.environ, LD_PRELOAD=str(answers), QUAVER_PEERS_ISA="avx2")
        trap = f"import ctypes; ctypes.CDLL({str(self.plain)!r}).trap()"
        done = subprocess.run([sys.executable, "-c", trap], env=environment, capture_output=True)
        self.assertEqual(done.returncode, -signal.SIGILL)

    def test_an_unknown_limit_is_refused(self):
        answers = self.folder / "answers.so"
        without_avx512.compile_answers(answers)
        environment = dict(os.environ, LD_PRELOAD=str(answers), QUAVER_PEERS_ISA="avx3")
        done = subprocess.run([sys.executable, "-c", ""], env=environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("QUAVER_PEERS_ISA is 'avx3', expected avx2 or avxvnni", done.stderr)

    def test_refuses_a_program_that_used_avx512(self):
        if "avx512f" not in Path("/proc/cpuinfo").read_text():
            self.skipTest("this CPU lacks AVX-512")
        user = self.compile("user", 'void use(void) { __asm__ volatile("kxnorw %k1, %k1, %k1"); }')
        answers = self.folder / "answers.so"
        without_avx512.compile_answers(answers)
        program = ("import ctypes, sys; sys.path.insert(0, sys.argv[1]); from limit import Limit; limit = Limit(); "
                   "print(limit.isa); limit.require_kept(); ctypes.CDLL(sys.argv[2]).use(); print('used'); "
                   "limit.require_kept()")
        environment = dict(os.environ, LD_PRELOAD=str(answers), QUAVER_PEERS_ISA="avxvnni",
                           GLIBC_TUNABLES=without_avx512.GLIBC_TUNABLES)
        command = [sys.executable, "-c", program, SCRIPT.parent, user]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        self.assertEqual(done.stdout.split(), ["avxvnni", "used"], done.stderr)
        self.assertIn("AVX-512 was used with the CPU held to avxvnni", done.stderr)
        environment.pop("LD_PRELOAD")  # then nothing is asked for
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout.split()), (0, ["None", "used"]), done.stderr)

    def test_says_what_does_not_suit(self):
        venv = self.venv(self.compile("none", "int none(void) { return 0; }"))
        library = venv / "lib" / "python3.1" / "site-packages" / "numpy" / "_core" / "_multiarray_umath.so"
        steps = [("no cpuid instruction found", library.unlink),
                 ("has no _core/_multiarray_umath*.so", lambda: shutil.rmtree(library.parents[1])),
                 ("has none of onnxruntime", (venv / "pyvenv.cfg").unlink),
                 ("is no virtual environment", lambda: None)]
        for expected, go_on in steps:
            done = self.run_script(venv, self.folder / "copy")
            self.assertEqual(done.returncode, 1)
            self.assertIn(expected, done.stderr)
            self.assertFalse((self.folder / "copy").exists())
            go_on()
        self.assertIn("exists: remove it", self.run_script(venv, self.folder).stderr)


if __name__ == "__main__":
    unittest.main()
