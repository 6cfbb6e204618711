"""Where the time of a file goes: instructions by stage, counted by valgrind, into docs/performance.md.

    python -m benchmarks.instruction_counts [--corpus DIR | --corpus @LIST --root DIR]

Counts depend neither on the clock nor on the load of the machine, and are equal every time. Callgrind runs a
worker over the files and the encoders of the parent over its rows, once compiled for x86-64-v3 (valgrind does
not support AVX-512) and once without the vectoriser. The interpreter between the stages has a row of its own;
start-up is not counted. The results are stored in results/instruction_counts.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import builds, generate_collection, generated_blocks, input_files

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "instruction_counts.json"
PAGE = HERE.parent / "docs" / "performance.md"
FILES = 300  # generated if no corpus is named: 4 MB

# The packages and modules of each stage; the longest name that fits counts.
STAGES = {
    "reading, without the kernel": ("sources.reader", "sources.read_ahead"),
    "hashing": ("_xxhash",),
    "parsing": ("core.smf",),
    "pairing and counting notes": ("core.notes",),
    "polyphony": ("core.notes.polyphony",),
    "tempo map, time signatures and bars": ("core.timeline",),
    "rhythm": ("core.rhythm",),
    "key": ("core.harmony.chroma", "core.harmony.key", "core.harmony.key_evidence"),
    "chords, drums and form": ("core.harmony", "core.structure"),
    "texts": ("core.text",),
    "facts in file names": ("sources.filename",),
    "packing the row": ("core.analysis", "core.analyzer"),
    "validating rows": ("rows",),
    "encoding for SQLite": ("sinks.sqlite_statement",),
    "SQLite itself": ("libsqlite3",),
    "encoding for PostgreSQL": ("sinks.postgres_copy", "sinks.row_keys"),
}
OTHER = "Python and the C library"
# Extensions that callgrind does not run:
NOT_COUNTED = (
    *("core.array_view", "core.build", "core.inspection", "core.processor", "pipeline.hash_slots", "sinks.sqlite_rows", "sources.listing"),
    "sinks.sqlite_hashes",
    *("sources.path_set", "sources.stat_many", "sources.thread_pool", "sources.archives.integers"),
    *("sources.archives.tar", "sources.archives.tar_header"),
)

# What callgrind runs: instructions are counted between watch(1) and watch(0).
COUNTED = """
import ctypes, sys, tempfile
from pathlib import Path
from midiopt.rows.batch import Batch
from midiopt.sinks.postgres_copy import CopyEncoder
from midiopt.rows.layout import LAYOUTS
from midiopt.rows.validate import validate
from midiopt.sinks import open_sink
from midiopt.sinks.batch_rows import last_row_per_key
from midiopt.sinks.sql import TABLES
from midiopt.pipeline.new_files import FILES_PER_TASK
from midiopt.pipeline.worker import Worker

paths = Path(sys.argv[1]).read_bytes().split(b"\\0")
worker = Worker()
worker.analyze_files(paths[:20])  # buffers grow to their size
worker.recent_hashes.clear()
encoders = [(table, CopyEncoder(LAYOUTS[table].fields)) for table in TABLES]
sink = open_sink(tempfile.mkdtemp(dir=sys.argv[3]) + "/counted.db")
watch = ctypes.CDLL(sys.argv[2]).watch
watch(1)
for start in range(0, len(paths), FILES_PER_TASK):
    batch = validate(Batch.from_bytes(worker.analyze_files(paths[start : start + FILES_PER_TASK])))
    sink.write(batch)
    for table, to_postgres in encoders:
        to_postgres.encode(last_row_per_key(table, batch), batch.heap)
watch(0)
"""
# What callgrind cannot see: processor seconds of reading a file, the kernel included, and of everything that a worker does.
TIMED = """
import sys
from pathlib import Path
from benchmarks.clocks import processor_time
from midiopt.sources.reader import Reader
from midiopt.pipeline.worker import Worker

paths = Path(sys.argv[1]).read_bytes().split(b"\\0")
reader = Reader()
for work in (lambda: [reader.read(path) for path in paths], lambda: Worker().analyze_files(paths)):
    print(min(processor_time(work) for _ in range(20)) / len(paths))
