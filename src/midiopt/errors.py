"""The errors a caller can catch."""

from __future__ import annotations


class MidioptError(Exception):
    """Base of every error that midiopt raises on purpose; its text says what to do next."""


class MidiError(MidioptError, ValueError):
    """The bytes cannot be used. ``offset`` is where in the bytes that showed."""

    def __init__(self, reason: str, offset: int = 0):
        super().__init__(f"{reason} at byte {offset}")
        self.reason = reason
        self.offset = offset


class NotMidi(MidiError):
    """Empty, or no MThd chunk: this was never a Standard MIDI File."""


class Malformed(MidiError):
    """A MIDI file whose header or tracks cannot be used."""


class TooLarge(MidiError):
    """Over a documented limit, such as the number of events."""


class Damaged(MidioptError):
    """An archive that cannot be read on from here, or a member of one that cannot be read."""

    def __init__(self, reason: str, offset: int | None = None):
        super().__init__(reason if offset is None else f"{reason} at byte {offset}")


class SourceError(MidioptError):
    """A SOURCE named on the command line cannot be used."""


class SinkError(MidioptError):
    """The database cannot be opened or written."""


class DatabaseBusy(SinkError):
    """Another run holds the lock of this database."""


class Stopped(MidioptError):
    """A long step of the database was left undone, because a signal has asked the run to end."""


class MissingExtra(MidioptError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str):
        super().__init__(f"{what} needs an extra package: pip install 'midiopt[{extra}]'")
