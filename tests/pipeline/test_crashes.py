"""Files that crash their worker or take too long, and workers that are killed: no other file is affected."""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import subprocess
import time

import pytest

import midiopt
from midiopt.cli import analyze
from midiopt.core.analyzer import Analyzer
from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch
from midiopt.rows.builder import RowBuilder
from midiopt.rows.decode import row_to_dict
from midiopt.schema import FILES, OK
from tests.helpers.archives import zip_of
from tests.helpers.databases import wait_until
from tests.helpers.processes import alive, children, command, file_rows, finish, tables, with_faults, write_faulty
from tests.helpers.songs import faulty_song, song, write_songs


def pressures(count: int, words: bytes = b"") -> bytes:
    """A file with a text, `count` channel pressures in running status (two bytes each, the shortest events) and an End of Track."""
    events = bytes([0, 0xFF, 1, len(words)]) + words + bytes.fromhex("00 D0 01") + bytes.fromhex("00 01") * (count - 1)
    events += bytes.fromhex("00 FF 2F 00")
    return bytes.fromhex("4D 54 68 64  00 00 00 06  00 00  00 01  00 60") + b"MTrk" + struct.pack(">I", len(events)) + events


@pytest.mark.parametrize(("workers", "reader"), [(1, "ahead"), (2, "ahead"), (2, "always-ahead")])
def test_a_file_that_crashes_its_worker_affects_no_other(tmp_path, workers, reader):
    folder = write_songs(tmp_path / "songs", 300)
    midiopt.run([folder], str(tmp_path / "quiet.db"))
    causes = {"abort": "SIGABRT", "segfault": "SIGSEGV", "kill": "SIGKILL", "exit": "exit code 7"}
    faulty = {
        str(write_faulty(folder / f"00{i % 2}" / f"00{i}00-{name}.mid", name)): cause for i, (name, cause) in enumerate(causes.items())
    }
    db = tmp_path / "x.db"
    done = finish(folder, "--db", db, "--workers", workers, "--json", "--quiet", env=with_faults(MIDIOPT_READER=reader))
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["files"], summary["ok"], summary["crashed"]) == (304, 300, 4)
    files, analyses = tables(db)
    assert ([row for row in files if row[0] not in faulty], analyses) == tables(tmp_path / "quiet.db")
    for path, cause in faulty.items():
        [row] = [row for row in files if row[0] == path]
        info = os.stat(path)
        assert row[1:6] == (info.st_size, info.st_mtime_ns, None, "crashed", f"the worker process crashed: {cause}")

    assert midiopt.run([folder], str(db)).ok == 4, "without the faults: a crashed file is tried again by the next run"


def test_an_exception_in_a_worker_costs_its_file_alone(tmp_path):
    """As a file and as a member: no worker ends, so a thousand of them take no longer than other files."""
    folder = write_songs(tmp_path / "songs", 200)
    faulty = [write_faulty(folder / f"000/00100-{i:03}.mid", "raise", faulty_song("raise") + b"%d" % i) for i in range(100)]
    archive = folder / "x.zip"
    archive.write_bytes(zip_of({"a.mid": song(1), "b.mid": faulty_song("raise"), "c.mid": song(2)}))
    db, log = tmp_path / "x.db", tmp_path / "log"
    done = finish(folder, "--db", db, "--workers", 1, "--json", "--quiet", "--log", log, env=with_faults())
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["ok"], json.loads(done.stdout)["crashed"]) == (202, 102)
    found = file_rows(db)
    for path in (*faulty, f"{archive}!/b.mid"):
        assert found[str(path)][:2] == ("crashed", "internal error: RuntimeError: injected") and found[str(path)][2] > 0
    assert found[str(archive)][:2] == ("crashed", "1 of its members ended as crashed")
    assert "retry" not in log.read_text()

    again = midiopt.run([folder], str(db))
    assert (again.ok, again.opened, again.crashed) == (103, 1, 0), "a crashed file is tried again by the next run"


def test_an_exception_after_the_analysis_loses_no_copy():
    """The row cannot hold the size of the first file; the second one has the same content and must bring its analysis."""
    worker = Worker()
    rows = worker._make_rows([(b"/a.mid", 2**64, -(2**70), song(1), OK, None), (b"/b.mid", 5, 6, song(1), OK, None)], RowBuilder())
    batch = Batch.from_bytes(rows.message())
    first, second = (row_to_dict(FILES, row, batch.heap) for row in batch.files)
    assert (first["status"], first["size_bytes"], first["mtime_ns"]) == ("crashed", 0, 0) and "internal error" in first["error"]
    assert (second["status"], second["size_bytes"], len(batch.analyses)) == ("ok", 5, 1)


def test_a_file_that_takes_too_long_is_crashed(tmp_path):
    folder = write_songs(tmp_path / "songs", 200)
    path = write_faulty(folder / "000" / "00100-hang.mid", "hang")
    db = tmp_path / "x.db"
    done = finish(folder, "--db", db, "--workers", 2, "--file-timeout", "0.7", "--json", "--quiet", env=with_faults())
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["ok"], json.loads(done.stdout)["crashed"]) == (200, 1)
    assert [row[0::5] for row in tables(db)[0] if row[4] == "crashed"] == [(str(path), "analysis took more than 0.7 seconds")]


