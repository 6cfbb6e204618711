"""Fuzz with libFuzzer under the address and undefined-behaviour sanitizers: `make fuzz SECONDS=120`.

    python -m fuzz.run --seconds 600 parser analysis
    python -m fuzz.run parser --input build/fuzz-findings/parser-crash-...

Each target starts from generated seeds and from what earlier runs found, which is kept in build/fuzz-corpus. An input
that crashes, hangs or breaks a property is kept in build/fuzz-findings. At the end a table gives the executions and
the basic blocks that were reached, per extension.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import builds
from fuzz.seeds import SEEDS

BUILD = builds.BUILD / "fuzz"
CORPUS = builds.BUILD / "fuzz-corpus"
FINDINGS = builds.BUILD / "fuzz-findings"
MAX_INPUT = 8192  # bytes: longer ones repeat what shorter ones do, at a tenth of the speed
UNIT_TIMEOUT = 20  # seconds; the sanitizers cost a factor of ten
MEMORY_LIMIT = 3000  # MiB, with the shadow memory of the sanitizers
ASAN_OPTIONS = (  # signals are for libFuzzer, which keeps the input
    *("verify_asan_link_order=0", "detect_leaks=0", "allocator_may_return_null=1"),
    *("handle_segv=0", "handle_abort=0", "handle_sigfpe=0", "handle_sigbus=0"),
)
TRACE_CALL = re.compile(r"call.*__sanitizer_cov_trace_pc\b")


@dataclass
class Result:
    """What fuzzing one target gave."""

    target: str
    executions: int = 0
    seconds: float = 0
    blocks: dict[str, int] = field(default_factory=dict)  # reached, per extension
    findings: list[str] = field(default_factory=list)


def prepare() -> None:
    """Compile the package, the parser's target and the mutator."""
    builds.build("fuzz")
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    subprocess.run(command, cwd=BUILD / "fuzz", check=True)


