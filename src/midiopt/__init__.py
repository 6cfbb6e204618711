"""midiopt turns a collection of MIDI files into a database of musical facts.

``analyze`` gives the facts of one file, ``notes`` its notes, ``tempo_map`` its time, ``beats`` its beats, ``harmony`` its chords and
keys, ``sections`` its form, ``parse`` its events; ``run`` fills a database, ``Library`` searches it, and ``arrow_table`` reads it as a
table.
"""

from __future__ import annotations

from importlib import import_module
from sys import modules

from midiopt.core import build
from midiopt.errors import (
    Damaged,
    DatabaseBusy,
    Malformed,
    MidiError,
    MidioptError,
    MissingExtra,
    NotMidi,
    QueryError,
    SinkError,
    SourceError,
    TooLarge,
)

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 5 ms that typing takes to import; type checkers know the name
if TYPE_CHECKING:
    from midiopt.api.analysis import Analysis
    from midiopt.api.beats import Beats, beats
    from midiopt.api.harmony import Chord, Harmony, Key, Segments, chords, harmony, keys
    from midiopt.api.one_file import Notes, analyze, notes, parse
    from midiopt.api.sections import Sections, sections
    from midiopt.api.tempo_map import TempoMap, TimeSignature, tempo_map
    from midiopt.cli.python_run import run
    from midiopt.core.smf.arena import EventArena
    from midiopt.library.arrow import arrow_table
    from midiopt.library.duplicates import DuplicateGroup
    from midiopt.library.library import Library
    from midiopt.library.near import NearFile, NearGroup
    from midiopt.library.search import Found
    from midiopt.library.similar import Similar
    from midiopt.many.analyze import analyze_many
    from midiopt.many.arrow_batch import analyze_batch
    from midiopt.many.failure import Failure
    from midiopt.many.notes import notes_many
    from midiopt.pipeline.options import RunOptions
    from midiopt.pipeline.summary import Summary

__version__ = build.version
__all__ = [
    "Analysis",
    "Beats",
    "Chord",
    "Damaged",
    "DatabaseBusy",
    "DuplicateGroup",
    "EventArena",
    "Failure",
    "Found",
    "Harmony",
    "Key",
    "Library",
    "Malformed",
    "MidiError",
    "MidioptError",
    "MissingExtra",
    "NearFile",
    "NearGroup",
    "NotMidi",
    "Notes",
    "QueryError",
    "RunOptions",
    "Sections",
    "Segments",
    "Similar",
    "SinkError",
    "SourceError",
    "Summary",
    "TempoMap",
    "TimeSignature",
    "TooLarge",
    "analyze",
    "analyze_batch",
    "analyze_many",
    "arrow_table",
    "beats",
    "build_info",
    "chords",
    "harmony",
    "keys",
    "notes",
    "notes_many",
    "parse",
    "run",
    "sections",
    "tempo_map",
]

# Imported on first use: numpy takes a tenth of a second and 20 MB, which workers do not need.
_LAZY = {
    "Analysis": "midiopt.api.analysis",
    "Beats": "midiopt.api.beats",
    "Chord": "midiopt.api.harmony",
    "Key": "midiopt.api.harmony",
    "chords": "midiopt.api.harmony",
    "keys": "midiopt.api.harmony",
    "DuplicateGroup": "midiopt.library.duplicates",
    "EventArena": "midiopt.core.smf.arena",
    "Failure": "midiopt.many.failure",
    "Found": "midiopt.library.search",
    "Library": "midiopt.library.library",
    "Harmony": "midiopt.api.harmony",
    "NearFile": "midiopt.library.near",
    "NearGroup": "midiopt.library.near",
    "Notes": "midiopt.api.one_file",
    "RunOptions": "midiopt.pipeline.options",
    "Sections": "midiopt.api.sections",
    "Segments": "midiopt.api.harmony",
    "Similar": "midiopt.library.similar",
    "Summary": "midiopt.pipeline.summary",
    "TempoMap": "midiopt.api.tempo_map",
    "TimeSignature": "midiopt.api.tempo_map",
    "analyze": "midiopt.api.one_file",
    "analyze_batch": "midiopt.many.arrow_batch",
    "analyze_many": "midiopt.many.analyze",
    "arrow_table": "midiopt.library.arrow",
    "beats": "midiopt.api.beats",
    "harmony": "midiopt.api.harmony",
    "notes": "midiopt.api.one_file",
    "notes_many": "midiopt.many.notes",
    "parse": "midiopt.api.one_file",
    "run": "midiopt.cli.python_run",
    "sections": "midiopt.api.sections",
    "tempo_map": "midiopt.api.tempo_map",
}


def __getattr__(name: str) -> object:
    if name in _LAZY:
        value = globals()[name] = getattr(import_module(_LAZY[name]), name)
        return value
    # Python names the nearest name, if it knows where to look.
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=modules[__name__])


def __dir__() -> list[str]:
    """With the names that are imported on first use: editors complete what it lists, and help() describes it."""
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING", "annotations", "build", "import_module", "modules"})


def build_info() -> dict[str, str]:
    """The build: version, mode (see setup.py), processor level, compiler flags and compiler.

    A portable build for x86-64 chooses the level ("x86-64-v3") on import, and the environment variable MIDIOPT_LEVEL overrides
    it. Elsewhere the level is empty: the flags say which processor it was compiled for.
    """
    names = ("version", "mode", "level", "flags", "compiler")
    return {name: getattr(build, name) for name in names}
