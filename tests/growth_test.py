"""Growth is counted: tests/growth/*.patch add an operation, a weight format, an instruction set, a metric and a verb to a
copy of the tree, which is then built and run. A patch may add new files, rows in existing ones and words inside
their lines; docs/recipes.md says how many files and rows."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
JOBS = sys.argv[1] if len(sys.argv) > 1 else "2"


def run(*command, cwd, **more):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def counts(patch):
    """(new files, lines added to files that are there); a line that is only wrapped anew is no new one."""
    files = rows = 0
    new = False
    for line in patch.read_text().splitlines():
        if line.startswith("diff --git"):
            new = False
        elif line.startswith("new file"):
            new = True
            files += 1
        elif line.startswith("+") and not line.startswith("+++") and not new:
            rows += 1
        elif line.startswith("-") and not line.startswith("---") and not new:
            rows -= 1  # a list that grows inside its line
    return files, rows


def main():
    recipes = (ROOT / "docs/recipes.md").read_text()
    said = {name: (int(files), int(rows)) for name, files, rows in
            re.findall(r"`tests/growth/(\w+)\.patch`: (\d+) files?, (\d+) rows?", recipes)}
    patches = sorted((ROOT / "tests/growth").glob("*.patch"))
    found = {patch.stem: counts(patch) for patch in patches}
    if said != found:
        sys.exit(f"docs/recipes.md says (files, rows) {said}, the patches have {found}")

    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "quaver"
        copy.mkdir()
        shutil.copy(ROOT / "CMakeLists.txt", copy)
        for part in ["cmake", "src", "apps", "tests/growth", "tests/support"]:
            shutil.copytree(ROOT / part, copy / part)
        for patch in patches:
            run("patch", "-p1", "--fuzz=0", "-i", str(patch), cwd=copy)
        programs = sorted(source.stem for source in (ROOT / "tests/growth").glob("*.cc"))
        with (copy / "CMakeLists.txt").open("a") as lists:
            for name in programs:
                lists.write(f"add_executable(growth_{name} tests/growth/{name}.cc)\n"
                            f"target_include_directories(growth_{name} PRIVATE tests)\n"
                            f"target_link_libraries(growth_{name} PRIVATE"
                            " quaver_flags quaver_io quaver_quantize quaver_report)\n")
        run("cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O0",
            "-DBUILD_TESTING=OFF", "-DQUAVER_WITH_TORCH=OFF", cwd=copy)
        run("cmake", "--build", "build", "-j", JOBS, "--target", *(f"growth_{name}" for name in programs),
            "quaver_program", cwd=copy)
        for name in programs:
            print(run(f"build/growth_{name}", cwd=copy))
        help_text = run("build/quaver", "--help", cwd=copy)
        assert "count" in help_text, help_text
        golden = ROOT / "tests/golden/model_v2/model.safetensors"
        nodes = json.loads(run("build/quaver", "count", str(golden), "--json", cwd=copy))["nodes"]
        assert nodes == 3, nodes
        run("build/quaver", "quantize", "float.safetensors", "--scheme", "int2", "--calib", "chirps", "--calib-limit", "2",
            "-o", "quantized.safetensors", cwd=copy)
        scheme = json.loads(run("build/quaver", "inspect", "quantized.safetensors", "--json", cwd=copy))["scheme"]
        assert scheme == "int2", scheme
    print("growth:", found)


main()
