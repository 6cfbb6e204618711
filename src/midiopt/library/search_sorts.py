"""What the files that a search finds can be sorted by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sort:
    """A column by which files can be sorted."""

    attribute: str
    """Of Found."""
    column: str
    nullable: bool = False
    of_content: bool = False


SORTS = {
    "path": Sort("path", "f.path"),
    "title": Sort("title", "a.title", nullable=True, of_content=True),
    "bpm": Sort("bpm", "a.bpm", nullable=True, of_content=True),
    "key": Sort("key", "a.key", nullable=True, of_content=True),
    "duration": Sort("duration_s", "a.duration_s", nullable=True, of_content=True),
    "notes": Sort("note_count", "a.note_count", nullable=True, of_content=True),
    "polyphony": Sort("polyphony_max", "a.polyphony_max", nullable=True, of_content=True),
    "swing": Sort("swing", "a.swing", nullable=True, of_content=True),
    "size": Sort("size_bytes", "f.size_bytes"),
    "added": Sort("analyzed_at", "f.analyzed_at"),
}
ARRIVAL = Sort("analysis_id", "a.id", nullable=True, of_content=True)  # the order without another: that in which contents were found
