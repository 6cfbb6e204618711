"""What a run over a Dask cluster costs beside a local run, and which part of a large one is busy first.

    python -m benchmarks.cluster [--files 10000] [--workers 2] [--rounds 3] [--parquet] [--page]

A scheduler and workers run on this machine and talk over TCP; the collection is generated songs in tars of 1,000. Local runs and runs
over the cluster take turns, each also over the first tar alone: the difference is the cost per file, the rest that of a run. Compared is
the processor time of all processes, which other programs on the machine disturb less than the clock: the driver, the scheduler, Dask's
workers and their processes of midiopt. Two threads of a core slow each other: `taskset -c 1 chrt -f 10` keeps that and the rest of
the machine out. The rows of a file are counted in bytes, and empty tasks give the cost of a task. With --parquet the rows go into a
Parquet directory, in parts that tasks write. With --page the tables are written into docs/performance.md. Dask's statistical profiler is
off, and its own monitor runs every ten seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import generate_collection, generated_blocks
from benchmarks.command_line import need, run_program
from midiopt.pipeline.executor_task import ExecutorTask, TaskSettings, run_task
from midiopt.pipeline.experiments import Experiments
from midiopt.pipeline.options import RunOptions
from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
PORT = 28786
SHARD_FILES = 1000
EMPTY_TASKS = 300
# As docs/how-to/cluster.md says. Idle, a scheduler and a worker take 4 and 6 ms of processor time a second instead of 19 and 18.
QUIET = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
}
CORES = (2, 32, 256, 2048)
BILLION = 1_000_000_000
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    """Of one run over the cluster or without it: processor seconds by process."""

    driver: float
    scheduler: float = 0.0
    workers: float = 0.0

    @property
    def total(self) -> float:
        """Of all processes."""
        return self.driver + self.scheduler + self.workers

    def per_file(self, few: Cost, files: int) -> Cost:
        """What each file costs that this run has more than another one."""
        return Cost(*((getattr(self, n) - getattr(few, n)) / files for n in ("driver", "scheduler", "workers")))


def cpu_seconds(pid: int) -> float:
    """Processor seconds of a process, its ended children and those that live."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        own = sum(map(int, fields[11:15])) / TICKS
        children = [int(p) for task in Path(f"/proc/{pid}/task").iterdir() for p in (task / "children").read_text().split()]
    except OSError:
        return 0.0
    return own + sum(map(cpu_seconds, children))


def write_shards(folder: Path, count: int) -> None:
    """Generated songs in tars."""
    with tempfile.TemporaryDirectory() as plain:
        for _ in generate_collection.write(Path(plain), count):
            pass
        songs = sorted(path for path in Path(plain).rglob("*") if path.is_file())
        for start in range(0, len(songs), SHARD_FILES):
            with tarfile.open(folder / f"{start // SHARD_FILES:05}.tar", "w") as tar:
                for path in songs[start : start + SHARD_FILES]:
                    tar.add(path, path.name)


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[tuple[int, list[int]]]:
    """The process IDs of a scheduler and of workers with one thread each."""
    need("distributed")
    command = [sys.executable, "-m", "distributed.cli.dask_"]
    options = ["--host", "127.0.0.1", "--no-dashboard"]

    def start(kind: str, *arguments: str) -> subprocess.Popen[bytes]:
        line = [*command[:-1], command[-1] + kind, *arguments, *options]
        environment = os.environ | QUIET
        return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)

    processes = [start("scheduler", "--port", str(PORT))]
    try:
        for _ in range(workers):
            processes.append(start("worker", f"tcp://127.0.0.1:{PORT}", "--nthreads", "1", "--no-nanny"))
        with client() as connected:
            connected.wait_for_workers(workers, timeout=120)
        yield processes[0].pid, [process.pid for process in processes[1:]]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def client() -> Any:
    """A client of the cluster."""
    return need("distributed").Client(f"tcp://127.0.0.1:{PORT}", set_as_default=False, timeout=120)


