"""What a database says of one file, and which other files belong to it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from midiopt.api.analysis import Analysis, build_analysis
from midiopt.library.queries import rows_by_key
from midiopt.library.snapshot import Snapshot
from midiopt.schema import ANALYSED, ANALYSES, FILES, STATUSES

_WITH_FACTS = tuple(STATUSES[i] for i in ANALYSED)


@dataclass(frozen=True)
class StoredFile:
    """A row of ``files`` and the facts of its content; schema.FILES describes the fields."""

    path: str
    size_bytes: int
    content_hash: bytes | None
    status: str
    error: str | None
    analyzed_at: dt.datetime
    name_bpm: float | None
    name_key: str | None
    name_meter: str | None
    is_missing: bool
    facts: Analysis | None


@dataclass(frozen=True)
class OtherFile:
    """A file that has the same bytes or the same notes."""

    path: str
    title: str | None
    is_missing: bool


def stored_file(library: Snapshot, path: str) -> StoredFile | None:
    """The file at this path, as the database writes it; None if it is in no row."""
    row = rows_by_key(library, FILES, [path]).get(path)
    if row is None:
        return None
    [(missing_since,)] = library.rows(f"SELECT missing_since FROM files WHERE path = {library.dialect.placeholder}", [path])
    names = ("path", "size_bytes", "content_hash", "status", "error", "analyzed_at", "name_bpm", "name_key", "name_meter")
    facts = None
    if row["status"] in _WITH_FACTS:
        found = rows_by_key(library, ANALYSES, [row["content_hash"]]).get(row["content_hash"])
        facts = build_analysis([*(found[column.name] for column in ANALYSES), row["status"], row["error"], path]) if found else None
    return StoredFile(**{name: row[name] for name in names}, is_missing=missing_since is not None, facts=facts)


def same_bytes(library: Snapshot, file: StoredFile, limit: int) -> list[OtherFile]:
    """Other files with the bytes of this one, missing ones last, then in the order of their paths."""
    value = library.dialect.placeholder
    return _others(library, f"a.content_hash = {value} AND f.path <> {value}", [file.content_hash, file.path], limit)


def same_notes(library: Snapshot, file: StoredFile, limit: int) -> list[OtherFile]:
    """Files with the same notes in other bytes: the same music, saved differently."""
    if file.facts is None or file.facts.notes_hash is None:
        return []
    value = library.dialect.placeholder
    condition = f"{library.dialect.hexadecimal('a.notes_hash')} = {value} AND a.content_hash <> {value}"
    return _others(library, condition, [file.facts.notes_hash.hex(), file.content_hash], limit)


def _others(library: Snapshot, condition: str, values: list[object], limit: int) -> list[OtherFile]:
    query = (
        "SELECT f.path, a.title, f.missing_since IS NOT NULL FROM analyses a JOIN files f ON f.analysis_id = a.id"
        f" WHERE {condition} ORDER BY 3, 1 LIMIT {library.dialect.placeholder}"
    )
    return [OtherFile(path, title, bool(missing)) for path, title, missing in library.rows(query, [*values, limit])]
