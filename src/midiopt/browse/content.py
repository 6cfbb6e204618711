"""The bytes of a file of the database: of no other file, and only while it is the file that was analysed.

A path that a browser asks for is looked up in ``files`` and never opened unless it is there. What is read must have the hash of its row:
a link that somebody has put in the place of a file, or a file that has changed, is not shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from midiopt.errors import MidioptError
from midiopt.library.one_file import StoredFile, stored_file
from midiopt.library.queries import content_key
from midiopt.library.snapshot import Snapshot
from midiopt.rows.builder import content_hasher
from midiopt.sources.content import read_content
from midiopt.sources.paths import is_truncated, is_utf8

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


class NotStored(MidioptError):
    """A path that is in no row."""

    def __init__(self) -> None:
        super().__init__("the database has no file with this path")


class NoContent(MidioptError):
    """A file that cannot be shown."""


def find_file(library: Snapshot, path: str) -> StoredFile:
    """The file at this path. Raises NotStored."""
    if not is_utf8(path) or "\0" in path or not (file := stored_file(library, path)):
        raise NotStored
    return file


def read_stored(library: Snapshot, file: StoredFile) -> Buffer:
    """The content that was analysed. Raises NoContent if it is not there any more."""
    if file.content_hash is None:
        raise NoContent(f"its content could not be read: {file.error}" if file.error else "it has no content of its own")
    if is_truncated(file.path):
        raise NoContent("its path is too long to be stored whole, so that it cannot be opened from here")
    try:
        data = read_content(file.path, opens_pipes=False)
    except OSError as problem:
        raise NoContent(f"the file cannot be read: {problem.strerror or problem}") from None
    except MidioptError as problem:
        raise NoContent(f"the file cannot be read: {problem}") from None
    if content_hasher(content_key(library))(data) != file.content_hash:
        raise NoContent("the file has changed since it was analysed; midiopt analyze brings the database up to date")
    return data
