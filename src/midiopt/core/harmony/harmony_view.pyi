from midiopt.core.smf.arena import EventArena

def read_harmony(
    events: EventArena,
) -> tuple[list[tuple[int, float, str, int | None, str | None, int | None]], list[tuple[int, float, str]], tuple[int, float]]:
    """The harmony of a file; in format 2, of the first track that has notes.

    Returns (chords, keys, end): lists of tuples of where each begins, (tick, seconds, symbol, root, quality, bass) and (tick, seconds,
    name), and the tick and the seconds of the last note end.
    """
