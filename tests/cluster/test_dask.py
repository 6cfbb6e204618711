"""Runs over a Dask cluster: a scheduler and three workers, each on a host of its own where network namespaces can be made (network.py).

`make cluster-tests` installs Dask; without it these tests are skipped.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import midiopt
from benchmarks.object_store import free_port, wait_for
from midiopt.errors import MidioptError
from midiopt.schema import FILES as FILES_TABLE
from tests.helpers import parquet
from tests.helpers.archives import songs, tar_of, zip_of
from tests.helpers.databases import wait_until
from tests.helpers.network import Host, network
from tests.helpers.processes import FAULT_INJECTION, ask, children, command, finish, tables, with_faults, written
from tests.helpers.songs import faulty_song, write_songs

pytestmark = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="Dask is not installed (make cluster-tests)")
FILES = 2000


class Cluster:
    """A scheduler, and three workers of one thread each, on a host of its own each."""

    def __init__(self, folder: Path, hosts: list[Host]) -> None:
        self.folder = folder
        self.host, *self.worker_hosts = hosts
        self.address = f"{self.host.address}:{free_port()}"
        self.url = f"dask://{self.address}"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.start()

    def start(self) -> None:
        """The scheduler, and the workers, which are known to it when this returns."""
        host, _, port = self.address.partition(":")
        self.scheduler = self._start(self.host, "scheduler", "--host", host, "--port", port, "--no-dashboard", "--no-show")
        wait_for(self.address)
        for _ in self.worker_hosts:
            self.add_worker()
        self._wait_for(len(self.workers))

    def add_worker(self) -> None:
        """One more worker, on the host that has none."""
        host = self.worker_hosts[len(self.workers)]
        options = ["--nthreads", "1", "--no-dashboard", "--host", host.address, "--local-directory", str(self.folder), "--no-nanny"]
        self.workers.append(self._start(host, "worker", f"tcp://{self.address}", *options))

    def kill_worker(self) -> None:
        """Kill a worker."""
        worker = self.workers.pop()
        worker.kill()
        worker.wait()

    def stop(self) -> None:
        """Kill the scheduler and its workers."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
        self.workers.clear()

    def _start(self, host: Host, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FAULT_INJECTION), *filter(None, sys.path)])}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*host.command, sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]], stderr=log, env=environment
            )

    def _wait_for(self, workers: int) -> None:
        from distributed import Client

        with Client(f"tcp://{self.address}", set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    """Three workers, whose processes of midiopt have the faults of fault_injection/sitecustomize.py."""
    with network(4) as hosts:
        cluster = Cluster(tmp_path_factory.mktemp("cluster"), hosts)
        yield cluster
        cluster.stop()


@pytest.fixture(scope="module")
def collection(tmp_path_factory) -> Path:
    """Files and shards, among them one file and one member that kill whoever analyses them."""
    folder = write_songs(tmp_path_factory.mktemp("collection"), FILES)
    (folder / "000" / "00100-fault.mid").write_bytes(faulty_song("segfault"))
    (folder / "a.tar").write_bytes(tar_of(songs(400, 10_000) | {"fault.mid": faulty_song("kill")} | songs(400, 20_000)))
    (folder / "b.zip").write_bytes(zip_of(songs(400, 30_000)))
    return folder


@pytest.fixture(scope="module")
def single(collection, tmp_path_factory) -> tuple[list, list]:
    """The tables of a run on this machine alone."""
    db = tmp_path_factory.mktemp("single") / "x.db"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FAULT_INJECTION), *filter(None, sys.path)])}
    assert finish(collection, "--db", db, "--quiet", env=environment).returncode == 0
    return tables(db)


@contextlib.contextmanager
def running(cluster: Cluster, collection: Path, db: object) -> Iterator[subprocess.Popen[bytes]]:
    """A run that has written its first rows when the with block begins; at the end it has finished."""
    run = subprocess.Popen(command(collection, "--db", db, "--executor", cluster.url, "--quiet", "--batch-size", 128))
    try:
        wait_until(lambda: written(db))
        assert run.poll() is None
        yield run
        assert run.wait(120) in (0, 128 + signal.SIGINT, -signal.SIGKILL)
    finally:
        run.kill()
        run.wait()


