"""midiopt.analyze_many: a result for each file in its place, whatever happens to others."""

from __future__ import annotations

import io
import itertools
import json
import os
import subprocess
import sys
from array import array
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

import midiopt
from midiopt.errors import over_limit
from midiopt.limits import MAX_FILE_BYTES
from midiopt.many import analyze
from midiopt.pipeline.pool import WorkerPool
from tests.helpers.processes import alive, children, with_faults
from tests.helpers.songs import faulty_song, song, write_songs


def test_results_are_those_of_analyze_in_the_order_of_the_files(tmp_path: Path) -> None:
    paths: list[object] = sorted(write_songs(tmp_path, 150).rglob("*.mid"))
    contents = [song(seed) for seed in range(150)]
    mixed = [source for pair in zip(paths, contents, strict=True) for source in pair]
    found = list(midiopt.analyze_many(mixed, workers=2))
    assert found == [midiopt.analyze(source) for source in mixed]
    assert [result.source for result in found] == [number if number % 2 else str(mixed[number]) for number in range(300)]
    assert midiopt.analyze(paths[0]).source == str(paths[0]) and midiopt.analyze(contents[0]).source is None


def test_each_of_equal_contents_has_a_result(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(song(1))
    assert list(midiopt.analyze_many([tmp_path / "a.mid", song(1)] * 200, workers=2)) == [midiopt.analyze(song(1))] * 400


def test_content_is_given_in_any_form() -> None:
    data = song(1)
    forms = [data, bytearray(data), memoryview(data), array("B", data), io.BytesIO(data)]
    assert list(midiopt.analyze_many(forms)) == [midiopt.analyze(data)] * len(forms)
    with pytest.raises(TypeError, match='open it with mode "rb"'):
        list(midiopt.analyze_many([io.StringIO("MThd")]))


@pytest.mark.parametrize("read", [midiopt.analyze_many, midiopt.notes_many])
def test_a_column_of_arrow_has_paths_or_contents(read: Any, tmp_path: Path) -> None:
    """Its items are buffers, of text, too."""
    pa = pytest.importorskip("pyarrow")
    (tmp_path / "a.mid").write_bytes(song(1))
    found = list(read(pa.chunked_array([[str(tmp_path / "a.mid")]] * 2)))
    assert [item.source for item in found if isinstance(item, midiopt.Analysis)] in ([str(tmp_path / "a.mid")] * 2, [])
    assert [type(item) for item in found] == [type(item) for item in read([song(1)] * 2)]
    assert [type(item) for item in read(pa.array([song(1)], pa.large_binary()))] == [type(found[0])]
    with pytest.raises(TypeError, match="not as NoneType"):
        list(read(pa.array([None], pa.string())))


@pytest.mark.parametrize("read", [midiopt.analyze_many, midiopt.notes_many])
def test_a_name_that_no_file_can_have_is_a_failure(read: Any) -> None:
    """As JSON may have it."""
    found = list(read(["\ud800.mid", "", song(1)]))
    assert found[:2] == [
        midiopt.Failure("\ud800.mid", "unreadable", "the name cannot be encoded"),
        midiopt.Failure("", "unreadable", "No such file or directory"),
    ]
    assert not isinstance(found[2], midiopt.Failure)


def test_a_buffer_may_be_used_again() -> None:
    def contents():
        buffer = bytearray()
        for seed in range(50):
            buffer[:] = song(seed)
            yield buffer

    assert [facts.title for facts in midiopt.analyze_many(contents(), workers=1)] == [f"Song {seed}" for seed in range(50)]


def test_what_has_no_facts_is_a_failure_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(song(1))
    sources = [tmp_path, tmp_path / "a.mid", tmp_path / "b.mid", b"RIFF....WAVE", b"", "a\0b", bytes(MAX_FILE_BYTES + 1)]
    found = list(midiopt.analyze_many(sources))
    assert found[1] == midiopt.analyze(song(1))
    assert [(f.source, f.status, f.error) for f in found if isinstance(f, midiopt.Failure)] == [
        (str(tmp_path), "unreadable", "not a regular file"),
        (str(tmp_path / "b.mid"), "unreadable", "No such file or directory"),
        (3, "rejected", str(reason_of(sources[3]))),
        (4, "rejected", str(reason_of(b""))),
        ("a\0b", "unreadable", "the name contains NUL"),
        (6, "rejected", over_limit(MAX_FILE_BYTES + 1, MAX_FILE_BYTES)),
    ]
    with pytest.raises(FrozenInstanceError):
        found[0].status = "ok"  # type: ignore[misc]


def reason_of(content: bytes) -> midiopt.MidiError:
    with pytest.raises(midiopt.MidiError) as raised:
        midiopt.analyze(content)
    return raised.value


CRASHES = """
import json, sys, midiopt
from tests.helpers.songs import faulty_song, song
faults = {20: "abort", 21: "segfault", 150: "kill", 299: "raise"}
contents = [faulty_song(faults[i]) if i in faults else song(i) for i in range(300)]
found = list(midiopt.analyze_many([*contents, *sys.argv[1:]], workers=2))
print(json.dumps([(f.source, f.status, f.error) if isinstance(f, midiopt.Failure) else f.title for f in found]))
"""


def test_a_file_that_kills_its_worker_is_a_failure_and_the_others_go_on(tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.mid", tmp_path / "good.mid"
    bad.write_bytes(faulty_song("exit"))
    good.write_bytes(song(7))
    program = [sys.executable, "-c", CRASHES, bad, good]
    done = subprocess.run(program, cwd=Path(__file__).parents[2], env=with_faults(), capture_output=True, text=True, timeout=60)
    found = json.loads(done.stdout)
    ended = "the worker process crashed: "
    expected: list[object] = [f"Song {i}" for i in range(300)]
    expected[20], expected[21] = [20, "crashed", f"{ended}SIGABRT"], [21, "crashed", f"{ended}SIGSEGV"]
    expected[150], expected[299] = [150, "crashed", f"{ended}SIGKILL"], [299, "crashed", "internal error: RuntimeError: injected"]
    assert found == [*expected, [str(bad), "crashed", f"{ended}exit code 7"], "Song 7"]


def test_results_may_come_as_they_are_ready(tmp_path: Path) -> None:
    contents = [song(seed) for seed in range(200)]
    found = list(midiopt.analyze_many(contents, workers=2, ordered=False))
    assert sorted(facts.source for facts in found) == list(range(200))
    assert all(facts == midiopt.analyze(contents[facts.source]) for facts in found)


@pytest.mark.parametrize("ordered", [True, False])
def test_an_endless_source_is_read_only_a_little_ahead(ordered: bool) -> None:
    taken = 0

    def contents():
        nonlocal taken
        for data in itertools.cycle([song(1), song(2)]):
            taken += 1
            yield data

    before = set(children(os.getpid()))
    results = midiopt.analyze_many(contents(), workers=1, ordered=ordered)
    assert taken == 0
    for number in range(3000):
        next(results)
        assert taken - number < 2000, "four tasks of 128 files with the worker, one ahead, and the answers"
    workers = set(children(os.getpid())) - before
    assert len(workers) == 1
    results.close()
    assert not any(map(alive, workers))


def test_a_file_that_others_wait_for_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer with the first result is held back until nothing is read any more."""
    taken = 0

    def contents():
        nonlocal taken
        while True:
            taken += 1
            assert taken < 3000
            yield song(taken % 7)

    class Held(WorkerPool):
        def run(self, *arguments, **options):
            first, seen, looks = None, 0, 0
            for results in super().run(*arguments, **options):
                if first is None and results:
                    first, results = results[:1], results[1:]
                looks, seen = looks + 1 if taken == seen else 0, taken
                if first and looks == 100:
                    results, first = [*first, *results], []
                yield results

    monkeypatch.setattr(analyze, "WorkerPool", Held)
    results = midiopt.analyze_many(contents(), workers=1)
    assert next(results).source == 0
    results.close()


def test_relative_paths_are_those_of_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.mid").write_bytes(song(1))
    monkeypatch.chdir(tmp_path)

    def paths():
        yield "a.mid"
        os.chdir("/")

    assert [facts.source for facts in midiopt.analyze_many(paths())] == ["a.mid"]


def test_arguments_are_checked_at_once(tmp_path: Path) -> None:
    for single in ("a.mid", b"MThd", tmp_path, io.BytesIO()):
        with pytest.raises(TypeError, match=r"analyze_many\(\) takes many files, .*; analyze\(\) takes one"):
            midiopt.analyze_many(single)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not iterable"):
        midiopt.analyze_many(None)
    with pytest.raises(TypeError, match="a file is given as its path, its content or a binary file object, not as float"):
        list(midiopt.analyze_many([1.5]))
    with pytest.raises(ValueError, match="workers must be a positive integer, not 0"):
        midiopt.analyze_many([], workers=0)
    with pytest.raises(TypeError, match="give it a column of the table"):
        midiopt.analyze_many(pytest.importorskip("pyarrow").table({"path": ["a.mid"]}))
    assert list(midiopt.analyze_many([])) == []
