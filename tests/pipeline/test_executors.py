"""Runs over an executor: the same rows as a run with its own worker processes, whatever gets lost."""

from __future__ import annotations

import pickle
from collections import Counter
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from pathlib import Path

import pytest

import midiopt
from midiopt.errors import MidioptError
from midiopt.limits import check_executor
from midiopt.pipeline import executor_pool, executor_task
from midiopt.pipeline.executor_task import ExecutorTask, TaskSettings, run_task
from midiopt.pipeline.executors import UNKNOWN_SLOTS, connect
from midiopt.pipeline.experiments import Experiments
from midiopt.pipeline.options import RunOptions
from midiopt.pipeline.tasks import MEMBERS_PER_SHARD, decode_task
from tests.helpers.archives import MAKERS, songs, tar_of
from tests.helpers.processes import FAULT_INJECTION, ask, tables, write_faulty
from tests.helpers.songs import faulty_song, song, write_songs


class Direct(Executor):
    """Calls the function at once, in the thread that submits it; ``interfere`` is called with the task before, and may raise."""

    def __init__(self, interfere=lambda task: None) -> None:
        self.interfere = interfere

    def submit(self, function, *arguments):
        future = Future()
        try:
            self.interfere(arguments[0])
            future.set_result(function(*pickle.loads(pickle.dumps(arguments))))
        except CancelledError:
            future.cancel()
            future.set_running_or_notify_cancel()
        except Exception as problem:
            future.set_exception(problem)
        return future


@pytest.fixture(scope="module")
def collection(tmp_path_factory) -> Path:
    """600 files, with copies in different folders, and an archive of each kind."""
    folder = write_songs(tmp_path_factory.mktemp("collection"), 600)
    for i in range(3):
        (folder / f"00{i}" / "copy.mid").write_bytes(song(1))
    for name, make in MAKERS.items():
        (folder / name).write_bytes(make(songs(150, start=1000)))
    return folder


@pytest.fixture(scope="module")
def single(collection, tmp_path_factory) -> tuple[list, list]:
    """The tables of a run with processes of its own."""
    db = tmp_path_factory.mktemp("single") / "x.db"
    midiopt.run([collection], db, workers=1)
    return tables(db)


def paths_in(task: ExecutorTask) -> set[str]:
    """The names of the files in a task."""
    return {Path(path.decode()).name for part in task.tasks for path in getattr(decode_task(part), "paths", [])}


def test_any_executor_gives_the_same_tables(collection, single, tmp_path):
    """A second run finds everything unchanged; `runs` says which executor it was."""
    db = tmp_path / "x.db"
    with ThreadPoolExecutor(2) as executor:
        summary = midiopt.run([collection], db, executor=executor)
        assert tables(db) == single
        again = midiopt.run([collection], db, executor=executor)
    assert (again.skipped, again.analysed) == (603 + len(MAKERS), 0) and summary.files == 603 + 151 * len(MAKERS)
    assert ask(db, "SELECT outcome, json_extract(options, '$.executor') FROM runs") == [("finished", "ThreadPoolExecutor")] * 2


def test_small_archives_share_tasks(tmp_path, monkeypatch):
    """Few at first, then up to four; a member that kills its worker costs the others nothing."""
    monkeypatch.syspath_prepend(str(FAULT_INJECTION))
    folder, sizes = tmp_path / "shards", []
    folder.mkdir()
    for i in range(30):
        (folder / f"{i:02}.tar").write_bytes(tar_of(songs(3, 3 * i) | ({"fault.mid": faulty_song("kill")} if i == 25 else {})))
    midiopt.run([folder], tmp_path / "single.db", workers=1)
    midiopt.run([folder], tmp_path / "x.db", executor=Direct(lambda task: sizes.append(len(task.tasks))), workers=2)
    assert tables(tmp_path / "x.db") == tables(tmp_path / "single.db")
    crashed = ask(tmp_path / "x.db", "SELECT path FROM files WHERE status = 'crashed' ORDER BY path")
    assert crashed == [(f"{folder}/25.tar",), (f"{folder}/25.tar!/fault.mid",)]
    assert sizes[0] == 1 and max(sizes) == executor_pool.MAX_ARCHIVES and sum(sizes) == 31, (
        "the last one is the row of the archive with the crash"
    )


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.zip"])
def test_a_large_archive_is_several_tasks(name, tmp_path):
    """More members than a task has, each once; the archive's own row says that all of them were read."""
    path, db = tmp_path / name, tmp_path / "x.db"
    path.write_bytes(MAKERS[name]({f"{i:05}.mid": b"%d" % i for i in range(MEMBERS_PER_SHARD + 300)}))
    calls = []
    summary = midiopt.run([path], db, executor=Direct(calls.append))
    assert (summary.rejected, summary.opened, summary.files) == (MEMBERS_PER_SHARD + 300, 1, MEMBERS_PER_SHARD + 301)
    assert len(tables(db)[0]) == summary.files and len(calls) == 3


def test_a_file_that_kills_its_worker_is_narrowed_down_where_it_is_analysed(tmp_path, monkeypatch):
    """As in a local run, for a file and for a member of an archive: no other file is lost, and no worker of the executor."""
    monkeypatch.syspath_prepend(str(FAULT_INJECTION))
    folder = write_songs(tmp_path / "songs", 150)
    write_faulty(folder / "000" / "00050-fault.mid", "segfault")
    (folder / "x.tar").write_bytes(tar_of(songs(20) | {"fault.mid": faulty_song("segfault")}))
    calls = []
    single, over = tmp_path / "single.db", tmp_path / "over.db"
    midiopt.run([folder], single, workers=1)
    summary = midiopt.run([folder], over, executor=Direct(calls.append))
    assert tables(over) == tables(single)
    assert summary.crashed == 3, "the file, the member, and the archive that has it"
    assert len(calls) == len(set(calls)) <= 5, "no task was sent twice, or in pieces"
    assert midiopt.run([folder], over, executor=Direct()).crashed == 3, "the same process, which has seen them before"


