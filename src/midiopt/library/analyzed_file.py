"""The facts of a file that need not be in the library."""

from __future__ import annotations

from midiopt._analysis import Analysis, build_analysis
from midiopt.core.analysis import Analyzer
from midiopt.rows.builder import RowBuilder, analyze_bytes, content_hash
from midiopt.rows.decode import row_to_values
from midiopt.schema import ANALYSES, STATUSES
from midiopt.sources.content import read_content


def analyzed_file(name: str) -> Analysis:
    """Those of the file that a user names. Raises OSError, or a MidioptError that says why there are none."""
    content = memoryview(read_content(name))
    rows = RowBuilder()
    outcome = analyze_bytes(Analyzer(), content, content_hash(content), rows)
    if outcome.exception:
        raise outcome.exception
    return build_analysis([*row_to_values(ANALYSES, rows.analyses, rows.heap), STATUSES[outcome.status], outcome.error])
