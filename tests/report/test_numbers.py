"""The numbers of a report beside those that plain Python counts over the same rows, in both databases."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import postgres_server
from midiopt.library.chord_loops import chord_loop, loop_text
from midiopt.library.report import LibraryReport, library_report
from midiopt.library.search import parse_query
from midiopt.library.snapshot import Snapshot, open_snapshot
from midiopt.schema import BPM_SOURCES, DRUM_PATTERNS, ISSUE_BITS, KEYS, METERS, ROLES, STATUSES, issue_names
from midiopt.sinks import open_sink
from tests.helpers.batches import analysis_row, file_row, make_batch, write

LOOPS = (None, "Am F C G", "F C G Am", "Bm G D A", "C", "Dm G", "Am F C G Am", "C#m A E B", "Gsus4 C", "C " * 30 + "G")
SKETCHES = tuple([(place << 19) + 1000 * n + place for place in range(32)] for n in range(12))  # with no hash in common
ANALYSED = ("ok", "repaired")


def make_rows() -> list[dict[str, Any]]:
    """Files, each with the facts of its content, or None without an analysis. Some contents have several files."""
    chance = random.Random(3)
    contents: list[dict[str, Any]] = []
    rows = []
    for n in range(300):
        if n % 4 or not contents:
            contents.append(
                {
                    "content_hash": (n + 1).to_bytes(16),
                    "bpm": chance.choice([None, 59.99, 60.0, 99.5, 120.0, 125.0, 310.0, 5000.0]),
                    "bpm_source": chance.choice(BPM_SOURCES),
                    "bpm_confidence": chance.choice([0.0, 0.05, 0.55, 0.95, 1.0]),
                    "bpm_onsets": chance.choice([None, 60.0, 118.0, 120.0]),
                    "bpm_onsets_confidence": chance.choice([0.25, 0.75, 1.0]),
                    "tempo_changes": chance.choice([0, 0, 3]),
                    "duration_s": chance.choice([0.0, 0.5, 61.9, 250.0, 1e6, 1e17]),
                    "note_count": chance.choice([0, 1, 999, 1234, 123_456, 2**31 - 1]),
                    "polyphony_max": chance.choice([0, 1, 8, 63, 64, 500]),
                    "key": chance.choice([None, "Am", "C", "Cb", "B", "A#m", "Bbm"]),
                    "key_confidence": chance.choice([0.0, 0.45, 0.95, 1.0]),
                    "time_signature": chance.choice([None, "4/4", "3/4", "255/128"]),
                    "meter_estimated": chance.choice([None, *METERS]),
                    "meter_confidence": chance.choice([0.15, 0.9]),
                    "role": chance.choice([None, *ROLES]),
                    "drum_pattern": chance.choice([None, *DRUM_PATTERNS]),
                    "is_performance": chance.choice([None, True, False]),
                    "is_loop": chance.choice([None, True, False]),
                    "loop_bars": chance.choice([None, 1, 4]),
                    "programs": sorted(chance.sample([0, 1, 32, 36, 127], chance.randrange(4))),
                    "chord_progression": chance.choice(LOOPS),
                    "sketch": chance.choice([None, *SKETCHES]),
                    "issues": chance.choice([0, 0, ISSUE_BITS["stuck_note"], ISSUE_BITS["stuck_note"] | ISSUE_BITS["long_varint"]]),
                }
            )
        content = contents[-1] if n % 4 else chance.choice(contents)
        status = chance.choice(["ok", "ok", "repaired", "rejected", "crashed"])
        file = {
            "path": f"/music/{chance.randrange(1000):03}/{n}.mid",
            "status": status,
            "error": None if status == "ok" else f"{status} <b>{n}</b>",
            "content_hash": content["content_hash"],
            "size_bytes": 100 * n,
            "analysis_us": chance.choice([None, n % 40]),
            "name_bpm": chance.choice([None, None, 60.0, 100.0, 120.0]),
            "name_key": chance.choice([None, None, "Am", "C"]),
        }
        rows.append(file | {"content": content if status in ANALYSED else None})
    return rows


ROWS = make_rows()


def fill(url: str) -> None:
    with open_sink(url) as sink:
        contents = {row["content_hash"]: analysis_row(**row["content"]) for row in ROWS if row["content"]}
        files = [file_row(**{name: value for name, value in row.items() if name != "content"}) for row in ROWS]
        write(sink, make_batch(files, list(contents.values())))
        sink.finalize()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('report')}/facts.db"
        fill(url)
        with open_snapshot(url) as found:
            yield found
        return
    with postgres_server.database(request.getfixturevalue("pg_dsn")) as url:
        fill(url)
        with open_snapshot(url) as found:
            yield found


QUERIES = {
    "": lambda row: True,
    "status:ok": lambda row: row["status"] == "ok",
    "key:Am or role:bass": lambda row: row["content"] is not None and (row["content"]["key"] == "Am" or row["content"]["role"] == "bass"),
    "nothing_has_this_word": lambda row: False,
}


@pytest.fixture(scope="module", params=QUERIES)
def found(request: pytest.FixtureRequest, library: Snapshot) -> tuple[LibraryReport, list[dict[str, Any]]]:
    """A report, and the rows that it is about."""
    return library_report(library, parse_query(request.param)), list(filter(QUERIES[request.param], ROWS))


def contents_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row["content"] for row in rows if row["content"]]


def test_totals_by_status(found: tuple[LibraryReport, list[dict[str, Any]]]) -> None:
    report, rows = found
    assert (report.files, report.bytes, report.analysed) == (len(rows), sum(row["size_bytes"] for row in rows), len(contents_of(rows)))
    assert [line.status for line in report.statuses] == [name for name in STATUSES if any(row["status"] == name for row in rows)]
    for line in report.statuses:
        same = [row for row in rows if row["status"] == line.status]
        first = min(same, key=lambda row: row["path"])
        assert (line.files, line.bytes) == (len(same), sum(row["size_bytes"] for row in same))
        assert (line.example, line.error) == ((None, None) if line.status == "ok" else (first["path"], first["error"]))
        assert line.seconds == pytest.approx(sum(min(content["duration_s"], 86_400) for content in contents_of(same)))
        assert line.notes == sum(content["note_count"] for content in contents_of(same))


def test_issues(found: tuple[LibraryReport, list[dict[str, Any]]]) -> None:
    report, rows = found
    having = [(name, row["path"]) for row in rows if row["content"] for name in issue_names(row["content"]["issues"])]
    counts = Counter(name for name, _ in having)
    assert {line.name: line.files for line in report.issues} == counts
    assert [line.files for line in report.issues] == sorted(counts.values(), reverse=True)
    assert all(line.example == min(path for name, path in having if name == line.name) for line in report.issues)


def test_values(found: tuple[LibraryReport, list[dict[str, Any]]]) -> None:
    report, rows = found
    contents = contents_of(rows)

    def of(name: str) -> Counter[Any]:
        return Counter(content[name] for content in contents if content[name] is not None)

    for name in ("bpm_source", "key", "time_signature", "meter_estimated", "role", "drum_pattern", "is_performance"):
        assert report.counts[name] == of(name), name
    assert report.counts["bpm"] == Counter(min(int(content["bpm"] + 0.5), 300) for content in contents if content["bpm"] is not None)
    assert report.counts["seconds"] == Counter(min(int(content["duration_s"]), 86_400) for content in contents)
    assert report.counts["polyphony"] == Counter(min(content["polyphony_max"], 64) for content in contents)
    shortened = {0: 0, 1: 1, 999: 999, 1234: 1200, 123_456: 100_000, 2**31 - 1: 2_147_400_000}
    assert report.counts["notes"] == Counter(shortened[content["note_count"]] for content in contents)
    assert report.counts["loop_bars"] == Counter(c["loop_bars"] for c in contents if c["is_loop"] and c["loop_bars"] is not None)
    assert report.counts["program"] == Counter(number for content in contents for number in content["programs"])
    assert report.counts["family"] == Counter(family for content in contents for family in {n // 8 for n in content["programs"]})


def test_chord_loops(found: tuple[LibraryReport, list[dict[str, Any]]]) -> None:
    """In any key and from any chord on; a single chord is none, and a long one is left out."""
    report, rows = found
    classes = {
        **dict.fromkeys(("Am F C G", "F C G Am", "Bm G D A", "Am F C G Am", "C#m A E B"), "C G Am F"),
        "Dm G": "Dm G",
        "Gsus4 C": "C Gsus4",
    }
    texts = [content["chord_progression"] for content in contents_of(rows)]
    assert {loop_text(loop): files for loop, files in report.counts["loop"].items()} == Counter(classes[t] for t in texts if t in classes)


def test_estimates_that_are_right_by_their_confidence(found: tuple[LibraryReport, list[dict[str, Any]]]) -> None:
    report, rows = found

    def trials(confidence: str, is_tried: Any, is_right: Any) -> Counter[int]:
        tried = [(row, row["content"]) for row in rows if row["content"] and is_tried(row, row["content"])]
        return Counter(2 * min(int(content[confidence] * 10), 9) + bool(is_right(row, content)) for row, content in tried)

    assert report.counts["bpm by name"] == trials(
        "bpm_confidence",
        lambda file, content: file["name_bpm"] and content["bpm"] is not None,
        lambda file, content: 0.96 <= content["bpm"] / file["name_bpm"] <= 1.04,
    )
    assert report.counts["key by name"] == trials(
        "key_confidence",
        lambda file, content: file["name_key"] and content["key"],
        lambda file, content: file["name_key"] == content["key"],
    )
    assert report.counts["meter by time signature"] == trials(
        "meter_confidence",
        lambda file, content: content["time_signature"] in METERS and content["meter_estimated"],
        lambda file, content: content["time_signature"] == content["meter_estimated"],
    )
    assert report.counts["onsets by declared tempo"] == trials(
        "bpm_onsets_confidence",
        lambda file, content: content["bpm_source"] == "tempo_map" and content["tempo_changes"] == 0 and content["bpm_onsets"] is not None,
        lambda file, content: content["bpm"] is not None and 0.96 <= content["bpm_onsets"] / content["bpm"] <= 1.04,
    )


def test_duplicates(found: tuple[LibraryReport, list[dict[str, Any]]]) -> None:
    report, rows = found
    groups: dict[bytes, list[dict[str, Any]]] = {}
    for row in rows:
        if row["content"]:
            groups.setdefault(row["content_hash"], []).append(row)
    shared = [group for group in groups.values() if len(group) > 1]
    sizes = [max(row["size_bytes"] for row in group) for group in shared]
    duplicates = report.duplicates
    assert (duplicates.contents, duplicates.copies) == (len(shared), sum(len(group) - 1 for group in shared))
    assert duplicates.bytes == sum(size * (len(group) - 1) for size, group in zip(sizes, shared, strict=True))
    ranked = sorted(((len(group), size) for size, group in zip(sizes, shared, strict=True)), reverse=True)
    assert [(group.files, group.size_bytes) for group in duplicates.largest] == ranked[:10]
    paths = {tuple(sorted(row["path"] for row in group)[:3]) for group in shared}
    assert all(tuple(group.paths) in paths for group in duplicates.largest)


def test_near_duplicates(found: tuple[LibraryReport, list[dict[str, Any]]]) -> None:
    """Contents with equal sketches are one group; of the files that the query does not find none counts."""
    report, rows = found
    groups: dict[tuple[int, ...], set[bytes]] = {}
    for row in rows:
        if row["content"] and row["content"]["sketch"]:
            groups.setdefault(tuple(row["content"]["sketch"]), set()).add(row["content_hash"])
    sizes = sorted((len(group) for group in groups.values() if len(group) > 1), reverse=True)
    assert (report.near.groups, report.near.contents) == (len(sizes), sum(sizes))
    assert [contents for contents, _ in report.near.largest] == sizes[:10]
    assert all(group.contents <= 3 and len(group.files) >= group.contents for _, group in report.near.largest)


def test_the_slowest_files(found: tuple[LibraryReport, list[dict[str, Any]]]) -> None:
    report, rows = found
    timed = sorted((-row["analysis_us"], row["path"]) for row in rows if row["analysis_us"] is not None)
    assert [(file.seconds, file.path) for file in report.slowest] == [(-us / 1e6, path) for us, path in timed[:10]]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Am F C G", "C G Am F"),
        ("E B C#m A", "C G Am F"),
        ("Dm G C", "C Dm G"),
        ("Am E", "Am E"),
        ("F#dim G", "C Bdim"),
        ("C", None),
        ("C C", None),
        ("", None),
        ("C H", None),
    ],
)
def test_a_loop_is_written_in_c_major_or_a_minor(text: str, shown: str | None) -> None:
    loop = chord_loop(text)
    assert (loop and loop_text(loop)) == shown


def test_every_key_has_a_place_on_the_circle() -> None:
    from midiopt.report.music import FIFTHS, RELATIVES, merged_keys

    merged = merged_keys(Counter(KEYS))
    assert set(merged) == {*FIFTHS, *RELATIVES}
    assert sum(merged.values()) == len(KEYS)
    assert {name: merged[name] for name in ("B", "Db", "F#", "Ebm", "C")} == {"B": 2, "Db": 2, "F#": 2, "Ebm": 2, "C": 1}