def test_a_file_that_loses_the_workers_of_the_executor_is_narrowed_down(collection, single, tmp_path):
    """A machine that dies of it, say. Every other file has its row."""

    def kill(task):
        if "00123.mid" in paths_in(task):
            losses.update(paths_in(task))
            raise BrokenExecutor("the worker is gone")

    losses: Counter[str] = Counter()
    db = tmp_path / "x.db"
    summary = midiopt.run([collection], db, executor=Direct(kill))
    [(path, error)] = ask(db, "SELECT path, error FROM files WHERE status = 'crashed'")
    assert path.endswith("00123.mid") and error == "3 workers of the executor were lost (BrokenExecutor)"
    assert summary.crashed == 1 and [row for row in tables(db)[0] if row[0] != path] == [row for row in single[0] if row[0] != path]
    assert losses["00123.mid"] <= 3 + 5, "each time in a piece of an eighth"


def test_an_archive_that_loses_the_workers_of_the_executor(tmp_path):
    def kill(task):
        if not paths_in(task):
            raise OSError("the worker is gone")

    (tmp_path / "x.tar").write_bytes(tar_of(songs(20)))
    (tmp_path / "y.mid").write_bytes(song(1))
    summary = midiopt.run([tmp_path], tmp_path / "x.db", executor=Direct(kill))
    assert (summary.ok, summary.crashed) == (1, 1)


def test_tasks_are_sent_again_when_the_executor_is_back(collection, single, tmp_path, monkeypatch):
    """A scheduler that is restarted forgets its tasks, and takes none for a while."""
    states = iter(["there", "there", "cancels", "refuses", "there"])
    state = ["there"]
    notices = []

    def interfere(task):
        state[0] = next(states, "there")
        if state[0] == "cancels":
            raise CancelledError

    class Restarted(executor_pool.Connection):
        def __init__(self):
            self.executor = Direct(interfere)
            self.attempts = 0

        def submit(self, function, *arguments):
            return self.executor.submit(function, *arguments)

        def slots(self):
            return 2

        def reconnect(self):
            self.attempts += 1
            if self.attempts % 2:
                raise OSError

        def close(self):
            pass

    class Watch:
        def update(self, summary, seconds, total):
            pass

        def notice(self, reason):
            notices.append(reason)

    connection = Restarted()
    monkeypatch.setattr("midiopt.pipeline.executors.connect", lambda executor, workers: connection)
    monkeypatch.setattr(executor_pool, "RECONNECT_INTERVAL", 0)
    db = tmp_path / "x.db"
    midiopt.run([collection], db, executor="dask://127.0.0.1:1", progress=Watch())
    assert tables(db) == single and connection.attempts == 2
    assert notices == ["the executor is lost (CancelledError); waiting for it up to 300 seconds"]


def test_an_executor_that_is_shut_down_ends_the_run_with_its_results(collection, tmp_path):
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(MidioptError, match="the executor takes no more tasks; all results so far are written"):
        midiopt.run([collection], tmp_path / "x.db", executor=executor)
    assert ask(tmp_path / "x.db", "SELECT outcome FROM runs") == [("failed",)]


def test_workers_without_midiopt_or_with_another_version_end_the_run(tmp_path, monkeypatch):
    def fail(task):
        raise ModuleNotFoundError("No module named 'midiopt'")

    (tmp_path / "x.mid").write_bytes(song(1))
    with pytest.raises(MidioptError, match="a worker of the executor cannot run midiopt: ModuleNotFoundError: No module named 'midiopt'"):
        midiopt.run([tmp_path], tmp_path / "x.db", executor=Direct(fail))
    settings = TaskSettings.of(RunOptions(), Experiments(), b"")
    monkeypatch.setattr(executor_task, "VERSIONS", ("9.9", 1, 1))
    with pytest.raises(MidioptError, match=r"a worker of the executor has midiopt 9.9 \(analyser 1, schema 1\), and the run "):
        run_task(ExecutorTask(settings, ()))


def test_what_an_executor_may_log_has_neither_paths_nor_the_key():
    task = ExecutorTask(TaskSettings.of(RunOptions(), Experiments(), b"secret"), (b"/private/x.mid",))
    assert repr(task) == str(task) == "<1 tasks of midiopt>"


def test_names_of_executors(tmp_path):
    for name in ("processes", "dask:local", "dask://10.0.0.1:8786", "dask://[::1]:8786/"):
        assert check_executor(name) == name
    for name in ("dask", "dask://host", "dask://:1", "ray://x:1", "", "dask:remote"):
        with pytest.raises(ValueError, match=r"there is no executor '.*'; use processes, dask:local or dask://HOST:PORT"):
            midiopt.run([tmp_path], tmp_path / "x.db", executor=name)
    assert not list(tmp_path.iterdir())


def test_the_number_of_slots():
    """As the caller says, else the executor, else a constant."""
    with ThreadPoolExecutor(3) as executor:
        assert connect(executor, None).slots() == 3 and connect(executor, 2).slots() == 2
    assert connect(Direct(), None).slots() == UNKNOWN_SLOTS
