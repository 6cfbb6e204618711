"""The messages between the parent and the workers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from midiopt.pipeline.tasks import (
    AnalyzeFiles,
    AnalyzeItems,
    ArchiveReport,
    FileState,
    FinishArchive,
    MemberRange,
    ReadMembers,
    decode_task,
    encode_task,
)
from midiopt.schema import STATUSES


def test_a_range_is_split_around_a_part():
    task = ReadMembers(b"/x.zip", MemberRange(10, 20), FileState(5, 6))
    whole = {(n, p) for n in range(10, 20) for p in range(5)}

    def parts(tasks):
        found = [(n, p) for t in tasks for n in range(t.members.first, t.members.end) for p in range(5) if t.members.has_part(p)]
        assert len(found) == len(set(found))
        return set(found)

    for number, part in ((10, 0), (13, 0), (13, 3), (19, 4)):
        one, *rest = task.split_around(number, part)
        assert one.members.is_single_part and parts([one]) == {(number, part)}
        assert parts([one, *rest]) == whole
        assert one.split_around(number, part) == [one]
        assert one.split_around(number, part + 1) == one.split_around(-1, 0) == []
        for other in rest:
            assert other.split_around(number, part) == []


PATHS = st.binary(min_size=1, max_size=40).map(lambda tail: b"/" + tail.replace(b"\0", b"."))
NUMBERS = st.integers(-(2**63), 2**63 - 1)
STATES = st.builds(FileState, NUMBERS, NUMBERS)
RANGES = st.builds(MemberRange, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
TASKS = (
    st.builds(AnalyzeFiles, st.lists(PATHS, min_size=1), st.booleans())
    | st.builds(AnalyzeItems, st.lists(st.binary(max_size=9), max_size=5), st.booleans(), st.just([]))
    | st.builds(ReadMembers, PATHS, RANGES, STATES)
    | st.builds(FinishArchive, PATHS, STATES, st.integers(0, len(STATUSES) - 1), st.text())
)


@given(TASKS)
def test_tasks_survive_encoding(task):
    assert decode_task(encode_task(task)) == task
    assert type(decode_task(encode_task(task))) is type(task)


@given(st.builds(ArchiveReport, *[st.booleans()] * 4, *[NUMBERS] * 6, STATES, st.text()))
def test_reports_survive_encoding(report):
    assert ArchiveReport.decode(report.encode()) == report
