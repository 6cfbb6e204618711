"""From the pages of a walk to tasks."""

from __future__ import annotations

from itertools import count

from midiopt.pipeline import new_files
from midiopt.pipeline.new_files import FILES_PER_TASK, PATH_BYTES_PER_TASK, NewFiles
from midiopt.pipeline.tasks import AnalyzeFiles, ReadMembers
from midiopt.sources.walk import PAGE_PATHS, Page


def frozen_clock() -> float:
    """No time passes, so nothing is yielded early."""
    return 0.0


def test_files_are_grouped_by_number():
    paths = [b"/%04d.mid" % i for i in range(300)]
    tasks = list(NewFiles([Page(paths)]).tasks(frozen_clock))
    assert tasks == [AnalyzeFiles(paths[i : i + FILES_PER_TASK]) for i in range(0, 300, FILES_PER_TASK)]


def test_files_are_grouped_by_the_length_of_their_paths():
    """Four paths of 5,001 bytes with their separators would not fit."""
    paths = [b"/" + b"x" * 4_995 + b".mid" + b"%d" % i for i in range(4)]
    tasks = list(NewFiles([Page(paths)]).tasks(frozen_clock))
    assert 3 * 5_001 <= PATH_BYTES_PER_TASK < 4 * 5_001
    assert tasks == [AnalyzeFiles(paths[:3]), AnalyzeFiles(paths[3:])]


def test_an_archive_and_an_irregular_file_are_tasks_by_themselves():
    pages = [Page([b"/a.mid", b"/b.zip", b"/c.mid"]), Page([b"/fifo.zip"], are_regular=False)]
    tasks = list(NewFiles(pages).tasks(frozen_clock))
    assert tasks == [ReadMembers(b"/b.zip"), AnalyzeFiles([b"/fifo.zip"], are_regular=False), AnalyzeFiles([b"/a.mid", b"/c.mid"])]


def test_unchanged_files_are_skipped_and_looked_up_together(monkeypatch):
    """Pages of 7 paths are collected until a lookup pays; meanwhile, control returns to the caller."""
    paths = [b"/%04d.mid" % i for i in range(1400)]
    lookups: list[int] = []

    def unchanged(asked):
        lookups.append(len(asked))
        return [not path.endswith(b"7.mid") for path in asked]

    found = NewFiles([Page(paths[i : i + 7]) for i in range(0, len(paths), 7)], unchanged)
    clock = count().__next__  # every page takes a second
    tasks = list(found.tasks(clock))
    assert [path for task in tasks if task for path in task.paths] == [path for path in paths if path.endswith(b"7.mid")]
    assert found.skipped == 1260
    assert tasks.count(None) > 190 and new_files.YIELD_INTERVAL < 1
    assert min(lookups[:-1]) >= PAGE_PATHS and sum(lookups) == 1400
