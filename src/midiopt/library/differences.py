"""What differs between two similar files, as far as their stored facts tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from midiopt.library.queries import python_value
from midiopt.library.snapshot import Snapshot
from midiopt.schema import ANALYSES
from midiopt.wording import counted

if TYPE_CHECKING:
    from midiopt.api.analysis import Analysis

SAME_TEMPO = 0.004  # relative
SAME_DURATION = 0.02  # relative, tempo aside
MIN_CORRELATION = 0.9  # of shares of pitch classes, for a transposition
BETTER = 0.02  # than without one
QUANTIZED = 1 / 192  # grid_deviation of notes on a grid, in quarters


@dataclass(frozen=True)
class Compared:
    """The facts of a file that are compared."""

    path: str
    analysis_id: int
    content_hash: bytes | None
    notes_hash: bytes | None
    title: str | None
    track_count: int
    note_count: int
    drum_note_count: int
    bpm: float | None
    duration_s: float
    key: str | None
    pitch_classes: list[float]
    pitch_min: int | None
    pitch_max: int | None
    grid_deviation: float | None

    @classmethod
    def of(cls, facts: Analysis, path: str) -> Compared:
        """Those of a file that is not in the library."""
        return cls(path, 0, None, *(getattr(facts, name) for name in _NAMES[1:]))


_NAMES = (
    "content_hash", "notes_hash", "title", "track_count", "note_count", "drum_note_count", "bpm", "duration_s", "key", "pitch_classes",
    "pitch_min", "pitch_max", "grid_deviation",
)  # fmt: skip
_COLUMNS = [ANALYSES[name] for name in _NAMES]


def compared_rows(library: Snapshot, analyses: Sequence[int], missing: bool = False) -> Iterator[Compared]:
    """The files with these contents; those that are missing only if asked for."""
    selected = ", ".join(f"a.{name}" for name in _NAMES)
    marks = ", ".join([library.dialect.placeholder] * len(analyses))
    query = f"SELECT f.path, a.id, {selected} FROM analyses a JOIN files f ON f.analysis_id = a.id WHERE a.id IN ({marks})"
    for path, number, *values in library.rows(query + ("" if missing else " AND f.missing_since IS NULL"), list(analyses)):
        facts: list[Any] = [python_value(column, value) for column, value in zip(_COLUMNS, values, strict=True)]
        yield Compared(path, number, *facts)


def differences(first: Compared, other: Compared) -> Iterator[str]:
    """What the other file differs in from the first; nothing that is known may be left."""
    if first.analysis_id and first.analysis_id == other.analysis_id:
        yield "same bytes"
        return
    if first.notes_hash and first.notes_hash == other.notes_hash:
        yield "same notes"
    if first.title != other.title:
        yield "retitled"
    if steps := transposition(first, other):
        yield f"transposed by {steps:+d}"
    yield from _tempo(first, other)
    if tracks := other.track_count - first.track_count:
        yield _more(tracks, "track")
    if notes := other.note_count - first.note_count:
        yield _more(notes, "note")
    if first.grid_deviation is not None and other.grid_deviation is not None:
        if other.grid_deviation < QUANTIZED <= first.grid_deviation:
            yield "quantized"
        if first.grid_deviation < QUANTIZED <= other.grid_deviation:
            yield "not quantized"


def _tempo(first: Compared, other: Compared) -> Iterator[str]:
    if not (first.bpm and other.bpm):
        return
    ratio = other.bpm / first.bpm
    if abs(ratio - 1) > SAME_TEMPO:
        yield f"{'faster' if ratio > 1 else 'slower'} by {_percent(ratio)} %"
    length = other.duration_s * ratio / first.duration_s if first.duration_s else 1
    if abs(length - 1) > SAME_DURATION:
        yield f"{'longer' if length > 1 else 'shorter'} by {_percent(length)} %"


def _percent(ratio: float) -> str:
    percent = abs(ratio - 1) * 100
    return f"{percent:.0f}" if percent >= 10 else f"{percent:.2g}"


def transposition(first: Compared, other: Compared) -> int:
    """Half tones by which the other file is higher; 0 if it is not, or not clearly.

    The shares of the pitch classes say it up to octaves, the range of the pitches says which one.
    """
    if first.pitch_min is None or other.pitch_min is None or first.pitch_max is None or other.pitch_max is None:
        return 0
    products = [sum(a * b for a, b in zip(first.pitch_classes, _rotated(other.pitch_classes, k), strict=True)) for k in range(12)]
    norm = (sum(a * a for a in first.pitch_classes) * sum(b * b for b in other.pitch_classes)) ** 0.5
    if norm == 0:
        return 0
    best = max(range(12), key=lambda k: products[k])
    if products[best] < MIN_CORRELATION * norm:
        return 0
    if products[best] - products[0] < BETTER * norm:
        best = 0
    shift = (other.pitch_min - first.pitch_min + other.pitch_max - first.pitch_max) / 2
    steps = best + 12 * round((shift - best) / 12)
    return steps if best or other.pitch_min - first.pitch_min == steps == other.pitch_max - first.pitch_max else 0


def _rotated(shares: list[float], steps: int) -> list[float]:
    """The shares as they would be so many half tones lower."""
    return [shares[(i + steps) % 12] for i in range(12)]


def _more(number: int, what: str) -> str:
    return f"{counted(abs(number), what)} {'more' if number > 0 else 'fewer'}"
