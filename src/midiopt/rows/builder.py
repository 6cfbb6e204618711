"""Makes rows of content: by the workers for every file and archive member, by the parent for what crashed, and by the API.

Workers import this module, so it does not import numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xxhash

from midiopt.errors import MidiError
from midiopt.kinds import INT32, NULL_INT32, NULL_TEXT
from midiopt.rows.content_hash import ContentHash
from midiopt.rows.layout import NO_HASH
from midiopt.rows.wire import file_row, message
from midiopt.schema import ANALYZER_VERSION, CRASHED, OK, REJECTED, REPAIRED, UNREADABLE, repair_sentence
from midiopt.sources.filename.facts import name_facts
from midiopt.sources.paths import JOIN, SEPARATOR_BYTES, path_text
from midiopt.sources.sniff import with_detected_type

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

    from midiopt.core.analyzer import Analyzer

MAX_DURATION_US = INT32.high
MAX_EXCEPTION_CHARACTERS = 200  # of its text

content_hash = xxhash.xxh3_128_digest  # outside of a database


def content_hasher(key: bytes) -> Callable[[Buffer], bytes]:
    """The hash of contents in a database whose key this is; without a key, that outside of a database."""
    return ContentHash(key).digest if key else content_hash


@dataclass(slots=True)
class Outcome:
    """What became of a file."""

    status: int
    content_hash: bytes = NO_HASH
    error: str | None = None
    exception: MidiError | MemoryError | None = None  # behind the error


class RowBuilder:
    """Rows of ``files``, ``analyses`` and, ``with_tracks``, of ``tracks``, and the heap with their texts.

    ``crashed`` counts the files with that status.
    """

    def __init__(self, with_tracks: bool = False) -> None:
        self.crashed = 0
        self.files = bytearray()
        self.analyses = bytearray()
        self.tracks = bytearray() if with_tracks else None
        self.heap = bytearray()

    def add_file(self, path: bytes, size: int, mtime_ns: int, outcome: Outcome, now_us: int, duration_us: int | None = None) -> None:
        """Append a ``files`` row. ``now_us`` counts from 1970, in microseconds like the duration."""
        self.crashed += outcome.status == CRASHED
        heap = self.heap
        path_offset = len(heap)
        heap += path_text(path).encode()
        error_offset = len(heap)
        error_length = NULL_TEXT
        if outcome.error is not None:
            heap += outcome.error.encode()
            error_length = len(heap) - error_offset
        self.files += file_row(
            *(path_offset, error_offset - path_offset, size, mtime_ns, outcome.content_hash, outcome.status, error_offset, error_length),
            *(ANALYZER_VERSION, now_us, NULL_INT32 if duration_us is None else min(duration_us, MAX_DURATION_US)),
            *name_facts(path.replace(JOIN, SEPARATOR_BYTES)),
        )  # the order of schema.FILES

    def sizes(self) -> tuple[int, int, int, int]:
        """Bytes of the tables and of the heap, for :meth:`truncate`."""
        return len(self.files), len(self.analyses), len(self.tracks or b""), len(self.heap)

    def truncate(self, files: int, analyses: int, tracks: int, heap: int) -> None:
        """Remove what was appended since :meth:`sizes` returned these numbers."""
        del self.files[files:], self.analyses[analyses:], self.heap[heap:]
        if self.tracks:
            del self.tracks[tracks:]

    def message(self, report: bytes = b"") -> bytes:
        """The rows as they travel to the parent, with the encoded ArchiveReport of an archive task."""
        return message(self.files, self.analyses, self.tracks or b"", self.heap, report)


def crashed_outcome(problem: Exception) -> Outcome:
    """What becomes of a file that raised an exception which nothing expects: a fault of midiopt, and the file's row says which."""
    text = str(problem).encode(errors="backslashreplace").decode().replace("\0", "\\x00")[:MAX_EXCEPTION_CHARACTERS]
    return Outcome(CRASHED, error=f"internal error: {type(problem).__name__}: {text}")


def analyze_bytes(analyzer: Analyzer, data: Buffer, digest: bytes, rows: RowBuilder) -> Outcome:
    """Analyse content whose hash is ``digest``; its ``analyses`` row, and those of its tracks, are appended if it is usable."""
    try:
        issues, first, offset = analyzer.analyze(data, digest, ANALYZER_VERSION, rows.analyses, rows.heap, rows.tracks)
    except MidiError as problem:
        problem = with_detected_type(problem, data)
        return Outcome(REJECTED, digest, str(problem), problem)
    except MemoryError as problem:
        return Outcome(UNREADABLE, digest, "not enough memory for the events", problem)
    return Outcome(REPAIRED if first else OK, digest, repair_sentence(issues, first, offset))
