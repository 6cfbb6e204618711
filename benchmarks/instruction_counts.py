"""Where a file's time goes: instructions by stage, counted by valgrind, into docs/performance.md.

    python -m benchmarks.instruction_counts [--corpus DIR | --corpus @LIST --root DIR]

Counts hang neither on the clock nor on what else the machine does, and come out the same every time.
Callgrind runs a worker over the files and the parent's encoders over its rows, once as compiled for
x86-64-v3 (valgrind knows no AVX-512) and once with the vectoriser off. What Python itself takes between
the stages is a line of its own; start-up is not counted.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console

from benchmarks import builds, generate_collection, generated_blocks, input_files

HERE = Path(__file__).resolve().parent
FILES = 300  # of a generated collection, when no corpus is named: 4 MB
PAGE = HERE.parent / "docs" / "performance.md"

# A stage is what its source files hold; the kernel's part of reading is not seen by callgrind.
STAGES = {
    "reading, but for the kernel": ("reader",),
    "hashing": ("_xxhash",),
    "parsing": ("parser", "arena"),
    "pairing and counting notes": ("pairing", "notes", "fingerprint"),
    "polyphony": ("polyphony",),
    "tempo map and meter": ("tempo", "meter"),
    "beat from onsets": ("onsets", "periodicity", "network", "beat", "accents", "barlines", "grid"),
    "key": ("chroma", "key"),
    "chords, drums and form": ("bars", "chords", "progression", "drums", "form"),
    "texts": ("text", "encoding"),
    "names of files": ("facts", "keys", "tempos", "meters", "tokens"),
    "packing the row": ("analysis",),
    "looking for what no column holds": ("faults",),
    "encoding for SQLite": ("sqlrows",),
    "encoding for PostgreSQL": ("pgcopy",),
}
OTHER = "Python and the C library"

# What callgrind watches: it counts nothing before this and nothing after.
WATCHED = """
import ctypes, sys
from pathlib import Path
from midiopt.rows.batch import Batch
from midiopt.sinks.postgres_copy import CopyEncoder
from midiopt.rows.layout import LAYOUTS
from midiopt.rows.validate import validate
from midiopt.sinks.sqlite_rows import RowEncoder
from midiopt.sinks.sql import TABLES, last_row_per_key
from midiopt.pipeline.new_files import FILES_PER_TASK
from midiopt.pipeline.worker import Worker

paths = Path(sys.argv[1]).read_bytes().split(b"\\0")
worker = Worker()
worker.analyze_files(paths[:20])  # buffers have their size
worker.recent_hashes.clear()
encoders = [(table, RowEncoder(LAYOUTS[table].fields), CopyEncoder(LAYOUTS[table].fields)) for table in TABLES]
switch = getattr(ctypes.CDLL(sys.argv[2]), "watch")
switch(1)
for start in range(0, len(paths), FILES_PER_TASK):
    batch = validate(Batch.from_bytes(worker.analyze_files(paths[start : start + FILES_PER_TASK])))
    for table, to_sqlite, to_postgres in encoders:
        rows = last_row_per_key(table, batch)
        for _ in to_sqlite.tuples(rows, batch.heap):
            pass
        to_postgres.encode(rows, batch.heap)
switch(0)
"""
# What callgrind cannot see: processor seconds of reading all files, the kernel's part included, and of all a worker does.
TIMED = """
import sys, time
from pathlib import Path
from midiopt.sources.reader import Reader
from midiopt.pipeline.worker import Worker

paths = Path(sys.argv[1]).read_bytes().split(b"\\0")
reader = Reader()

def best(work):
    times = []
    for _ in range(20):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times) / len(paths)