def test_a_cluster_gives_the_tables_of_one_machine(cluster, collection, single, url):
    """SQLite and PostgreSQL, crashes included; the second run has little to do. The tests below compare the facts, too."""
    done = finish(collection, "--db", url, "--executor", cluster.url, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert tables(url)[0] == single[0]
    again = midiopt.run([collection], url, executor=cluster.url)
    assert again.skipped == FILES + 1 and tables(url)[0] == single[0]


def test_a_worker_is_killed_in_the_middle(cluster, collection, single, tmp_path):
    with running(cluster, collection, tmp_path / "x.db"):
        cluster.kill_worker()
    cluster.add_worker()
    assert tables(tmp_path / "x.db") == single


def test_the_scheduler_is_restarted(cluster, collection, single, tmp_path):
    """And with it the workers, which end with their scheduler."""
    with running(cluster, collection, tmp_path / "x.db"):
        cluster.stop()
        cluster.start()
    assert tables(tmp_path / "x.db") == single


def test_the_client_is_killed_and_started_again(cluster, collection, single, tmp_path):
    db = tmp_path / "x.db"
    with running(cluster, collection, db) as run:
        run.kill()
    assert 0 < written(db) < len(single[0])
    assert finish(collection, "--db", db, "--executor", cluster.url, "--quiet").returncode == 0
    assert tables(db) == single
    assert [outcome for (outcome,) in ask(db, "SELECT outcome FROM runs ORDER BY id")] == ["killed", "finished"]


@pytest.mark.parametrize("what", ["nothing", "a worker", "the scheduler", "the client"])
def test_workers_write_parquet_parts(what, cluster, collection, tmp_path):
    """Whatever is killed once the first part is there; the rows are those of a run on this machine."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    alone, url = f"parquet:{tmp_path}/alone", f"parquet:{tmp_path}/facts"
    assert finish(collection, "--db", alone, "--quiet", env=with_faults()).returncode == 0
    line = command(collection, "--db", url, "--executor", cluster.url, "--quiet", "--batch-size", 128)
    with subprocess.Popen(line) as run:
        wait_until(lambda: parquet.parts(url) or run.poll() is not None)
        if what == "a worker":
            cluster.kill_worker()
            cluster.add_worker()
        elif what == "the scheduler":
            cluster.stop()
            cluster.start()
        elif what == "the client":
            run.kill()
            run.wait()
            assert finish(collection, "--db", url, "--executor", cluster.url, "--quiet").returncode == 0
    assert what == "the client" or run.returncode == 0
    assert lasting_rows(url) == lasting_rows(alone)
    midiopt.run([collection / "000"], url)
    assert not list(Path(url.removeprefix("parquet:")).glob(".part-*.tmp"))


def lasting_rows(url: str) -> list[dict]:
    """The rows in the order of their paths, but for what differs between runs."""
    volatile = {column.name for column in FILES_TABLE if column.volatile}
    rows = [{name: value for name, value in row.items() if name not in volatile} for row in parquet.rows(url)]
    return sorted(rows, key=lambda row: row["path"])


def test_a_signal_ends_the_run_with_what_is_written(cluster, collection, single, tmp_path):
    db = tmp_path / "x.db"
    with running(cluster, collection, db) as run:
        run.send_signal(signal.SIGINT)
    assert run.returncode == 128 + signal.SIGINT and written(db) < len(single[0])
    midiopt.run([collection / "003"], db, executor=cluster.url)
    assert ask(db, "SELECT outcome FROM runs ORDER BY id") == [("interrupted",), ("finished",)]


def test_tasks_share_one_process(cluster, collection, tmp_path):
    """Each worker has at most one process of midiopt per thread, however many tasks it has executed."""
    midiopt.run([collection / "000"], tmp_path / "x.db", executor=cluster.url)
    assert all(len(children(worker.pid)) <= 1 for worker in cluster.workers)


def test_dask_on_this_machine(collection, tmp_path):
    """dask:local needs no other process than those of midiopt, and leaves none."""
    before = children(os.getpid())
    summary = midiopt.run([collection / "001"], tmp_path / "x.db", executor="dask:local", workers=2)
    assert summary.ok == 200
    wait_until(lambda: set(children(os.getpid())) <= set(before))


def test_no_scheduler(tmp_path):
    with pytest.raises(MidioptError, match=r"no Dask scheduler answers at 127\.0\.0\.1:9"):
        midiopt.run([tmp_path], tmp_path / "x.db", executor="dask://127.0.0.1:9")
