"""Time everything: the kernels beside symusic and mido, and whole runs into both databases.

    python benchmarks/bench.py                                      the bundled sample, two minutes
    python benchmarks/bench.py --corpus DIR                         the kernels on files of yours
    python benchmarks/bench.py --corpus @LIST --root DIR            or on those that a list names
    python benchmarks/bench.py --files 50000                        whole runs of a size that counts

The kernels are timed in several processes, one after the other, and the whole runs on a generated
collection. All of it ends in one pyperf file, results/MODE.json for a build of that mode, and in one
table. Compare two builds with `python -m pyperf compare_to results/baseline.json results/release.json
--table`, and see a file again with report.py. The parts alone: kernels.py and pipeline.py.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import report
from corpus import add_options, chosen
from measure import need
from rich.console import Console

import midiopt

HERE = Path(__file__).resolve().parent
RIVALS = ("symusic", "mido")
pyperf = need("pyperf")


def part(program: str, *arguments: str) -> None:
    """Run one of the programs beside this one; its progress and its reasons are its own."""
    code = subprocess.run([sys.executable, str(HERE / program), *arguments, "--quiet"]).returncode
    if code:
        raise SystemExit(130 if code == 130 else f"{program} ended with {code}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument(
        "--files", type=int, metavar="N", default=5000, help="generated files of the whole runs (default: %(default)s); 0 leaves them out"
    )
    parser.add_argument("--collection", metavar="DIR", help="keep those files here, or use the ones that are here already")
    parser.add_argument("--rounds", type=int, metavar="R", default=5, help="how often each whole run is timed (default: %(default)s)")
    parser.add_argument("--processes", type=int, metavar="P", default=3, help="how many time the kernels (default: %(default)s)")
    parser.add_argument("--seconds", type=float, metavar="S", default=6, help="of each kernel in each of them (default: %(default)s)")
    parser.add_argument("--alone", action="store_true", help="only midiopt, without symusic and mido")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the results go (default: benchmarks/results/MODE.json)")
    options = parser.parse_args()
    if options.processes < 1 or options.files < 0:
        parser.error("--processes counts from 1, --files from 0")
    output = options.output or HERE / "results" / f"{midiopt.build_info()['mode']}.json"
    if not options.alone:
        for name in RIVALS:  # now, and not after a minute
            need(name, ", or --alone to time midiopt by itself")
    say = Console(stderr=True, highlight=False).print
    files = len(chosen(options))  # a wrong --corpus is told now
    unfinished = output.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    kernels = ["--corpus", options.corpus, "--seconds", str(options.seconds), "--append", str(unfinished)]
    kernels += ["--root", options.root] if options.root else []
    kernels += ["--alone"] if options.alone else []
    for process in range(options.processes):
        say(f"kernels on {files:,} files, process {process + 1} of {options.processes}")
        part("kernels.py", *kernels)
    if options.files:
        say(f"whole runs of {options.files:,} generated files")
        pipeline = ["--files", str(options.files), "--rounds", str(options.rounds), "--append", str(unfinished)]
        pipeline += ["--collection", options.collection] if options.collection else []
        part("pipeline.py", *pipeline)
    os.replace(unfinished, output)
    report.show(pyperf.BenchmarkSuite.load(str(output)))
    say(f"kept in {os.path.relpath(output)}")
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
