"""Runs over archives: shared between workers, stopped, crashed and repeated."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import random
import signal
import subprocess
import time

import pytest

import midiopt
from midiopt.pipeline.hash_table_writer import SharedHashTableWriter
from midiopt.pipeline.heartbeat import Heartbeat
from midiopt.pipeline.pool import MAX_QUEUED_TASKS, WorkerPool
from midiopt.pipeline.tasks import MEMBERS_PER_TASK, FinishArchive, MemberRange, ReadMembers
from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch
from midiopt.rows.decode import row_to_dict
from midiopt.schema import ANALYSES, FILES
from tests.helpers.archives import MAKERS, analyze_archive, outcomes, process_task, songs, tar_of, zip_of
from tests.helpers.batches import known_hash, stored
from tests.helpers.databases import wait_until
from tests.helpers.processes import FAULT_INJECTION, ask, children, command, file_rows, finish, stored_hash, with_faults, written
from tests.helpers.songs import faulty_song, song


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_large_archives_are_read_in_ranges(name, tmp_path):
    """By several workers if it is a zip or plain tar; the rows equal those of the files."""
    files = songs(5 * MEMBERS_PER_TASK + 7)
    path = tmp_path / name
    path.write_bytes(MAKERS[name](files))
    (_, one), (summary, three) = analyze_archive(path, 1), analyze_archive(path, 3)
    assert one == three
    assert (summary.ok, summary.opened, summary.files) == (len(files), 1, len(files) + 1)
    assert {n: row[4] for n, row in one.items() if n} == {n: known_hash(data) for n, data in files.items()}


def test_an_archive_that_ends_with_a_range(tmp_path):
    path = tmp_path / "x.tar"
    path.write_bytes(tar_of(songs(2 * MEMBERS_PER_TASK) | {"d9/._last.mid": b""}))
    summary, _ = analyze_archive(path, 2)
    assert (summary.ok, summary.opened, summary.appledouble) == (2 * MEMBERS_PER_TASK, 1, 1)


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_an_unchanged_archive_is_not_read_again(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(MAKERS[name](songs(200)))
    _first, before = analyze_archive(path)
    again, after = analyze_archive(path)
    assert (again.files, again.skipped, again.analysed, again.opened) == (1, 1, 0, 0) and before == after
    path.write_bytes(MAKERS[name](songs(201)))
    third, after = analyze_archive(path)
    assert third.ok == 201 and set(before) < set(after)


def test_an_archive_that_changes_between_two_tasks(tmp_path):
    """A task says what the archive was when it was first opened; the next run reads a changed one again."""
    data = tar_of(songs(300))
    first, _ = process_task(data, tmp_path)
    task = ReadMembers(b"", MemberRange(MEMBERS_PER_TASK, 2 * MEMBERS_PER_TASK), first.state)
    report, found = process_task(data + bytes(512), tmp_path, task)
    assert report.has_archive_row and found == {"": ("unreadable", "the archive changed while it was being read")}
    report, found = process_task(data, tmp_path, FinishArchive(b"", first.state))
    assert report.has_archive_row and report.is_finish and found == {"": ("unreadable", "the archive changed while it was being read")}


def test_an_archive_that_changes_within_a_task(tmp_path):
    class Writer(Heartbeat):
        """Another program, which writes while a member is read."""

        def start_member(self, number: int, part: int, path: bytes) -> None:
            super().start_member(number, part, path)
            os.utime(tmp_path / "x.tar", ns=(number, number))

    (tmp_path / "x.tar").write_bytes(tar_of(songs(2)))
    with contextlib.closing(Worker(heartbeat=Writer())) as worker:
        batch = Batch.from_bytes(worker.process(ReadMembers(os.fsencode(tmp_path / "x.tar"))))
    errors = [row_to_dict(FILES, row, batch.heap)["error"] for row in batch.files]
    assert errors == [None, None, "the archive changed while it was being read"]


def test_a_run_that_is_stopped_inside_an_archive_is_completed(tmp_path, url):
    """The archive has no row until those of all its members are written, so the next run reads it again."""
    path = tmp_path / "x.tar.gz"
    path.write_bytes(tar_of(songs(1000) | {"d16/0800.mid": faulty_song("hang")}, "w:gz"))
    archive_row = f"SELECT status FROM files WHERE path = '{path}'"
    arguments = (path, "--db", url, "--batch-size", 128, "--quiet")
    for number, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)):
        hangs = tmp_path / f"hangs-{number}"
        hangs.touch()
        environment = with_faults(MIDIOPT_FAULT_HANGS=str(hangs))
        with subprocess.Popen(command(*arguments, "--file-timeout", 600), env=environment) as run:
            wait_until(lambda hangs=hangs: hangs.stat().st_size > 0 and written(url) >= 256)  # its worker hangs in member 800
            run.send_signal(number)
        assert run.returncode == code
        assert ask(url, archive_row) == []
    assert finish(*arguments).returncode == 0
    assert written(url) == 1001 and ask(url, archive_row) == [("opened",)]


def test_archives_give_the_same_rows_in_both_databases(tmp_path, pg_url):
    """Whole, damaged and nested ones, and members that cannot be read."""
    music = tmp_path / "music"
    music.mkdir()
    for i, (name, make) in enumerate(MAKERS.items()):
        inner = zip_of(songs(5, 1000 + i)) if i % 2 else tar_of(songs(5, 1000 + i), "w:gz")[:-40]
        data = make(songs(2 * MEMBERS_PER_TASK, 10 * i) | {"in.zip": inner, "bad.mid": b"<html>", "packed.mid.gz": gzip.compress(song(i))})
        (music / name).write_bytes(data if i % 3 else data[: -len(data) // 10])
    urls = (f"sqlite:///{tmp_path}/x.db", pg_url)
    one, other = (midiopt.run([music], url, batch_size=100) for url in urls)
    for status in ("ok", "rejected", "unreadable", "opened"):
        assert getattr(one, status) == getattr(other, status) > 0
    for table, columns in (("files", FILES), ("analyses", ANALYSES)):
        kept = [c.name for c in columns if not c.volatile and c.name != "content_hash"]  # of which each database has its own
        one, other = (sorted(str([row[name] for name in kept]) for row in stored(url, table)) for url in urls)
        assert one == other


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "nested"])
def test_a_member_that_crashes_its_worker(name, tmp_path, monkeypatch):
    """Only it and its archive are `crashed`, and the next run reads the archive again."""
    monkeypatch.syspath_prepend(FAULT_INJECTION)
    files = songs(3 * MEMBERS_PER_TASK) | {"d1/0077.mid": faulty_song("segfault")}
    data = zip_of({"in.zip": zip_of(files), "z.mid": song(9999)}) if name == "nested" else MAKERS[name](files)
    path = tmp_path / f"{name}.zip"
    path.write_bytes(data)
    for workers in (1, 2):
        summary, found = analyze_archive(path, workers)
        status, error = outcomes(found)["in.zip!/d1/0077.mid" if name == "nested" else "d1/0077.mid"]
        assert (status, error) == ("crashed", "the worker process crashed: SIGSEGV")
        assert summary.ok == len(files) - 1 + (name == "nested")
        assert found[""][:2] == ("crashed", "1 of its members ended as crashed")
    monkeypatch.undo()
    summary, found = analyze_archive(path, 1)
    assert summary.ok == len(files) + (name == "nested") and found[""][:2] == ("opened", None)


def test_a_stream_goes_on_with_the_worker_in_the_place_of_a_dead_one(tmp_path):
    """More of it is to be handed out than the dead one had in hand."""
    path = tmp_path / "x.tar.gz"
    path.write_bytes(tar_of({f"{i}.mid": song(i, 1) for i in range((MAX_QUEUED_TASKS + 2) * MEMBERS_PER_TASK)}, "w:gz"))
    rows = killed = 0
    with contextlib.closing(SharedHashTableWriter()) as table, WorkerPool(midiopt.RunOptions(workers=1), table) as pool:
        for results in pool.run(iter([ReadMembers(os.fsencode(path))])):
            rows += sum(len(Batch.from_bytes(result.message).files) for result in results)
            if results and not killed:
                killed = pool._workers[0].process.pid
                os.kill(killed, signal.SIGKILL)
    assert rows == (MAX_QUEUED_TASKS + 2) * MEMBERS_PER_TASK + 1


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_killed_workers_cost_no_member_its_row(name, tmp_path):
    files = songs(2000)
    path, db = tmp_path / name, tmp_path / "x.db"
    path.write_bytes(MAKERS[name](files))
    arguments = command(path, "--db", db, "--workers", 2, "--json", "--quiet")
    run = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    rng, killed = random.Random(1), 0
    while run.poll() is None:
        if (workers := children(run.pid)) and killed < 6:
            with contextlib.suppress(ProcessLookupError):
                os.kill(rng.choice(workers), signal.SIGKILL)
                killed += 1
        time.sleep(0.1)  # between two crashes, so that the run gets on
    summary = json.loads(run.communicate()[0])
    assert run.returncode == 0 and killed
    assert (summary["ok"], summary["crashed"], summary["opened"]) == (2000, 0, 1)
    assert {p: row[4] for p, row in file_rows(db).items() if p != str(path)} == {
        f"{path}!/{n}": stored_hash(db, data) for n, data in files.items()
    }