def measure(folder: Path, workers: int, pids: tuple[int, list[int]] | None, database: str) -> Cost:
    """One whole run from the command line."""
    scheduler, others = pids or (0, [])
    before = cpu_seconds(scheduler), sum(map(cpu_seconds, others))
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as out:
        line = [sys.executable, "-m", "midiopt", "analyze", str(folder), "--db", database.format(out), "--quiet", "--workers", str(workers)]
        subprocess.run([*line, "--executor", f"dask://127.0.0.1:{PORT}" if pids else "processes"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    driver = after.ru_utime + after.ru_stime - usage.ru_utime - usage.ru_stime
    return Cost(driver, cpu_seconds(scheduler) - before[0], sum(map(cpu_seconds, others)) - before[1])


def task_seconds(pids: tuple[int, list[int]]) -> tuple[float, float]:
    """Of an empty task: seconds of the clock, one after the other, and processor seconds of the scheduler."""
    task = ExecutorTask(TaskSettings.of(RunOptions(), Experiments(), b""), ())
    with client() as connected:
        executor = connected.get_executor(pure=False)
        executor.submit(run_task, task).result()
        cpu, started = cpu_seconds(pids[0]), time.perf_counter()
        for _ in range(EMPTY_TASKS):
            executor.submit(run_task, task).result()
        return (time.perf_counter() - started) / EMPTY_TASKS, (cpu_seconds(pids[0]) - cpu) / EMPTY_TASKS


def row_bytes(files: int, are_stored: bool) -> float:
    """Bytes of the rows of a file, as a worker sends them to the driver: without analyses where it has stored the rows."""
    with tempfile.TemporaryDirectory() as folder:
        for _ in generate_collection.write(Path(folder), files):
            pass
        paths = [os.fsencode(path) for path in sorted(Path(folder).rglob("*")) if path.is_file()]
        message = Worker().analyze_files(paths)
        return len(Batch.from_bytes(message).files_only().to_bytes() if are_stored else message) / len(paths)


def tables(
    local: list[Cost], over: list[Cost], starts: tuple[float, float], size: float, rows: float, task: tuple[float, float], title: str
) -> str:
    """The page: what a file costs locally and over the cluster, and what a billion files would take."""
    ratios = sorted(a.total / b.total for a, b in zip(local, over, strict=True))
    own, with_cluster = statistics.median(c.total for c in local), statistics.median(c.total for c in over)
    driver, scheduler, workers = (max(1e-9, statistics.median(getattr(c, n) for c in over)) for n in ("driver", "scheduler", "workers"))
    lines = [
        f"| {title} | |",
        "| --- | --- |",
        f"| processor time per file, local run | {own * 1e6:.0f} µs |",
        f"| processor time per file, over the cluster | {with_cluster * 1e6:.0f} µs |",
        f"| files per processor second, beside a local run | {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |",
        f"| of that the driver, with the database | {driver * 1e6:.0f} µs |",
        f"| of that the scheduler | {scheduler * 1e6:.0f} µs |",
        f"| of that the workers | {workers * 1e6:.0f} µs |",
        f"| a run over one tar, local and over the cluster | {starts[0]:.1f} and {starts[1]:.1f} s of processor time |",
        f"| an empty task, one after the other | {task[0] * 1e3:.1f} ms |",
        f"| an empty task, processor time of the scheduler | {task[1] * 1e3:.1f} ms |",
        f"| rows per file, from a worker to the driver | {rows:,.0f} bytes |",
        "",
        "| cores | files/s | read from storage | rows to the driver | busy first | a billion files |",
        "| ---: | ---: | ---: | ---: | --- | ---: |",
    ]
    for cores in CORES:
        rates = {"workers": cores / workers, "driver": 1 / driver, "scheduler": 1 / scheduler}
        first = min(rates, key=lambda name: rates[name])
        rate = rates[first]
        hours = BILLION / rate / 3600
        lines.append(
            f"| {cores:,} | {rate:,.0f} | {rate * size / 1e6:,.0f} MB/s | {rate * rows / 1e6:,.0f} MB/s | {first} | {hours:,.0f} h |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, and print the tables or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parquet", action="store_true")
    parser.add_argument("--page", action="store_true")
    arguments = parser.parse_args()
    database = "parquet:{}/facts" if arguments.parquet else "{}/x.db"
    with tempfile.TemporaryDirectory() as folder, cluster(arguments.workers) as pids:
        write_shards(Path(folder), arguments.files)
        first, whole = Path(folder) / "00000.tar", Path(folder)
        size = sum(path.stat().st_size for path in whole.iterdir()) / arguments.files
        local, over, starts = [], [], []
        for _ in range(arguments.rounds):
            few = measure(first, arguments.workers, None, database), measure(first, arguments.workers, pids, database)
            starts.append((few[0].total, few[1].total))
            more = arguments.files - SHARD_FILES
            local.append(measure(whole, arguments.workers, None, database).per_file(few[0], more))
            over.append(measure(whole, arguments.workers, pids, database).per_file(few[1], more))
        own, with_cluster = (statistics.median(values) for values in zip(*starts, strict=True))
        title = f"{arguments.files:,} songs in tars of {SHARD_FILES:,}, {arguments.rounds} rounds"
        text = tables(local, over, (own, with_cluster), size, row_bytes(500, arguments.parquet), task_seconds(pids), title)
    if arguments.page:
        generated_blocks.fill(PAGE, "cluster-parquet" if arguments.parquet else "cluster", text)
    else:
        print(text)


if __name__ == "__main__":
    run_program(main)
