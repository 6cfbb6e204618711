from typing_extensions import Buffer

from midiopt.core.smf.arena import EventArena

def parse(data: Buffer, into: EventArena | None = None) -> EventArena:
    """Parse the bytes of a MIDI file (any bytes-like object) into an EventArena: a new one, or ``into``, whose events are replaced.

    Raises NotMidi, Malformed or TooLarge (``into`` is then empty), and BufferError while a view from ``into.events()``
    lives.
    """