"""
WATCH = """
#include <valgrind/callgrind.h>
void watch(int on) { if (on) CALLGRIND_START_INSTRUMENTATION; else CALLGRIND_STOP_INSTRUMENTATION; }
"""


def count(build: str, names: Path, folder: Path) -> Counter[str]:
    """Instructions by stage over all files."""
    library, out = folder / "watch.so", folder / f"{build}.out"
    source = folder / "watch.c"
    source.write_text(WATCH)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True)
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}", sys.executable, "-c", COUNTED]
    environment = builds.environment(builds.build(build)) | {"PYTHONHASHSEED": "0"}
    done = subprocess.run([*command, str(names), str(library), str(folder)], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"valgrind failed:\n{done.stderr[-2000:]}")
    return by_stage(out.read_text())


def time_reading(names: Path) -> tuple[float, float]:
    """Processor seconds per file of reading, and of a worker in total, the least of 20 passes of release."""
    environment = builds.environment(builds.build("release"))
    command = [sys.executable, "-c", TIMED, str(names)]
    done = subprocess.run(command, cwd=builds.ROOT, env=environment, capture_output=True, text=True, check=True)
    reading, total = map(float, done.stdout.split())
    return reading, total


def by_stage(profile: str) -> Counter[str]:
    """The instructions of each stage in a callgrind file, by the extension that each function is in.

    The format ("Callgrind Format Specification" in the manual of valgrind): `ob=` names the object file of the
    lines that follow; a line of costs begins with a position; the one after `calls=` belongs to the callee.
    """
    objects: dict[str, str] = {}  # by number: later references leave out the name
    found: Counter[str] = Counter()
    stage, skip = OTHER, False
    for line in profile.splitlines():
        if match := re.fullmatch(r"(c?)ob=\((\d+)\)(?: (.*))?", line):
            name = objects.setdefault(match[2], match[3] or "")
            if not match[1]:
                stage = stage_of(module_of(name))
        elif line.startswith("calls="):
            skip = True
        elif re.match(r"[+\-*\d]", line):
            if not skip:
                found[stage] += int(line.split()[1])
            skip = False
    return found


def stage_of(module: str) -> str:
    """The stage of an extension."""
    found = {name: stage for stage, names in STAGES.items() for name in names if f"{module}.".startswith(f"{name}.")}
    return found[max(found, key=len)] if found else OTHER


def module_of(library: str) -> str:
    """The module of an extension, without the package: .../midiopt/core/smf/parser.cpython-311.so is core.smf.parser."""
    path = Path(library.partition("/midiopt/")[2] or Path(library).name)
    return ".".join([*path.parent.parts, path.name.partition(".")[0]])


def table(results: dict[str, Any]) -> str:
    """The block of docs/performance.md."""
    counts, files = results["instructions"], results["files"]
    total = [sum(stages.values()) for stages in counts]

    def row(name: str, numbers: list[int]) -> str:
        cells = [f"{n / files:,.0f} ({n / all_of_it:.1%})" for n, all_of_it in zip(numbers, total, strict=True)]
        return f"| {name} | {' | '.join(cells)} |"

    reading, worker = (seconds * 1e6 for seconds in results["seconds"])
    lines = [
        f"Instructions per file, {files:,} {results['corpus']} of {results['mean_bytes']:,.0f} bytes on average, x86-64-v3 "
        "(`make instruction-counts`):",
        "",
        "| stage | vectorised | `-fno-tree-vectorize` |",
        "| --- | ---: | ---: |",
        *(
            row(stage, [stages.get(stage, 0) for stages in counts])
            for stage in (*STAGES, OTHER)
            if any(stage in stages for stages in counts)
        ),
        row("total", total),
        "",
        f"Callgrind does not count the kernel. In processor time, the least of 20 passes of `release`: reading takes {reading:.1f} µs of "
        f"the {worker:.1f} µs that a worker needs per file ({reading / worker:.0%}).",
    ]
    return "\n".join(lines)


def main() -> int:
    """Count, store the results, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    input_files.add_options(parser, default="", described=f"{FILES} generated songs")
    parser.add_argument("--page", action="store_true", help="count nothing: write the last results into docs/performance.md")
    options = parser.parse_args()
    if not options.page:
        measure(options, Console(stderr=True, highlight=False))
    text = table(json.loads(RESULTS.read_text()))
    print(text)
    generated_blocks.fill(PAGE, "stages", text)
    return 0


def measure(options: argparse.Namespace, console: Console) -> None:
    """Count the instructions of both builds."""
    if not shutil.which("valgrind"):
        raise SystemExit("valgrind is not installed; on Debian: apt install valgrind")
    with tempfile.TemporaryDirectory(prefix="midiopt-stages-") as temporary:
        folder = Path(temporary)
        if options.corpus:
            paths = input_files.every_kth([path for path in input_files.select(options) if os.path.isfile(path)], FILES)
        else:
            for _ in generate_collection.write(folder / "songs", FILES):
                pass
            paths = sorted(os.fsencode(path) for path in (folder / "songs").glob("*/*.mid"))
        names = folder / "names"
        names.write_bytes(b"\0".join(paths))
        counts = []
        for build in ("valgrind", "valgrind-scalar"):
            builds.build(build, console.print)
            console.print(f"counting the instructions of {build}")
            counts.append(count(build, names, folder))
        builds.build("release", console.print)
        results = {
            "files": len(paths),
            "corpus": "files" if options.corpus else "generated songs",
            "mean_bytes": sum(map(os.path.getsize, paths)) / len(paths),
            "instructions": counts,
            "seconds": time_reading(names),
        }
    generated_blocks.store(RESULTS, results)


if __name__ == "__main__":
    raise SystemExit(main())
