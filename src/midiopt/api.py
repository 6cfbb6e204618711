"""One file at a time, from Python: its facts, its notes, its tempo map, its beats, its harmony, its sections and its events."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeAlias

from midiopt._analysis import Analysis, undecoded_analysis
from midiopt.core.analysis import Analyzer
from midiopt.core.harmony.harmony_view import read_harmony
from midiopt.core.notes.note_view import Notes
from midiopt.core.rhythm.beat_view import read_beats
from midiopt.core.smf.arena import EventArena
from midiopt.core.smf.parser import parse as parse_bytes
from midiopt.core.structure.section_view import read_sections
from midiopt.core.timeline.timeline_view import read_timeline
from midiopt.errors import MidioptError
from midiopt.rows.builder import RowBuilder, analyze_bytes, content_hash
from midiopt.schema import STATUSES
from midiopt.sources.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

__all__ = [
    "Analysis",
    "Beats",
    "Chord",
    "Harmony",
    "Key",
    "Notes",
    "Sections",
    "Segments",
    "TempoMap",
    "TimeSignature",
    "analyze",
    "beats",
    "chords",
    "harmony",
    "keys",
    "notes",
    "parse",
    "sections",
    "tempo_map",
]

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

_local = threading.local()


def content_of(source: Source) -> Reader | bytes | bytearray | memoryview:
    """The content of a file, or the buffer itself."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return source
    if hasattr(source, "as_py"):  # an item of an Arrow array: text would be taken for content, as any other buffer
        return content_of(source.as_py())
    if not isinstance(source, (str, os.PathLike)):
        if not hasattr(source, "read"):
            return buffer_of(source)
        return rest_of(source)
    if not hasattr(_local, "reader"):
        _local.reader = Reader()
    reader: Reader = _local.reader
    try:
        reader.read(os.fsencode(source))
    except OSError as problem:
        raise OSError(problem.errno, problem.strerror, os.fspath(source)) from None
    return reader


def buffer_of(source: Any) -> memoryview:
    """The bytes of another buffer, such as an array. Raises TypeError for what is no file."""
    try:
        return memoryview(source)
    except TypeError:
        raise TypeError(f"a file is given as its path, its content or a binary file object, not as {type(source).__name__}") from None


def rest_of(file: BinaryIO) -> bytes:
    """What is left to read of a file object. Raises TypeError for one that is open as text."""
    content = file.read()
    if isinstance(content, str):
        raise TypeError('the file is open as text: open it with mode "rb"')
    if content is None:
        raise BlockingIOError("the file does not block, and has no data yet")
    return content


def analyze(source: Source) -> Analysis:
    """The facts of one MIDI file, given as a path, as its content in any buffer, or as a binary file object, of which the rest is read.

    Raises NotMidi, Malformed or TooLarge (all of them MidiError) for unusable content, and OSError for a file that cannot
    be read. Each thread has its own analyzer, and its memory is kept for the next file; the lock of the interpreter is released.
    """
    data = content_of(source)
    _local.content = data if isinstance(data, bytes) else None
    if not hasattr(_local, "analyzer"):
        _local.analyzer = Analyzer()
    rows = RowBuilder()
    outcome = analyze_bytes(_local.analyzer, data, content_hash(data), rows)
    if outcome.exception:
        raise outcome.exception from None
    name = os.fsdecode(source) if isinstance(source, (str, os.PathLike)) else None
    return undecoded_analysis(rows.analyses, rows.heap, STATUSES[outcome.status], outcome.error, name)


def notes_of(facts: Analysis) -> Notes | None:
    """The notes of the file that has these facts, for a picture of it; None if it is not there any more, or has changed.

    Content is kept of the last call of analyze() only, in its thread: facts do not keep that of their files.
    """
    from midiopt.sources.content import read_content  # and with it all of sources.archives

    content = getattr(_local, "content", None)
    try:
        if content is not None and content_hash(content) == facts.content_hash:
            return Notes(content)
        data = read_content(os.path.join(os.curdir, facts.source)) if isinstance(facts.source, str) else b""
        return Notes(data) if content_hash(data) == facts.content_hash else None
    except (OSError, MidioptError):
        return None


def parse(source: Source, into: EventArena | None = None) -> EventArena:
    """The events of one MIDI file, given like that of analyze(), in a new EventArena or in ``into``, whose events are replaced.

    Without ``into`` the lock of the interpreter is released meanwhile. Raises the same errors as analyze() (``into`` is then empty if
    the content is unusable), and BufferError while a view from ``into.events()`` lives.
    """
    return parse_bytes(content_of(source), into)


def notes(source: Source) -> Notes:
    """The notes of one MIDI file, given like that of analyze(), as columns: see Notes.

    They are paired as docs/policy.md says. Raises NotMidi, Malformed or TooLarge (all of them MidiError) for unusable content, and
    OSError for a file that cannot be read.
    """
    return Notes(content_of(source))


