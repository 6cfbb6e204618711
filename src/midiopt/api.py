"""Analysis of one file at a time, from Python."""

from __future__ import annotations

import os
import threading

from midiopt._analysis import Analysis, build_analysis
from midiopt.core.analysis import Analyzer
from midiopt.rows.builder import RowBuilder, analyze_bytes, content_hash
from midiopt.rows.decode import row_to_values
from midiopt.schema import ANALYSES, STATUSES
from midiopt.sources.reader import Reader

__all__ = ["Analysis", "analyze"]

_local = threading.local()


def _read(path: str | os.PathLike[str]) -> Reader:
    try:
        _local.reader.read(os.fsencode(path))
    except OSError as problem:
        raise OSError(problem.errno, problem.strerror, os.fspath(path)) from None
    reader: Reader = _local.reader
    return reader


def analyze(source: str | os.PathLike[str] | bytes | bytearray | memoryview) -> Analysis:
    """The facts of one MIDI file, given as a path or as its content in any buffer.

    Raises NotMidi, Malformed or TooLarge (all of them MidiError) for unusable content, and OSError for a file that cannot
    be read. Each thread has its own analyzer, and its memory is kept for the next file.
    """
    if not hasattr(_local, "analyzer"):
        _local.analyzer, _local.reader = Analyzer(), Reader()
    data = _read(source) if isinstance(source, (str, os.PathLike)) else source
    rows = RowBuilder()
    outcome = analyze_bytes(_local.analyzer, data, content_hash(data), rows)
    if outcome.exception:
        raise outcome.exception from None
    return build_analysis([*row_to_values(ANALYSES, rows.analyses, rows.heap), STATUSES[outcome.status], outcome.error])
