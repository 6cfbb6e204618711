"""Disturb runs at random for some minutes: they must leave the same tables as an undisturbed run.

    python -m tests.soak [--seconds 600] [--seed N] [--corpus DIR]

The files are the bundled sample, 10,000 small songs twice, a zip and a tar.gz of the sample and 2,000 further songs,
and those of a corpus (default: the one of accuracy/corpus.py, if present). A round begins with an empty database,
alternately SQLite and PostgreSQL, and repeats the same command until it finishes. Meanwhile workers are killed, paused and
stopped for good, the run is killed and interrupted, and the server crashes and restarts; every other server ends sessions
that idle for a fifth of a second. At the end of a round the tables must equal those of an undisturbed run. The seed, which is
printed, repeats the choices, but not the timing of the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from accuracy.corpus import FILES
from benchmarks import postgres_server
from tests.helpers.archives import tar_of, zip_of
from tests.helpers.processes import alive, ask, children, command, finish, tables
from tests.helpers.songs import song, write_songs

ROOT = Path(__file__).resolve().parent.parent
SONGS = 10_000
MEMBERS = 2_000
MAX_DISTURBANCES = 40  # per round
MAX_INTERVAL = 0.5  # seconds between two: a worker starts in 0.1 s, an undisturbed run takes two or three seconds
FILE_TIMEOUT = 5  # seconds until a worker that was stopped is replaced
IDLE_SESSION_TIMEOUT = "200ms"
MAX_FAILURES = 5  # of runs without a disturbance: a crashed server may still be recovering
FATAL_SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)


@dataclass
class Round:
    """One database and the disturbed runs that fill it."""

    rng: random.Random
    sources: list[Path]
    db: Path | str
    server: postgres_server.Server | None
    end: float  # time.monotonic() of the last disturbance
    counts: Counter[str] = field(default_factory=Counter)

    def repeat(self) -> None:
        """Run the command until it finishes. Raises SystemExit if a run ends with an unexpected exit code."""
        left = self.rng.randint(1, MAX_DISTURBANCES)
        failures = 0
        while True:
            before = self.counts.copy()
            code, error = self.run(left)
            happened = self.counts - before
            left -= happened.total()
            self.counts["runs"] += 1
            if code == 0:
                return
            failures += not happened
            expected = {
                -signal.SIGKILL: happened["runs killed"],
                128 + signal.SIGINT: happened["interrupts"],
                128 + signal.SIGTERM: happened["interrupts"],
                1: self.server and failures < MAX_FAILURES,
            }
            if not expected.get(code) or "Traceback" in error:
                raise SystemExit(f"after {dict(happened)} a run exited with {code}:\n{error}")

    def run(self, max_disturbances: int) -> tuple[int, str]:
        """The exit code and standard error of one run."""
        workers, batch_size = self.rng.randint(1, 3), self.rng.choice((64, 512, 2048))
        arguments = command(*self.sources, "--db", self.db, "--workers", workers, "--batch-size", batch_size, "--quiet")
        arguments += ["--file-timeout", str(FILE_TIMEOUT)]
        with tempfile.TemporaryFile("w+") as stderr:
            run = subprocess.Popen(arguments, stderr=stderr)
            for _ in range(max_disturbances):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    run.wait(self.rng.uniform(0, MAX_INTERVAL))
                if run.returncode is not None or time.monotonic() > self.end:
                    break
                self.disturb(run)
            code = run.wait()
            stderr.seek(0)
            return code, stderr.read()

    def disturb(self, run: subprocess.Popen) -> None:
        """Do one thing at random."""
        kinds: dict[Callable[[subprocess.Popen], str], int] = {
            self.kill_worker: 12, self.pause_worker: 2, self.stop_worker: 1, self.kill_run: 2, self.interrupt: 1,
            self.crash_server: 2 if self.server else 0,
        }  # fmt: skip
        [kind] = self.rng.choices(list(kinds), list(kinds.values()))
        self.counts[kind(run)] += 1

    def signal_one_worker(self, run: subprocess.Popen, number: int) -> None:
        if workers := children(run.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.rng.choice(workers), number)

    def kill_worker(self, run: subprocess.Popen) -> str:
        self.signal_one_worker(run, self.rng.choice(FATAL_SIGNALS))
        return "workers killed"

    def pause_worker(self, run: subprocess.Popen) -> str:
        workers = children(run.pid)
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for worker in workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, number)
            time.sleep(self.rng.uniform(0, MAX_INTERVAL))
        return "pauses"

    def stop_worker(self, run: subprocess.Popen) -> str:
        self.signal_one_worker(run, signal.SIGSTOP)
        return "workers stopped"

    def kill_run(self, run: subprocess.Popen) -> str:
        workers = children(run.pid)
        run.kill()
        run.wait()
        for (
            worker
        ) in workers:  # one that was stopped in its first 0.1 s, before it asked to be killed with its parent, finds that it is gone
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGCONT)
        deadline = time.monotonic() + 10
        while any(map(alive, workers)):
            if time.monotonic() > deadline:
                raise SystemExit("a worker outlived its parent by ten seconds")
            time.sleep(0.01)
        return "runs killed"

    def interrupt(self, run: subprocess.Popen) -> str:
        number, twice, pause = self.rng.choice((signal.SIGINT, signal.SIGTERM)), self.rng.random() < 0.3, self.rng.uniform(0, 0.05)
        if children(run.pid):  # before that, Python may still be starting, which a signal ends in its own way
            run.send_signal(number)
            time.sleep(pause)
            if twice:
                run.send_signal(number)
        return "interrupts"

    def crash_server(self, run: subprocess.Popen) -> str:
        assert self.server
        self.server.stop("immediate")
        time.sleep(self.rng.uniform(0, MAX_INTERVAL))
        self.server.start()
        return "server crashes"


@contextlib.contextmanager
def new_database(server: postgres_server.Server | None, folder: Path) -> Iterator[Path | str]:
    """An empty database: on the server, or without one a SQLite file."""
    if server:
        with postgres_server.database(server.url) as url:
            yield url
    else:
        with tempfile.TemporaryDirectory(dir=folder) as below:
            yield Path(below) / "soak.db"


def pack(sample: Path, folder: Path) -> list[Path]:
    """Archives of the sample and of further songs: a zip, which workers share, and a tar.gz, which one worker streams."""
    files = {str(path.relative_to(sample)): path.read_bytes() for path in sorted(sample.rglob("*.*"))}
    files |= {f"{seed}.mid": song(seed) for seed in range(SONGS, SONGS + MEMBERS)}
    archives = {folder / "packed.zip": zip_of(files), folder / "packed.tar.gz": tar_of(files, "w:gz")}
    for path, data in archives.items():
        path.write_bytes(data)
    return list(archives)


def undisturbed(sources: list[Path], server: postgres_server.Server | None, folder: Path) -> tuple[list, list]:
    """The tables of an undisturbed run."""
    with new_database(server, folder) as db:
        done = finish(*sources, "--db", db, "--quiet")
        if done.returncode:
            raise SystemExit(done.stderr)
        return tables(db)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600, metavar="N", help="start no round after this time (default: %(default)g)")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), metavar="N", help="repeat the choices of an earlier soak (default: random)"
    )
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="your own files (default: the corpus of accuracy/corpus.py, if present)")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    corpus = options.corpus or (FILES if FILES.is_dir() else None)
    with tempfile.TemporaryDirectory() as below, postgres_server.temporary_server() as server:
        folder = Path(below)
        sample = ROOT / "sample" / "midi"
        sources = [sample, *(write_songs(folder / copy, SONGS) for copy in "ab"), *pack(sample, folder), *([corpus] if corpus else [])]
        servers = (None, server)
        expected = {kind: undisturbed(sources, kind, folder) for kind in servers}
        print(f"{len(expected[None][0]):,} files", flush=True)
        end = time.monotonic() + options.seconds
        number = 0
        while time.monotonic() < end:
            kind = servers[number % 2]
            number += 1
            with new_database(kind, folder) as db:
                if kind and number % 4 == 0:
                    name = ask(db, "SELECT current_database()")[0][0]
                    postgres_server.execute(kind.url, f"ALTER DATABASE {name} SET idle_session_timeout = '{IDLE_SESSION_TIMEOUT}'")
                round_ = Round(random.Random(f"{options.seed} {number}"), sources, db, kind, end)
                round_.repeat()
                different = compare(tables(db), expected[kind])
                counts = ", ".join(f"{count} {what}" for what, count in sorted(round_.counts.items()))
                print(f"round {number}, {'PostgreSQL' if kind else 'SQLite'}: {counts}; {different or 'the tables are equal'}", flush=True)
                if different:
                    raise SystemExit(f"failed with seed {options.seed}")


def compare(found: tuple[list, list], expected: tuple[list, list]) -> str:
    """The first rows in which two pairs of tables differ; empty if they are equal."""
    if found == expected:
        return ""
    rows, wanted = ({str(row) for table in both for row in table} for both in (found, expected))
    return f"unexpected: {sorted(rows - wanted)[:3]}, missing: {sorted(wanted - rows)[:3]}"


if __name__ == "__main__":
    main()
