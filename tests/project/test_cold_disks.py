"""The benchmark of cold and slow disks computes correctly, and the page contains what it stored; nothing is timed here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks import cold, generated_blocks, plain_reads
from tests.helpers.songs import write_songs


def test_the_page_about_cold_disks_is_current():
    """`python -m benchmarks.cold --page` writes it again."""
    results = json.loads(cold.RESULTS.read_text())
    assert generated_blocks.read(cold.PAGE, "cold") == cold.block(results)


def test_the_cold_run_is_compared_with_the_slower_of_its_bounds():
    rates = {"64 plain readers, cold": [500, 2000], "run, cold": [400, 500], "run, warm": [1000, 1000]}
    table = {"title": "the disk", "rates": rates, "memory": {"run, cold": 5e6}}
    assert "takes 1.62 (1.44–1.81) times as long" in cold.conclusion(table)  # 500 by 400, and 1,000 by 500
    assert "| run, cold | 450 | 5 MB |" in cold.block([table])


def test_the_warm_run_is_compared_with_one_file_after_another():
    table = {"title": "the page cache", "rates": {"run, warm": [1000, 1000], "run, one after another, warm": [1000, 2000]}, "memory": {}}
    assert "is worth 0.75 (0.62–0.88) times the files/s" in cold.conclusion(table)


def test_plain_readers_take_each_file_once(tmp_path):
    taken = []
    assert plain_reads.in_flight(taken.append, [b"%d" % i for i in range(1000)], 16) > 0
    assert sorted(taken) == sorted(b"%d" % i for i in range(1000))


DESCRIPTORS = """
import os, sys, time
def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
slow, fast = sys.argv[1:]
for path in (slow, fast):
    fd = os.open(path, os.O_RDONLY)
    print(*(seconds(work) > 0.03 for work in (lambda: os.read(fd, 9), lambda: os.stat(path), lambda: os.scandir(os.path.dirname(path)))))
    os.close(fd)
"""


def test_only_the_named_calls_below_the_named_folder_are_slow(tmp_path, slow_disk):
    write_songs(tmp_path / "slow", 1)
    write_songs(tmp_path / "fast", 1)
    paths = [tmp_path / name / "000" / "00000.mid" for name in ("slow", "fast")]
    for calls, expected in (("open read stat", "True True True"), ("read", "True False False"), ("stat", "False True True")):
        command = [sys.executable, "-c", DESCRIPTORS, *map(str, paths)]
        done = subprocess.run(command, env=slow_disk(tmp_path / "slow", 40, calls), capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[0] == expected and os.path.exists(paths[0])


def test_files_are_linked_with_their_folders(tmp_path):
    folder = write_songs(tmp_path / "songs", 300)
    disk = cold.Disk(folder, sorted(map(os.fsencode, folder.rglob("*.mid"))), 1, {}, lambda: None)
    few = cold.linked(disk, 250, tmp_path / "few")
    found = sorted(path.relative_to(few.folder) for path in few.folder.rglob("*.mid"))
    assert found == sorted(path.relative_to(folder) for path in folder.rglob("*.mid"))[:250]
    assert few.paths == [os.fsencode(few.folder / Path(path)) for path in found]
