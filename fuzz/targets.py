"""What is fuzzed besides the parser: a function per target, which raises when it finds something.

An input lies in a buffer of exactly its size, so that a read behind its end is found. A target that returns False asks
for no mutations of the input.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import traceback
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

import midiopt
from fuzz.libfuzzer import blocks_executed
from midiopt.core.analyzer import Analyzer
from midiopt.core.inspection import memory_of
from midiopt.errors import Damaged, MidiError, MissingExtra, NotAnArchive, SourceError, TooLarge
from midiopt.kinds import FLOAT32, FLOAT64, INT16, INT32, INT64, Kind
from midiopt.pipeline.tasks import ArchiveReport, decode_task, encode_task
from midiopt.rows.batch import ANALYSES_DTYPE, FILES_DTYPE, TRACKS_DTYPE, Batch, Rows
from midiopt.rows.builder import RowBuilder, analyze_bytes, content_hash
from midiopt.rows.layout import ANALYSES_LAYOUT, FILES_LAYOUT
from midiopt.rows.validate import INSPECTORS, validate
from midiopt.schema import ALL_REPAIRS, ANALYSES, FILES, OK, REPAIRED, TRACKS, Table
from midiopt.sinks.postgres_copy import CopyEncoder
from midiopt.sinks.sqlite_rows import RowEncoder
from midiopt.sources.archives.archive import Archive, MemoryArchive
from midiopt.sources.filename.facts import name_facts
from midiopt.sources.filetypes import is_appledouble, is_archive, is_compressed, is_wanted
from midiopt.sources.lists import check_list, listed_paths
from midiopt.sources.paths import is_truncated, member_path, path_bytes, path_text
from midiopt.sources.urls import is_url
from sample.smf import meta, note_on, smf, track

Input = memoryview

DTYPES = {ANALYSES.name: ANALYSES_DTYPE, TRACKS.name: TRACKS_DTYPE}
NUMBERS = (INT16, INT32, INT64, FLOAT32, FLOAT64)
FRESH_INTERVAL = 64  # each so many inputs, the properties that need a second analysis are checked
MAX_BLOCKS = 1_000_000  # basic blocks of an analysis: so many,
MAX_BLOCKS_PER_BYTE = 400  # so many per byte,
MAX_BLOCKS_PER_BEAT = 1_000  # and so many per beat that may have a chord: few notes can last for
MAX_CHORD_BEATS = 8192
MAX_MEMORY = 8 << 20  # bytes of an analyser: so many,
MAX_MEMORY_PER_BYTE = 160  # and so many per byte
FAST_BLOCKS = 40_000  # of inputs with n times as many basic blocks, one in n² is mutated further: a twentieth took 7 tenths of the time
TRAILING_BYTES = b"\x00trailing"
NO_MUTATIONS = -1  # asks libFuzzer to leave the input out of its corpus

_analyzer = Analyzer()
_count = 0


def _number_places(table: Table) -> Iterator[tuple[Kind, list[str], np.ndarray]]:
    """For each kind of number: the names of a table's columns, and where the bytes of each are in a row."""
    places: Mapping[str, tuple[Any, ...]] = DTYPES[table.name].fields or {}
    for kind in NUMBERS:
        if names := [column.name for column in table if column.kind is kind]:
            offsets = [places[name][1] for name in names]
            yield kind, names, np.add.outer(offsets, np.arange(np.dtype(kind.numpy).itemsize))


# All numbers of a kind are looked at by one expression: column by column took nine tenths of an execution.
NUMBER_PLACES = {table.name: list(_number_places(table)) for table in (ANALYSES, TRACKS)}


def max_blocks(data: Input) -> int:
    """The basic blocks that the analysis of a file with notes may execute."""
    beats = midiopt.beats(data)
    chord_beats = MAX_CHORD_BEATS if beats.tracked else min(len(beats), MAX_CHORD_BEATS)
    return MAX_BLOCKS + MAX_BLOCKS_PER_BYTE * len(data) + MAX_BLOCKS_PER_BEAT * chord_beats


def analyze_row(analyzer: Analyzer, data: bytes | Input) -> tuple[int, bytes, bytes]:
    """Status, row and text heap of a file."""
    rows = RowBuilder()
    outcome = analyze_bytes(analyzer, data, b"\1" * 16, rows)
    return outcome.status, bytes(rows.analyses), bytes(rows.heap)