print(best(lambda: [reader.read(path) for path in paths]), best(lambda: Worker().analyze_files(paths)))
"""
SWITCH = """
#include <valgrind/callgrind.h>
void watch(int on) { if (on) CALLGRIND_START_INSTRUMENTATION; else CALLGRIND_STOP_INSTRUMENTATION; }
"""


def counted(build: str, names: Path, folder: Path) -> Counter[str]:
    """Instructions by stage over all files."""
    library, out = folder / "switch.so", folder / f"{build}.out"
    source = folder / "switch.c"
    source.write_text(SWITCH)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True)
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}", sys.executable, "-c", WATCHED]
    environment = builds.environment(builds.site(build)) | {"PYTHONHASHSEED": "0"}
    done = subprocess.run([*command, str(names), str(library)], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"valgrind failed:\n{done.stderr[-2000:]}")
    return by_stage(out.read_text())


def reading(names: Path) -> str:
    """What reading takes of a worker's time, as a sentence."""
    command = [sys.executable, "-c", TIMED, str(names)]
    done = subprocess.run(command, env=builds.environment(builds.site("release")), capture_output=True, text=True, check=True)
    read, all_of_it = (float(seconds) * 1e6 for seconds in done.stdout.split())
    return (
        f"Callgrind does not see the kernel. By the processor's clock, the best of 20 passes of `release`: reading takes {read:.1f} µs "
        f"of the {all_of_it:.1f} µs that a worker needs for a file ({read / all_of_it:.0%})."
    )


def by_stage(profile: str) -> Counter[str]:
    """A callgrind file's own costs, by the extension that each function is in.

    The format ("Callgrind Format Specification" in valgrind's manual): `ob=` names the object file of the
    lines that follow; a line of costs begins with a position; the one after `calls=` is the callee's.
    """
    modules = {module: stage for stage, names in STAGES.items() for module in names}
    compressed: dict[str, str] = {}
    found: Counter[str] = Counter()
    stage, skip = OTHER, False
    for line in profile.splitlines():
        if line.startswith("ob="):
            match = re.fullmatch(r"ob=\((\d+)\)(?: (.*))?", line)
            assert match
            name = compressed.setdefault(match[1], match[2] or "")
            stage = modules.get(Path(name).name.partition(".")[0], OTHER)
        elif match := re.fullmatch(r"cob=\((\d+)\) (.*)", line):
            compressed[match[1]] = match[2]
        elif line.startswith("calls="):
            skip = True
        elif re.match(r"[+\-*\d]", line):
            if not skip:
                found[stage] += int(line.split()[1])
            skip = False
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", metavar="DIR|@LIST", default="", help=f"your own files (default: {FILES} generated songs)")
    parser.add_argument("--root", metavar="DIR", default="", help="where the paths in @LIST start from (default: the current folder)")
    options = parser.parse_args()
    console = Console(stderr=True, highlight=False)
    if not shutil.which("valgrind"):
        raise SystemExit("valgrind is not installed; on Debian: apt install valgrind")
    with tempfile.TemporaryDirectory(prefix="midiopt-stages-") as temporary:
        folder = Path(temporary)
        if options.corpus:
            paths = input_files.thinned([path for path in input_files.chosen(options) if os.path.isfile(path)], FILES)
        else:
            for _ in generate_collection.write(folder / "songs", FILES):
                pass
            paths = sorted(os.fsencode(path) for path in (folder / "songs").glob("*/*.mid"))
        builds.site("release", console.print)
        names = folder / "names"
        names.write_bytes(b"\0".join(paths))
        counts = []
        for build in ("valgrind", "valgrind-scalar"):
            builds.site(build, console.print)
            console.print(f"counting the instructions of {build}")
            counts.append(counted(build, names, folder))
        seen = reading(names)
        mean = sum(map(os.path.getsize, paths)) / len(paths)
    text = table(counts, len(paths), mean, "files" if options.corpus else "generated songs")
    text += f"\n\n{seen}"
    print(text)
    generated_blocks.fill(PAGE, "stages", text)
    return 0


def table(counts: list[Counter[str]], files: int, mean: float, what: str) -> str:
    total = [sum(count.values()) for count in counts]

    def row(name: str, numbers: list[int]) -> str:
        cells = [f"{n / files:,.0f} ({n / all_of_it:.1%})" for n, all_of_it in zip(numbers, total, strict=True)]
        return f"| {name} | {' | '.join(cells)} |"

    lines = [
        f"Instructions a file, {files:,} {what} of {mean:,.0f} bytes on average, x86-64-v3 (`make profile`):",
        "",
        "| stage | vectorised | `-fno-tree-vectorize` |",
        "| --- | ---: | ---: |",
        *(row(stage, [count[stage] for count in counts]) for stage in (*STAGES, OTHER)),
        row("all", total),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