def test_exhausted_memory_affects_only_the_file_that_needs_it(tmp_path):
    """A malloc of the compiled code fails: a million events, in a worker without address space for them."""
    folder = write_songs(tmp_path / "songs", 200)
    write_faulty(folder / "000" / "00100-memory.mid", "memory", pressures(1_000_000, b"fault:memory"))
    done = finish(folder, "--db", tmp_path / "x.db", "--workers", 1, "--json", "--quiet", env=with_faults())
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["ok"], json.loads(done.stdout)["unreadable"]) == (200, 1)
    assert [row[5] for row in tables(tmp_path / "x.db")[0] if row[4] == "unreadable"] == ["not enough memory for the events"]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_an_invalid_row_affects_no_other_row_of_its_batch(tmp_path, pg_url, database):
    folder = write_songs(tmp_path / "songs", 300)
    path = write_faulty(folder / "000" / "00100-invalid.mid", "invalid_row")
    db = str(tmp_path / "x.db") if database == "sqlite" else pg_url
    done = finish(folder, "--db", db, "--workers", 2, "--json", "--quiet", env=with_faults())
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["ok"], json.loads(done.stdout)["crashed"]) == (300, 1)
    [row] = [row for row in tables(db)[0] if "00100-invalid" in row[0]]
    assert (row[0], row[5]) == (str(path), "internal error: invalid value in column bpm_source")


@pytest.mark.parametrize("seed", range(3))
def test_killed_workers_lose_no_file(songs, expected, tmp_path, seed):
    """Workers are killed at random times: no row is missing, and no file is `crashed`."""
    db = tmp_path / "x.db"
    run = subprocess.Popen(command(songs, "--db", db, "--workers", 2, "--json", "--quiet"), stdout=subprocess.PIPE, text=True)
    rng = random.Random(seed)
    killed = 0
    while run.poll() is None:
        time.sleep(rng.uniform(0, 0.06))  # less than a worker takes to start, so at least one is killed
        workers = children(run.pid)
        if workers and killed < 12:
            unlucky = rng.choice(workers)
            try:
                os.kill(unlucky, rng.choice((signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)))
                killed += 1
            except ProcessLookupError:
                pass
    summary = json.loads(run.communicate()[0])
    assert run.returncode == 0
    assert killed >= 1
    assert (summary["ok"], summary["crashed"]) == (3000, 0)
    assert tables(db) == expected


def test_workers_that_die_during_start_up_are_replaced(tmp_path):
    folder = write_songs(tmp_path / "songs", 200)
    environment = with_faults(MIDIOPT_FAULT_STARTS=f"{tmp_path}/count:15")
    done = finish(folder, "--db", tmp_path / "x.db", "--workers", 2, "--json", "--quiet", env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"] == 200
    assert (tmp_path / "count").stat().st_size > 15


def test_a_run_whose_workers_cannot_start_ends_with_an_error(tmp_path):
    environment = with_faults(MIDIOPT_FAULT_STARTS=f"{tmp_path}/count:1000")
    done = finish(write_songs(tmp_path / "songs", 200), "--db", tmp_path / "x.db", "--workers", 2, env=environment)
    assert done.returncode == 1
    assert "worker processes end during start-up (exit code 7)" in done.stderr and "Traceback" not in done.stderr
    assert midiopt.run([tmp_path / "songs"], str(tmp_path / "x.db")).ok == 200


@pytest.mark.parametrize("hanging", [1, 2])
def test_workers_end_when_the_parent_dies(songs, tmp_path, hanging):
    """One that waits at its pipe, and those that would never read from it again."""
    hangs = tmp_path / "hangs"
    hangs.touch()
    paths = sorted(songs.rglob("*.mid"))
    for i in range(hanging):
        paths[200 * i] = write_faulty(tmp_path / f"{i}.mid", "hang")  # the second one is in the second worker's first task
    (tmp_path / "list").write_text("".join(f"{path}\n" for path in paths))
    arguments = (f"@{tmp_path}/list", "--db", tmp_path / "x.db", "--workers", 2, "--quiet", "--file-timeout", 600)
    run = subprocess.Popen(command(*arguments), env=with_faults(MIDIOPT_FAULT_HANGS=str(hangs)))
    wait_until(lambda: len(children(run.pid)) == 2 and hangs.stat().st_size == hanging)
    workers = children(run.pid)
    run.kill()
    run.wait()
    wait_until(lambda: not any(map(alive, workers)))


def test_limits_per_file_are_options(tmp_path):
    small, large = tmp_path / "small.mid", tmp_path / "large.mid"
    small.write_bytes(song(1, notes=10))
    large.write_bytes(song(2, notes=100))
    size, events = large.stat().st_size, 203  # a title, a tempo, an End of Track
    exactly = midiopt.run([tmp_path], tmp_path / "exactly.db", max_file_bytes=size, max_events=events)
    assert (exactly.ok, exactly.rejected) == (2, 0)
    for option, limit, reason in (
        ("--max-file-bytes", size - 1, f"{size:,} bytes, over the limit of {size - 1:,}"),
        ("--max-events", events - 1, f"more than {events - 1:,} events at byte {size - 4}"),
    ):
        db = tmp_path / f"{option}.db"
        assert finish(tmp_path, "--db", db, option, limit, "--quiet").returncode == 0
        assert [row[4:6] for row in tables(db)[0]] == [("rejected", reason), ("ok", None)]


@pytest.mark.parametrize(
    ("option", "value"), [("--max-file-bytes", 2**31 + 1), ("--max-events", 10**8 + 1), ("--file-timeout", 0), ("--file-timeout", "nan")]
)
def test_a_limit_out_of_range_is_wrong_usage(tmp_path, option, value):
    with pytest.raises(SystemExit, match="2"):
        analyze.main([str(tmp_path), "--db", str(tmp_path / "x.db"), option, str(value)])


def test_the_event_limit_can_be_raised():
    many = pressures(8_000_000)
    with pytest.raises(midiopt.TooLarge, match="more than 8,000,000 events"):
        Analyzer().analyze(many, bytes(16), 1, bytearray(), bytearray())
    rows = bytearray()
    Analyzer(8_000_002).analyze(many, bytes(16), 1, rows, bytearray())
    assert rows
