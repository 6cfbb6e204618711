"""The tempo map and the time signatures of a file as tuples."""

from libc.stdint cimport int64_t
from libc.stdlib cimport free
from libc.string cimport memset

from midiopt.core.memory cimport Scratch, allocate_zeroed, release
from midiopt.core.smf.arena cimport EventArena
from midiopt.core.smf.midi cimport USABLE, Status
from midiopt.core.timeline.tempo_map cimport TempoMap, read_tempo_map
from midiopt.core.timeline.time_signatures cimport TimeSignatures, denominator_power_of, numerator_of, read_time_signatures


def read_timeline(EventArena events not None, size_t first_track, size_t end_track):
    """The time of the tracks from ``first_track`` to ``end_track`` (exclusive), at least one.

    Returns (ticks per quarter; a tuple (tick, seconds, microseconds per quarter) for each segment of the tempo map; a tuple (tick,
    numerator, denominator) for each change of the time signature).
    """
    cdef Scratch scratch
    cdef TempoMap map
    cdef TimeSignatures *signatures = <TimeSignatures *>allocate_zeroed(sizeof(TimeSignatures))
    cdef int64_t duration = 0
    cdef Status status
    cdef size_t i
    if signatures == NULL:
        raise MemoryError()
    memset(&scratch, 0, sizeof(Scratch))
    memset(&map, 0, sizeof(TempoMap))
    map.scratch = signatures.scratch = &scratch
    try:
        for i in range(first_track, end_track):
            duration = max(duration, events.arena.tracks[i].end_tick)
        status = read_tempo_map(&map, &events.arena, events.arena.data, first_track, end_track)
        if not status:
            status = read_time_signatures(signatures, &events.arena, events.arena.data, first_track, end_track, duration)
        if status != USABLE:
            raise MemoryError()
        segments = [(map.segments[i].start, map.segments[i].seconds, map.segments[i].tempo) for i in range(map.count)]
        changes = [
            (
                signatures.changes.items[i].tick,
                numerator_of(signatures.changes.items[i].value),
                1 << denominator_power_of(signatures.changes.items[i].value),
            )
            for i in range(signatures.changes.count)
        ]
        return map.ticks_per_quarter, segments, changes
    finally:
        release(&scratch)
        free(signatures)
