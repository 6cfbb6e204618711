from midiopt.core.smf.arena import EventArena

def read_beats(events: EventArena) -> tuple[bool, list[tuple[int, float, int]]]:
    """The beats of a file; in format 2, of the first track that has notes.

    Returns (whether they were tracked; a tuple (tick, seconds, position in the bar from 0) for each).
    """
