"""Analysis of one file at a time, from Python."""

from __future__ import annotations

import os
import threading

import xxhash

from midiopt._analysis import Analysis, build_analysis
from midiopt.core.analysis import Analyzer
from midiopt.errors import MidiError
from midiopt.rows.decode import row_to_values
from midiopt.schema import ANALYSES, ANALYZER_VERSION, repair_sentence
from midiopt.sources.reader import Reader
from midiopt.sources.sniff import with_detected_type

_local = threading.local()


def _read(path: str | os.PathLike[str]) -> Reader:
    try:
        _local.reader.read(os.fsencode(path))
    except OSError as problem:
        raise OSError(problem.errno, problem.strerror, os.fspath(path)) from None
    return _local.reader


def analyze(source: str | os.PathLike[str] | bytes | bytearray | memoryview) -> Analysis:
    """The facts of one MIDI file, given as a path or as its content in any buffer.

    Raises NotMidi, Malformed or TooLarge (all of them MidiError) for unusable content, and OSError for a file that cannot
    be read. Each thread has its own analyzer, and its memory is kept for the next file.
    """
    if not hasattr(_local, "analyzer"):
        _local.analyzer, _local.reader = Analyzer(), Reader()
    data = _read(source) if isinstance(source, (str, os.PathLike)) else source
    rows, heap = bytearray(), bytearray()
    try:
        issues, first, at = _local.analyzer.analyze(data, xxhash.xxh3_128_digest(data), ANALYZER_VERSION, rows, heap)
    except MidiError as problem:
        raise with_detected_type(problem, data) from None
    status, error = "repaired" if first else "ok", repair_sentence(issues, first, at)
    return build_analysis([*row_to_values(ANALYSES, rows, heap), status, error])
