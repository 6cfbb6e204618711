from midiopt.core.smf.arena import EventArena

def read_harmony(events: EventArena) -> tuple[list[tuple[int, float, str]], list[tuple[int, float, str]]]:
    """The harmony of a file; in format 2, of the first track that has notes.

    Returns (chords, keys): lists of tuples (tick, seconds, name) of where each begins.
    """
