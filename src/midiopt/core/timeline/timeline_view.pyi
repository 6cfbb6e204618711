from midiopt.core.smf.arena import EventArena

def read_timeline(
    events: EventArena, first_track: int, end_track: int
) -> tuple[float, list[tuple[int, float, int]], list[tuple[int, int, int]]]:
    """The time of the tracks from ``first_track`` to ``end_track`` (exclusive), at least one.

    Returns (ticks per quarter; a tuple (tick, seconds, microseconds per quarter) for each segment of the tempo map; a tuple (tick,
    numerator, denominator) for each change of the time signature).
    """
