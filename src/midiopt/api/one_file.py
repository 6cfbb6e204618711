"""The facts, the events and the notes of one file."""

from __future__ import annotations

import os
import threading

from midiopt.api.analysis import Analysis, undecoded_analysis
from midiopt.api.source import Source, content_of
from midiopt.core.analyzer import Analyzer
from midiopt.core.notes.note_view import Notes
from midiopt.core.smf.arena import EventArena
from midiopt.core.smf.parser import parse as parse_bytes
from midiopt.errors import MidioptError, NotMidi
from midiopt.rows.builder import RowBuilder, analyze_bytes, content_hash
from midiopt.schema import STATUSES
from midiopt.sources.sniff import with_detected_type

__all__ = ["Notes", "analyze", "notes", "notes_of", "parse"]

_local = threading.local()


def analyze(source: Source) -> Analysis:
    """The facts of one MIDI file, given as a path, as its content in any buffer, or as a binary file object, of which the rest is read.

    A path may be one that a library has, of a member of an archive, too (``a.zip!/b.mid``). A file whose name says that it is compressed
    (``song.mid.gz``, ``.bz2``, ``.xz``, ``.zst``) is decompressed, and gzip data under any other name, which a web client has left
    compressed, too.

    Raises NotMidi, Malformed or TooLarge (all of them MidiError) for unusable content, OSError for a file that cannot be read, SourceError
    for an archive and a member that is not there, and Damaged for compressed data that cannot be read. Each thread has its own analyzer,
    and its memory is kept for the next file; the lock of the interpreter is released.
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
        name = os.path.join(os.curdir, facts.source) if isinstance(facts.source, str) else None
        data = b"" if name is None else read_content(name, opens_pipes=False)
        return Notes(data) if content_hash(data) == facts.content_hash else None
    except (OSError, MidioptError):
        return None


def parse(source: Source, into: EventArena | None = None) -> EventArena:
    """The events of one MIDI file, given like that of analyze(), in a new EventArena or in ``into``, whose events are replaced.

    Without ``into`` the lock of the interpreter is released meanwhile. Raises the same errors as analyze() (``into`` is then empty if
    the content is unusable), and BufferError while a view from ``into.events()`` lives.
    """
    data = content_of(source)
    try:
        return parse_bytes(data, into)
    except NotMidi as problem:
        raise with_detected_type(problem, data) from None


def notes(source: Source) -> Notes:
    """The notes of one MIDI file, given like that of analyze(), as columns: see Notes.

    They are paired as docs/policy.md says. Raises NotMidi, Malformed or TooLarge (all of them MidiError) for unusable content, and
    OSError for a file that cannot be read.
    """
    data = content_of(source)
    try:
        return Notes(data)
    except NotMidi as problem:
        raise with_detected_type(problem, data) from None