def environment() -> dict[str, str]:
    """Of a process that fuzzes: the build's modules, the libraries to load first, and the sanitizers' options.

    libFuzzer comes before the sanitizers, which define its callbacks too, as functions that do nothing.
    """
    libraries = [_extension(BUILD / "fuzz", "mutator"), find_libfuzzer()]
    libraries += [_gcc_library(name) for name in ("libasan.so", "libubsan.so", "libstdc++.so.6")]
    return os.environ | {
        "PYTHONPATH": f"{BUILD / 'src'}:{BUILD}",
        "LD_PRELOAD": " ".join(libraries),
        "ASAN_OPTIONS": ":".join(ASAN_OPTIONS),
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "MIDIOPT_FUZZ_REPORT": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def find_libfuzzer() -> str:
    """The extension of the atheris wheel that contains libFuzzer."""
    spec = importlib.util.find_spec("atheris")
    if spec is None or spec.origin is None:
        raise SystemExit("libFuzzer is missing: `pip install 'midiopt[fuzz]'` installs it")
    return _extension(Path(spec.origin).parent, "core_with_libfuzzer")


def _extension(folder: Path, name: str) -> str:
    return str(next(folder.glob(f"{name}.*.so")))


def _gcc_library(name: str) -> str:
    return subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()


def write_seeds(target: str) -> Path:
    """The folder of a target's generated seeds."""
    folder = CORPUS / f"{target}-seeds"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for i, seed in enumerate(SEEDS[target]()):
        (folder / f"{i:03}").write_bytes(seed)
    return folder


def fuzz(target: str, seconds: int, seed: int) -> Result:
    """Fuzz a target; libFuzzer's messages go to the terminal."""
    corpus = CORPUS / target
    corpus.mkdir(parents=True, exist_ok=True)
    FINDINGS.mkdir(parents=True, exist_ok=True)
    options = {
        "max_total_time": seconds,
        "max_len": MAX_INPUT,
        "timeout": UNIT_TIMEOUT,
        "rss_limit_mb": MEMORY_LIMIT,
        "seed": seed,
        "entropic": 0,  # the statistics of rare features took a fifth of the time
        "reload": 0,  # no other process writes to the corpus: looking for files each second took a tenth of the time
        "print_final_stats": 1,
        "verbosity": 1,
        "dict": BUILD / "fuzz" / "smf.dict",
        "artifact_prefix": f"{FINDINGS}/{target}-",
    }
    return _run(target, [*(f"-{name}={value}" for name, value in options.items()), str(corpus), str(write_seeds(target))])


def _run(target: str, options: list[str]) -> Result:
    result = Result(target)
    command = [sys.executable, "-m", "fuzz.engine", target, *options]
    with subprocess.Popen(command, cwd=BUILD, env=environment(), stderr=subprocess.PIPE, text=True, errors="replace") as process:
        assert process.stderr
        for line in process.stderr:
            if reached := re.fullmatch(r"blocks reached: (\d+) (\S+)\n", line):
                result.blocks[reached[2]] = int(reached[1])
                continue
            if executions := re.match(r"stat::number_of_executed_units: (\d+)", line):
                result.executions = int(executions[1])
            elif done := re.match(r"Done \d+ runs in (\d+) second", line):
                result.seconds = int(done[1])
            elif kept := re.search(r"Test unit written to (\S+)", line):
                result.findings.append(kept[1])
            if not re.match(r"#\d+\s+(NEW|REDUCE)", line):  # one per new input: too many to read
                sys.stderr.write(line)
    if process.returncode and not result.findings:
        raise SystemExit(f"fuzzing {target} failed with exit code {process.returncode}")
    return result


def all_blocks(extension: str) -> int:
    """The number of instrumented basic blocks of an extension."""
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", extension], capture_output=True, text=True, check=True).stdout
    return len(TRACE_CALL.findall(code))


def report(results: Iterable[Result]) -> str:
    """A table of executions, and one of basic blocks reached."""
    results = list(results)
    lines = [f"{'target':10} {'executions':>12} {'per second':>11}  findings"]
    for r in results:
        lines.append(f"{r.target:10} {r.executions:12,} {r.executions / max(r.seconds, 1):11,.0f}  {len(r.findings)}")
    lines += ["", f"{'extension':46} {'blocks':>7} {'reached':>8}"]
    reached: dict[str, int] = {}
    for r in results:
        for extension, blocks in r.blocks.items():
            reached[extension] = max(reached.get(extension, 0), blocks)
    for extension, blocks in sorted(reached.items()):
        total = all_blocks(extension)
        name = ".".join(Path(extension).relative_to(BUILD / "src").parts).split(".cpython")[0]
        lines.append(f"{name:46} {total:7,} {blocks / max(total, 1):8.0%}")
    return "\n".join(lines)


def main() -> int:
    """Fuzz the targets that the command line names, one after another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", metavar="TARGET", nargs="*", help=f"default: all of {', '.join(SEEDS)}")
    parser.add_argument("--seconds", type=int, default=120, help="per target (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; 0, the default, takes another one each time")
    parser.add_argument("--input", metavar="FILE", help="execute this input once instead, to see what it does")
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(SEEDS):
        parser.error(f"no target {', '.join(sorted(unknown))}; choose from {', '.join(SEEDS)}")
    prepare()
    targets = arguments.targets or list(SEEDS)
    if arguments.input:
        return 1 if _run(targets[0], [str(Path(arguments.input).resolve())]).findings else 0
    results = []
    try:
        for target in targets:
            print(f"fuzzing {target} for {arguments.seconds} s", flush=True)
            results.append(fuzz(target, arguments.seconds, arguments.seed))
    except KeyboardInterrupt:
        print("interrupted")
    print(report(results))
    findings = [path for result in results for path in result.findings]
    for path in findings:
        print(f"finding: {path}\n  to see it again: python -m fuzz.run {Path(path).name.split('-')[0]} --input {path}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
