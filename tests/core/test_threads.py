"""Threads: each has an analyser and readers of its own, and files are analysed without the lock of the interpreter."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import midiopt
from midiopt.core.analyzer import Analyzer
from midiopt.sources.reader import Reader
from sample import smf
from tests.helpers.songs import song

THREADS = 8
SONGS = [song(seed, notes) for seed, notes in enumerate([1, 10, 60, 300, 1000, 2000, 3000, 4000])]
LONG = smf.smf([smf.track([(1, smf.note_on(0, pitch, velocity)) for pitch in range(128) for velocity in (64, 0)] * 8000)])


def in_threads(work: Callable[[int], Any]) -> list[Any]:
    """What ``work`` returns for the number of each thread; all begin at once."""
    start = threading.Barrier(THREADS)

    def run(number: int) -> Any:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_threads_find_the_facts_that_one_thread_finds():
    expected = [midiopt.analyze(data) for data in SONGS]
    for found in in_threads(lambda n: [midiopt.analyze(SONGS[i % 8]) for i in range(n, n + 40)]):
        assert all(facts in expected for facts in found)
        assert len({facts.content_hash for facts in found}) == len(SONGS)


def test_threads_read_the_notes_that_one_thread_reads():
    expected = [(notes.onset.copy(), notes.end_s.copy()) for notes in map(midiopt.notes, SONGS)]

    def read(first: int) -> bool:
        kept = []  # the memory of these belongs to them while other threads read into theirs
        for i in range(first, first + 40):
            kept.append((i % 8, midiopt.notes(SONGS[i % 8])))
            if len(kept) > 3:
                number, notes = kept.pop(0)
                if not np.array_equal(notes.onset, expected[number][0]) or not np.array_equal(notes.end_s, expected[number][1]):
                    return False
        return True

    assert in_threads(read) == [True] * THREADS


# The tables of code pages are filled when the first such name occurs: in a new process, by all threads at once.
NAMES = """
import sys, threading
import midiopt
from concurrent.futures import ThreadPoolExecutor
from sample import smf

titles = ["夏の日の思い出", "春江花月夜", "Подмосковные вечера", "Für Elise, für dich"]
files = [
    smf.smf([smf.track([(0, smf.meta(3, title.encode(page))), (0, smf.note_on(0, 60, 64)), (9, smf.note_off(0, 60))])])
    for title, page in zip(titles, ("cp932", "gbk", "cp1251", "cp1252"))
]
sys.setswitchinterval(1e-6)
start = threading.Barrier(8)

def title(i):
    start.wait()
    return midiopt.analyze(files[i % 4]).title

with ThreadPoolExecutor(8) as pool:
    assert list(pool.map(title, range(8))) == titles * 2
"""


def test_threads_that_meet_a_code_page_at_the_same_time_decode_it_alike():
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", NAMES], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("function", [midiopt.analyze, midiopt.notes, midiopt.parse], ids=lambda function: function.__name__)
def test_other_threads_run_while_a_file_is_read(function):
    interval = sys.getswitchinterval()
    sys.setswitchinterval(100)  # seconds: a thread that does not release the lock keeps it to the end of `work`
    try:
        assert any(runs_meanwhile(function) for _ in range(20))  # this thread may have slept too long
    finally:
        sys.setswitchinterval(interval)


def test_other_threads_run_while_a_disk_is_read(tmp_path):
    (path := tmp_path / "long").write_bytes(bytes(20_000_000))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(100)
    try:
        assert any(runs_meanwhile(lambda _: Reader().read(bytes(path))) for _ in range(20))
    finally:
        sys.setswitchinterval(interval)


def runs_meanwhile(function: Callable[[bytes], object]) -> bool:
    """Whether this thread runs before another one has read a long file."""
    done = []

    def work() -> None:
        function(LONG)
        done.append(True)

    thread = threading.Thread(target=work)
    thread.start()  # returns when the new thread runs, and has released the lock
    has_run = not done
    thread.join()
    return has_run


def test_the_lock_is_kept_while_the_bytes_may_change():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(100)
    try:
        assert not runs_meanwhile(lambda data: midiopt.notes(bytearray(data)))
    finally:
        sys.setswitchinterval(interval)


def test_an_analyser_refuses_a_second_thread():
    analyzer, refused = Analyzer(), []

    def analyze() -> None:
        try:
            analyzer.analyze(LONG, bytes(16), 1, bytearray(), bytearray())
        except RuntimeError as error:
            refused.append(str(error))

    for _ in range(20):  # the second thread may have come too late
        threads = [threading.Thread(target=analyze) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if refused:
            break
        time.sleep(0.01)
    assert refused == ["another thread is using this analyzer: each needs one of its own"]
    analyze()
    assert len(refused) == 1
