"""Workers that are stopped (SIGSTOP): they are replaced within --file-timeout, and a signal ends the run all the same."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midiopt.pipeline.hash_table_writer import SharedHashTableWriter
from midiopt.pipeline.message_pipe import MessagePipe
from midiopt.pipeline.options import RunOptions
from midiopt.pipeline.pool import WorkerPool
from midiopt.pipeline.tasks import AnalyzeFiles
from midiopt.rows.batch import Batch
from midiopt.schema import OK
from tests.helpers.databases import wait_until
from tests.helpers.processes import children, command, finish, process_state, tables, with_faults, written
from tests.helpers.songs import write_songs

FREEZES = pytest.mark.parametrize("when", ["start", "answer"])


@FREEZES
@pytest.mark.parametrize("workers", [1, 2])
def test_a_frozen_worker_is_replaced(when, workers, songs, expected, tmp_path):
    """Before its first file, or with half of an answer in the pipe; no file is lost, and none is blamed."""
    log = tmp_path / "log"
    environment = with_faults(MIDIOPT_FAULT_FREEZES=f"{when}:{tmp_path}/count:2")
    more = ("--workers", workers, "--file-timeout", 0.7, "--log", log, "--json", "--quiet")
    done = finish(songs, "--db", tmp_path / "x.db", *more, env=environment)
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["ok"], json.loads(done.stdout)["crashed"]) == (3000, 0)
    assert tables(tmp_path / "x.db") == expected
    reasons = [entry["reason"] for entry in map(json.loads, log.read_text().splitlines()) if entry["event"] == "retry"]
    assert reasons.count({"start": "a worker did not begin within 0.7 seconds", "answer": "analysis took more than 0.7 seconds"}[when]) >= 1


@FREEZES
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_does_not_wait_for_a_frozen_worker(when, number, code, songs, tmp_path):
    """The first signal, whatever the parent waits for: one of two workers is frozen for good, the other one has done its work."""
    db = tmp_path / "x.db"
    arguments = command(songs, "--db", db, "--workers", 2, "--batch-size", 128, "--file-timeout", 600, "--quiet", "--json")
    environment = with_faults(MIDIOPT_FAULT_FREEZES=f"{when}:{tmp_path}/count:1")
    run = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    wait_until(lambda: "T" in map(process_state, children(run.pid)) and written(db) >= 2304)  # 3,000 less four queued tasks
    run.send_signal(number)
    stdout, stderr = run.communicate(timeout=60)
    assert run.returncode == code and "run the same command again" in stderr and "Traceback" not in stderr
    assert json.loads(stdout)["ok"] == written(db) >= 2304


def test_all_workers_frozen_and_a_signal(songs, tmp_path):
    """Nobody answers: the run ends without them."""
    arguments = command(songs, "--db", tmp_path / "x.db", "--workers", 2, "--file-timeout", 600, "--quiet")
    environment = with_faults(MIDIOPT_FAULT_FREEZES=f"answer:{tmp_path}/count:9")
    run = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, env=environment)
    wait_until(lambda: [process_state(pid) for pid in children(run.pid)] == ["T", "T"])
    run.send_signal(signal.SIGINT)
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == 130 and "Traceback" not in stderr
    assert not Path(tmp_path / "x.db-wal").exists()


def raw(messages: list[bytes]) -> bytes:
    """What a worker writes: each message after its length."""
    return b"".join(len(message).to_bytes(4) + message for message in messages)


@settings(max_examples=40)  # each cut costs REST_TIMEOUT
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.lists(st.integers(1, 30), min_size=1))
def test_messages_arrive_however_they_are_cut(messages, sizes):
    pipe, found = MessagePipe(), []
    data = raw(messages)
    while data:
        for size in sizes:
            os.write(pipe.theirs.fileno(), data[:size])
            data = data[size:]
            while pipe.has_data() and (message := pipe.receive()) is not None:
                found.append(message)
            if not data:
                break
    assert found == messages and pipe.receive() is None
    pipe.theirs.close()
    with pytest.raises(EOFError):
        pipe.receive()
    pipe.close()


def test_sending_to_a_full_pipe_does_not_block():
    """The rest follows as the worker reads; the worker's end blocks."""
    pipe = MessagePipe()
    messages = [bytes([i]) * 100_000 for i in range(20)]
    for message in messages:
        pipe.send(message)
    found = []
    for _ in messages:
        pipe.send_rest()
        found.append(pipe.theirs.recv_bytes())
    assert found == messages
    pipe.theirs.close()
    pipe.close()


@pytest.mark.parametrize("header", ["00000000", "FFFFFFFF", "80000000"])  # no length: 0, -1, -2^31
def test_a_worker_that_writes_nonsense_counts_as_dead(header):
    pipe = MessagePipe()
    os.write(pipe.theirs.fileno(), bytes.fromhex(header))
    with pytest.raises(EOFError):
        pipe.receive()
    pipe.theirs.close()
    pipe.close()


def test_a_worker_that_is_killed_as_its_answers_arrive(tmp_path):
    """What it has sent is no reason to kill it. If it is killed nevertheless, all that it has not been asked for again is done again."""
    write_songs(tmp_path, 4)
    paths = [os.fsencode(path) for path in sorted(tmp_path.rglob("*.mid"))]
    with contextlib.closing(SharedHashTableWriter()) as table, WorkerPool(RunOptions(workers=1), table) as pool:
        pool.start_worker()
        [worker] = pool._workers
        for task in (AnalyzeFiles(paths[:2]), AnalyzeFiles(paths[2:])):
            worker.send(task)
        wait_until(lambda: worker.heartbeat.items_started == 4 and worker.pipe.has_data())
        assert not worker.is_late(0)
        worker.kill()
        pool._handle_exit(worker)
        results = [result for results in pool.run(iter(())) for result in results]
    batches = [Batch.from_bytes(result.message) for result in results]
    assert sorted(row["status"] for batch in batches for row in batch.files) == [OK] * 4