class TimeSignature(NamedTuple):
    """A time signature, in force from a tick on."""

    tick: int
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True, eq=False)
class TempoMap:
    """The time of a file: segments of equal tempo, as arrays of equal length, and the time signatures."""

    ticks_per_quarter: float
    """Under an SMPTE division, ticks in half a second, which is a quarter at 120 BPM."""
    tick: npt.NDArray[np.int64]
    """The tick at which each segment starts, int64; the first is 0."""
    seconds: npt.NDArray[np.float64]
    """The time at which each segment starts, float64, in seconds."""
    tempo: npt.NDArray[np.uint32]
    """Microseconds per quarter, uint32; 500,000 before the first tempo event."""
    time_signatures: list[TimeSignature]
    """The changes in time order; 4/4 holds before the first, by convention."""

    @property
    def bpm(self) -> npt.NDArray[np.float64]:
        """Quarters per minute, float64."""
        return 60e6 / self.tempo

    def seconds_at(self, ticks: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The time of each tick in seconds, float64, with the shape of ``ticks``."""
        import numpy as np

        ticks = np.asarray(ticks)
        segment = np.searchsorted(self.tick, ticks, side="right") - 1
        rate = self.tempo / (1e6 * self.ticks_per_quarter)
        found: npt.NDArray[np.float64] = self.seconds[segment] + (ticks - self.tick[segment]) * rate[segment]
        return found


def tempo_map(source: Source, track: int | None = None) -> TempoMap:
    """The tempo map and the time signatures of one MIDI file, given like that of analyze().

    In a file of format 2 each track has its own time: ``track`` is its index, by default 0. Raises the same errors as notes(), and
    IndexError for a track that is not there.
    """
    import numpy as np

    events = parse(source)
    tracks = len(events.tracks())
    if track is not None and not 0 <= track < tracks:
        raise IndexError(f"there is no track {track}: the file has {tracks:,}, counted from 0")
    first, end = (track or 0, (track or 0) + 1) if events.format == 2 else (0, tracks)
    ticks_per_quarter, segments, signatures = read_timeline(events, first, end)
    tick, seconds, tempo = zip(*segments, strict=True)
    return TempoMap(
        ticks_per_quarter,
        np.array(tick, np.int64),
        np.array(seconds, np.float64),
        np.array(tempo, np.uint32),
        [TimeSignature(*signature) for signature in signatures],
    )


@dataclass(frozen=True, slots=True, eq=False)
class Beats:
    """The beats of a file in the order of time, as arrays of equal length."""

    tick: npt.NDArray[np.int64]
    """The tick of each beat, int64, rounded where a beat lies between two."""
    seconds: npt.NDArray[np.float64]
    """The time of each beat, float64, in seconds."""
    position: npt.NDArray[np.int32]
    """The place of each beat in its bar, int32; 0 is the downbeat."""
    tracked: bool
    """Whether the beats were tracked through the onsets, because the notes do not keep to the ticks; else they are those of the bars."""

    def __len__(self) -> int:
        """Number of beats."""
        return len(self.tick)

    @property
    def downbeats(self) -> npt.NDArray[np.float64]:
        """The times of the beats that begin a bar, float64, in seconds."""
        found: npt.NDArray[np.float64] = self.seconds[self.position == 0]
        return found


def beats(source: Source) -> Beats:
    """The beats of one MIDI file, given like that of analyze(), at most 100,000.

    In written music they are those of the declared time signatures, from tick 0 to the end of the last note: quarters in 3/4, eighths in
    7/8, dotted quarters in 6/8, 9/8 and 12/8. Where the notes lie between the quarters of the ticks the beats follow the notes. In recorded
    performances, and under an SMPTE division, beats are tracked from the onsets, from the first beat played to the last, with as many to a
    bar as ``Analysis.meter_estimated`` says; there are none where ``Analysis.bpm_onsets`` is None. docs/accuracy.md says how often they are
    right. In a file of format 2 the beats are those of the first track that has notes. Raises the same errors as notes().
    """
    import numpy as np

    tracked, found = read_beats(parse(source))
    tick, seconds, position = zip(*found, strict=True) if found else ((), (), ())
    return Beats(np.array(tick, np.int64), np.array(seconds, np.float64), np.array(position, np.int32), tracked)


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """A row of segments of a file, as columns of equal length: each has a name, and lasts until the next one begins."""

    tick: npt.NDArray[np.int64]
    """The tick at which each segment starts, int64."""
    seconds: npt.NDArray[np.float64]
    """The time at which each segment starts, float64, in seconds."""
    name: list[str]

    def __len__(self) -> int:
        """Number of segments."""
        return len(self.name)


@dataclass(frozen=True, slots=True)
class Harmony:
    """The chords and the keys of a file in the order of time."""

    chords: Segments
    """Symbols such as ``Am7``, ``Gsus4`` or ``C/E``, estimated for each beat, from the first with a chord on; ``N`` is no chord.

    Neighbours differ. Empty if no two notes sound at once, and under an SMPTE division, whose ticks have no beats; at most 8,192 beats.
    """
    keys: Segments
    """Keys such as ``Bb`` or ``F#m``, over sixteen segments from the first pitched onset to the last. Neighbours differ.

    Where the key does not change it is that of ``Analysis.key``; empty with fewer than 3 pitched notes.
    """


def harmony(source: Source) -> Harmony:
    """The chords and the keys of one MIDI file, given like that of analyze().

    ``Analysis`` summarises them as chord_progression, harmonic_rhythm, key and key_changes. In a file of format 2 they are those of the
    first track that has notes. Raises the same errors as notes().
    """
    chords, keys, _ = read_harmony(parse(source))
    return Harmony(_segments([chord[:3] for chord in chords]), _segments(keys))


def _segments(found: list[tuple[int, float, str]]) -> Segments:
    import numpy as np

    tick, seconds, name = zip(*found, strict=True) if found else ((), (), ())
    return Segments(np.array(tick, np.int64), np.array(seconds, np.float64), list(name))


@dataclass(frozen=True, slots=True, eq=False)
class Sections:
    """The sections of a file, as columns of equal length: bars that repeat each other have the same label."""

    tick: npt.NDArray[np.int64]
    """The tick at which each section starts, int64."""
    seconds: npt.NDArray[np.float64]
    """The time at which each section starts, float64, in seconds."""
    bar: npt.NDArray[np.int32]
    """The bar with which each section starts, int32; the first is 0. Bars are those of the declared time signatures, else 4/4."""
    bars: npt.NDArray[np.int32]
    """The length of each section, int32, in bars."""
    label: list[str]
    """A, B, ... in the order of their first sections; after Z come AA, AB, ..."""

    def __len__(self) -> int:
        """Number of sections."""
        return len(self.label)

    @property
    def form(self) -> str:
        """The labels with their lengths, such as ``A8 A8 B8 A8``."""
        return " ".join(f"{label}{bars}" for label, bars in zip(self.label, self.bars.tolist(), strict=True))


def sections(source: Source) -> Sections:
    """The sections of one MIDI file, given like that of analyze(): which of its bars repeat which.

    ``Analysis.sections`` is the form as text where half of the bars or more are repeated; here are the sections of every file of 8 to
    512 bars. In a file of format 2 they are those of the first track that has notes. Raises the same errors as notes().
    """
    import numpy as np

    tick, seconds, label, bar, bars = zip(*found, strict=True) if (found := read_sections(parse(source))) else ((),) * 5
    return Sections(np.array(tick, np.int64), np.array(seconds, np.float64), np.array(bar, np.int32), np.array(bars, np.int32), list(label))


class Chord(NamedTuple):
    """A chord, and when it is played."""

    start: float
    """In seconds."""
    end: float
    start_tick: int
    end_tick: int
    symbol: str
    """Such as ``Am7`` or ``C/E``; ``N`` where there is no chord, and then the rest is None."""
    root: int | None
    """Pitch class; C is 0."""
    quality: str | None
    """What follows the root in the symbol: nothing for major, ``m``, ``dim``, ``aug``, ``sus4``, ``sus2``, ``7``, ``maj7``, ``m7``,
    ``m7b5``, ``dim7``, ``6`` or ``m6``."""
    bass: int | None
    """Pitch class of the lowest note, that of the root unless another is lowest for more than half of the time."""


def chords(source: Source) -> list[Chord]:
    """The chords of one MIDI file, given like that of analyze(), in the order of time; each ends where the next begins.

    They are those of ``harmony``, which gives them as arrays. Raises the same errors as notes().
    """
    found, _, end = read_harmony(parse(source))
    return [
        Chord(seconds, end_seconds, tick, end_tick, symbol, root, quality, bass)
        for (tick, seconds, symbol, root, quality, bass), (end_tick, end_seconds) in zip(found, _ends(found, end), strict=True)
    ]


class Key(NamedTuple):
    """A key, and when it holds."""

    start: float
    """In seconds."""
    end: float
    start_tick: int
    end_tick: int
    name: str
    """Such as ``Bb`` or ``F#m``."""


def keys(source: Source) -> list[Key]:
    """The keys of one MIDI file, given like that of analyze(), in the order of time; each ends where the next begins.

    They are those of ``harmony``, found in sixteen equal parts of the file. Raises the same errors as notes().
    """
    _, found, end = read_harmony(parse(source))
    return [
        Key(seconds, end_seconds, tick, end_tick, name)
        for (tick, seconds, name), (end_tick, end_seconds) in zip(found, _ends(found, end), strict=True)
    ]


def _ends(found: Sequence[tuple[Any, ...]], end: tuple[int, float]) -> list[tuple[int, float]]:
    """The tick and the seconds at which each segment ends."""
    starts = [(segment[0], segment[1]) for segment in found]
    return [*starts[1:], max(end, starts[-1])] if starts else []
