"""Choose the modules that a profile makes faster: python -m pgo.choose_modules [MODULE ...]

Writes the rows of this machine's processor into pgo/modules.tsv, which setup.py reads: a module is compiled with the profile only where
the middle half of its ratios is above 1. Compiles release and pgo-use-all (benchmarks/builds.py). For each module, two processes run the
workload of its package alternately: release, and release with this module from the other build. The files are generated with a seed
that training does not use. With modules as arguments, only their rows are measured again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
from functools import partial
from pathlib import Path

from benchmarks import builds
from benchmarks.generate_collection import write
from benchmarks.timing_process import TimingProcess, paired_times
from pgo.measure_gain import FILES, SEED, start
from pgo.table import COLUMNS, processor, read, store

PROCESSES, TURNS = 4, 12
# The workload of pgo/measure_gain.py that spends most of its time in a package, by the start of the module's name.
WORKLOAD_OF = {"midiopt.core.smf.": "parse", "midiopt.core.": "analyse", "midiopt.rows.": "encode", "midiopt.sinks.": "encode", "": "work"}


def modules(source_root: Path) -> dict[str, Path]:
    """The compiled modules of a build: name, and path below its folder."""
    paths = (path.relative_to(source_root) for path in source_root.rglob("*.so"))
    return {".".join((*path.parent.parts, path.name.split(".")[0])): path for path in sorted(paths)}


def mixture(release: Path, profiled: Path, module: Path, folder: Path) -> Path:
    """A build in `folder`, of hard links: release, with one module of the other build."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(release, folder, copy_function=os.link, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / module).unlink()
    os.link(profiled / module, folder / module)
    return folder


def start_pair(release: Path, mixed: Path, files: Path) -> tuple[TimingProcess, TimingProcess]:
    """A process of each build."""
    return start(release, files), start(mixed, files)


def row(maker: str, module: str, workload: str, measured: list[tuple[float, float]]) -> dict[str, str]:
    """The row of a module, from the seconds of both builds in pairs."""
    release, profile = (statistics.median(column) / FILES * 1e6 for column in zip(*measured, strict=True))
    low, ratio, high = statistics.quantiles((a / b for a, b in measured), n=4)
    values = (maker, module, workload, f"{release:.2f}", f"{profile:.2f}", f"{ratio:.3f}", f"{low:.3f}", f"{high:.3f}")
    return dict(zip(COLUMNS, values, strict=True))


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", metavar="MODULE", nargs="*", help="such as midiopt.core.smf.track (default: all)")
    wanted = parser.parse_args().modules
    release, profiled = builds.build("release"), builds.build("pgo-use-all")
    found = modules(release)
    if unknown := set(wanted) - set(found):
        parser.error(f"no module {', '.join(sorted(unknown))}")
    maker = processor()
    rows = {key: row for key, row in read().items() if key[1] in found}
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        for _ in write(files, FILES, SEED):
            pass
        for module in wanted or found:
            workload = next(workload for prefix, workload in WORKLOAD_OF.items() if module.startswith(prefix))
            mixed = mixture(release, profiled, found[module], builds.BUILD / "mixture")
            times = paired_times(partial(start_pair, release, mixed, files), [workload], PROCESSES, TURNS)
            rows[maker, module] = row(maker, module, workload, times[workload])
            print(*rows[maker, module].values(), sep="\t", flush=True)
    store(rows)


if __name__ == "__main__":
    main()
