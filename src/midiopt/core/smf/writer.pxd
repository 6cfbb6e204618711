from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from midiopt.core.smf.midi cimport Event, Mark

# The events of a track that is written, in the order of their ticks: `count` rows. A whole track has its marks, too.
cdef struct TrackRows:
    const uint32_t *rows  # NULL for those from `first_event` on
    size_t count
    size_t first_event
    size_t first_mark
    size_t mark_count  # 0 where `rows` are given

cdef struct WrittenSong:
    const uint8_t *data  # the bytes that were read, which marks and chunks point into
    const Event *events
    const Mark *marks
    const TrackRows *tracks
    size_t track_count
    const uint32_t *chunks_at  # places of chunks of other kinds
    const uint32_t *chunk_sizes  # bytes behind their headers
    size_t chunk_count
    uint16_t format
    uint16_t division


cdef bytes write_smf(const WrittenSong *song)
