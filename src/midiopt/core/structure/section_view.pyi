from midiopt.core.smf.arena import EventArena

def read_sections(events: EventArena) -> list[tuple[int, float, str, int, int]]:
    """The sections of a file, as tuples (tick, seconds, label, first bar, bars); in format 2, of the first track that has notes."""