def analysis(data: Input) -> bool:
    """Values in range; work and memory bounded; no state left by earlier files; trailing bytes change no fact; notes as counted."""
    global _count
    _count += 1
    before = blocks_executed()
    status, row, heap = analyze_row(_analyzer, data)
    blocks, memory = blocks_executed() - before, memory_of(_analyzer)
    if blocks > MAX_BLOCKS + MAX_BLOCKS_PER_BYTE * len(data):
        before = blocks_executed()
        analyze_row(_analyzer, data)  # again: the first name that is not Unicode fills the tables of code pages, once per process
        blocks = blocks_executed() - before
        assert status in (OK, REPAIRED) and blocks <= max_blocks(data), f"{blocks:,} basic blocks for {len(data):,} bytes"
    assert memory <= MAX_MEMORY + MAX_MEMORY_PER_BYTE * len(data), f"{memory:,} bytes of memory for {len(data):,} bytes"
    may_mutate = _count % (blocks // FAST_BLOCKS + 1) ** 2 == 0
    if status not in (OK, REPAIRED):
        assert not row and not heap
        return may_mutate
    check_range(ANALYSES, row, heap)
    if _count % FRESH_INTERVAL == 0:
        assert analyze_row(Analyzer(), data) == (status, row, heap), "an earlier file changed the row"
        check_tracks(data, row)
        check_trailing_bytes(bytes(data), row, heap)
        check_notes(data, row)
    return may_mutate


def check_range(table: Table, row: bytes, heap: bytes) -> None:
    """Every value is in the range of its column, finite and not negative, and the texts are UTF-8."""
    heap.decode()
    rows: Rows = np.frombuffer(row, DTYPES[table.name])
    for _, number in INSPECTORS[table].find_invalid(rows, heap):
        name = table.columns[number].name
        raise AssertionError(f"{name} is {rows[name]}")
    values = np.frombuffer(row, np.uint8).reshape(-1, DTYPES[table.name].itemsize)
    for kind, names, places in NUMBER_PLACES[table.name]:
        numbers = np.take(values, places, axis=1).view(kind.numpy)[..., 0]
        wrong = np.isinf(numbers) | (numbers < 0) & (numbers != kind.null)
        assert not wrong.any(), f"{names[np.argwhere(wrong)[0][1]]} is {numbers[wrong][0]}"


def check_tracks(data: Input, row: bytes) -> None:
    """Rows of tracks change no fact of the file; their values are in range."""
    rows = RowBuilder(with_tracks=True)
    analyze_bytes(_analyzer, data, b"\1" * 16, rows)
    assert bytes(rows.analyses) == row, "the rows of tracks changed the row"
    check_range(TRACKS, bytes(rows.tracks or b""), bytes(rows.heap))


def check_trailing_bytes(data: bytes, row: bytes, heap: bytes) -> None:
    """Bytes after the last track of a file without repairs change only status and issue bits."""
    issues = int(np.frombuffer(row, ANALYSES_DTYPE)["issues"][0])
    if issues & ALL_REPAIRS or data[:4] != b"MThd":
        return
    _, longer, longer_heap = analyze_row(_analyzer, data + TRAILING_BYTES)
    changed = bytearray(longer)  # a copy of the array would lose the padding between fields
    np.frombuffer(changed, ANALYSES_DTYPE)["issues"] = issues
    assert (bytes(changed), longer_heap) == (row, heap), "trailing bytes changed a fact"


def check_notes(data: Input, row: bytes) -> None:
    """The notes and the tempo map of a file agree with its facts; every item is read."""
    facts: Rows = np.frombuffer(row, ANALYSES_DTYPE)
    notes, tempos = midiopt.notes(data), midiopt.tempo_map(data)
    assert len(notes) == facts["note_count"][0], f"{len(notes)} notes"
    assert notes.is_drum.sum() == facts["drum_note_count"][0], f"{notes.is_drum.sum()} notes of drums"
    assert not len(notes) or np.unique(notes.velocity).size == facts["unique_velocities"][0]
    for onsets, lengths in ((notes.onset, notes.length), (notes.onset_s, notes.end_s - notes.onset_s)):
        assert (onsets >= 0).all() and (lengths >= 0).all(), "a note begins before the file or ends before it begins"
    assert (notes.pitch < 128).all() and (notes.channel < 16).all() and (notes.program < 128).all()
    assert (notes.track < facts["track_count"][0]).all(), "a note of no track"
    assert len(tempos.tick) and (np.diff(tempos.tick) > 0).all(), "tempos out of order"


def views(data: Input) -> None:
    """Beats, chords, keys and sections of a file are in the order of time, and have names."""
    try:
        beats, harmony, sections = midiopt.beats(data), midiopt.harmony(data), midiopt.sections(data)
    except MidiError:
        return
    for view in (beats, harmony.chords, harmony.keys, sections):
        assert (np.diff(view.tick) >= 0).all() and (np.diff(view.seconds) >= 0).all() and np.isfinite(view.seconds).all()
    assert (beats.position >= 0).all() and (sections.bars > 0).all() and all(sections.label)
    assert (np.diff(sections.bar) == sections.bars[:-1]).all(), "a gap between sections"
    for part, found in ((harmony.chords, midiopt.chords(data)), (harmony.keys, midiopt.keys(data))):
        assert all(part.name) and all(a != b for a, b in pairwise(part.name)), "neighbours are equal"
        assert len(found) == len(part) and all(item.start <= item.end for item in found)


def texts(data: Input) -> bool:
    """Three texts of one file, in whatever charset, become UTF-8 names without NUL."""
    parts = bytes(data).split(b"\n", 2)
    body = track([*((0, meta(kind, part[:9999])) for kind, part in zip((3, 1, 5), parts, strict=False)), (0, note_on(0, 60, 9))])
    return analysis(memoryview(smf([body])))


def archives(data: Input) -> None:
    """A damaged archive or member is refused with one of three errors."""
    _read_archive(bytes(data), depth=0)


def _read_archive(data: bytes, depth: int) -> None:
    try:
        archive = Archive(MemoryArchive(data))
    except (NotAnArchive, Damaged, MissingExtra, TooLarge):
        return
    for member in archive.members(0, 1000):
        assert -(2**63) <= member.mtime_ns < 2**63 and 0 <= member.size < 2**63 and member.name
        try:
            content = bytes(member.data())
        except (Damaged, TooLarge):
            continue
        if depth == 0 and is_archive(member.name):
            _read_archive(content, depth + 1)
    archive.read_error.encode()


def _rows(data: bytes, layout_size: int, dtype: np.dtype[np.void]) -> tuple[Rows, bytes]:
    count = min(len(data) // layout_size, 4)
    return np.frombuffer(data, dtype, count), data[count * layout_size :]


_ENCODERS = {
    table: (RowEncoder(layout.fields), CopyEncoder(layout.fields)) for table, layout in ((FILES, FILES_LAYOUT), (ANALYSES, ANALYSES_LAYOUT))
}


def encoders(data: Input) -> None:
    """Rows of any bytes: both encoders write each of them once it was validated."""
    raw = bytes(data)
    files, heap = _rows(raw, FILES_LAYOUT.size, FILES_DTYPE)
    analyses, _ = _rows(raw, ANALYSES_LAYOUT.size, ANALYSES_DTYPE)
    batch = validate(Batch(files, analyses, heap))
    for table, both in _ENCODERS.items():
        for encoder in both:
            _encode(encoder, batch.rows(table), batch.heap)


def _encode(encoder: RowEncoder | CopyEncoder, rows: Rows, heap: bytes) -> None:
    if isinstance(encoder, RowEncoder):
        list(encoder.tuples(rows, heap))
    else:
        encoder.encode(rows, heap)


def wire(data: Input) -> None:
    """Tasks, reports and batches: what can be decoded is encoded to the same bytes; all else raises ValueError or struct.error."""
    raw = bytes(data)
    with contextlib.suppress(ValueError, struct.error, IndexError):
        task = decode_task(raw)
        assert decode_task(encode_task(task)) == task
    with contextlib.suppress(ValueError, struct.error):
        report = ArchiveReport.decode(raw)
        assert report is None or ArchiveReport.decode(report.encode()) == report
    with contextlib.suppress(ValueError, struct.error):
        validate(Batch.from_bytes(raw))


_list_file = os.memfd_create("list")


def lists(data: Input) -> None:
    """A list names absolute paths and URLs without NUL, or is refused."""
    os.ftruncate(_list_file, 0)
    os.pwrite(_list_file, data, 0)
    name = f"/proc/self/fd/{_list_file}".encode()
    problems: list[str] = []
    with contextlib.suppress(SourceError):
        check_list(name)
    for path in listed_paths(name, problems.append):
        assert (path.startswith(b"/") or is_url(path)) and b"\0" not in path


def names(data: Input) -> None:
    """Any name of a file or member has a text that is unique and reversible, and facts in range."""
    path = b"/" + bytes(data)
    for whole, stored in ((path, path), (member_path(b"/x.zip", path), b"/x.zip!/" + path)):
        text = path_text(whole)
        assert len(text.encode()) <= 2000 and "\0" not in text
        assert is_truncated(text) or b"\0" in path or path_bytes(text) == stored
    bpm, key, meter = name_facts(path)
    assert bpm != bpm or 0 < bpm < 1000
    assert 0 <= key <= 255 and meter >= 0
    is_wanted(path), is_compressed(path), is_archive(path), is_appledouble(path)
    content_hash(path)


TARGETS: dict[str, Callable[[Input], bool | None]] = {
    function.__name__: function for function in (analysis, views, texts, archives, encoders, wire, lists, names)
}


def test_one_input(function: Callable[[Input], bool | None]) -> Callable[[int, int], int]:
    """LLVMFuzzerTestOneInput of a target: a finding prints its traceback and aborts, so that libFuzzer keeps the input."""

    def run(address: int, size: int) -> int:
        try:
            may_mutate = function(memoryview((ctypes.c_ubyte * size).from_address(address)).cast("B"))
        except BaseException:
            traceback.print_exc()
            os.abort()
        return NO_MUTATIONS if may_mutate is False else 0

    return run
