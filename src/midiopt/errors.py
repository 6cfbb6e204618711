"""Exceptions that midiopt raises on purpose."""

from __future__ import annotations


class MidioptError(Exception):
    """Base class. The text says what is wrong and, where it helps, what to do next."""


class MidiError(MidioptError, ValueError):
    """Content that cannot be analysed: ``reason``, found at the byte ``offset``."""

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(f"{reason} at byte {offset}")
        self.reason = reason
        self.offset = offset

    def __reduce__(self) -> tuple[type[MidiError], tuple[str, int]]:
        return type(self), (self.reason, self.offset)  # else a process pool would give the whole text as the reason


class NotMidi(MidiError):
    """Not a Standard MIDI File: empty, or without an MThd chunk."""


class Malformed(MidiError):
    """A MIDI file with an unusable header or no usable track."""


class TooLarge(MidiError):
    """Content over a limit, such as the number of events."""


def over_limit(size: int, limit: int) -> str:
    """Why content of so many bytes is TooLarge."""
    return f"{size:,} bytes, over the limit of {limit:,}"


class Damaged(MidioptError):
    """An archive that cannot be read further, or compressed data that cannot be read."""

    def __init__(self, reason: str, offset: int | None = None) -> None:
        super().__init__(reason if offset is None else f"{reason} at byte {offset}")


class NotAnArchive(MidioptError):
    """A file with the suffix of an archive that is something else."""


class SourceError(MidioptError):
    """A file or folder given to a run that cannot be used, or a member that its archive does not have."""


class TargetFull(MidioptError):
    """The disk is full on which files are written: the next one would fail, too."""


class QueryError(MidioptError, ValueError):
    """A search whose words cannot be read. The text names the nearest term or value."""


class SinkError(MidioptError):
    """A database that cannot be opened, read or written."""


class NoDatabase(SinkError):
    """There is no database, or one without a table of midiopt."""


class DatabaseBusy(SinkError):
    """A database whose lock another run holds."""


class Stopped(MidioptError):
    """A long database operation was cancelled because the run is to end."""


class MissingExtra(MidioptError):
    """An optional dependency that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an extra package: pip install 'midiopt[{extra}]'")
        self._arguments = what, extra

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        return type(self), self._arguments  # without, a process pool breaks where it receives one
