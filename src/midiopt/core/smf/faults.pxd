# Sets of issues, by what they show about a reading.

from libc.stdint cimport uint64_t

from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport (
    BAD_META, BAD_STATUS, BYTES_AFTER_END, CHUNK_OVERRUN, DATA_OVER_127, EARLY_END, EVENT_CUT, JOINED_TRACKS, LONG_VARINT, LOST_TRACK,
    MISSING_TRACKS, NO_END_OF_TRACK, RUNNING_STATUS_CROSSED, STRAY_DATA, SYSEX_LENGTH, TRACK_LENGTH, TRAILING_BYTES, UNDECLARED_TRACKS,
    UNKNOWN_FORMAT, ZERO_TEMPO, issue_bit,
)


cdef inline uint64_t within_events() noexcept nogil:
    """The faults of events that are whole: they do not show that a reading goes wrong."""
    return issue_bit(SYSEX_LENGTH) | issue_bit(BAD_META) | issue_bit(ZERO_TEMPO)


cdef inline uint64_t harmless() noexcept nogil:
    """The faults after which reading goes on where the next event begins."""
    return within_events() | issue_bit(LONG_VARINT) | issue_bit(BAD_STATUS)


cdef inline uint64_t shifted() noexcept nogil:
    """The faults that bytes too many or too few make, and neither the end of a file nor filling behind a track does."""
    return (
        issue_bit(UNKNOWN_FORMAT) | issue_bit(STRAY_DATA) | issue_bit(DATA_OVER_127) | issue_bit(BAD_STATUS) | issue_bit(LONG_VARINT)
        | issue_bit(LOST_TRACK) | issue_bit(EARLY_END)
    )


cdef inline uint64_t not_whole() noexcept nogil:
    """The faults of files in which the events of some track do not lead to End of Track, whatever the lengths and counts say."""
    return shifted() | issue_bit(EVENT_CUT) | issue_bit(NO_END_OF_TRACK)


cdef inline uint64_t wrong_lengths() noexcept nogil:
    """The issues of files whose chunk lengths may not fit."""
    return (
        issue_bit(CHUNK_OVERRUN) | issue_bit(EVENT_CUT) | issue_bit(NO_END_OF_TRACK) | issue_bit(BYTES_AFTER_END)
        | issue_bit(MISSING_TRACKS) | issue_bit(LOST_TRACK) | issue_bit(TRACK_LENGTH) | issue_bit(JOINED_TRACKS)
        | issue_bit(EARLY_END) | issue_bit(UNDECLARED_TRACKS) | issue_bit(TRAILING_BYTES)
    )


cdef inline bint has_faults(const Arena *arena) noexcept nogil:
    """Whether any event has a fault, or running status crosses one."""
    return arena.header.issues & (not_whole() | within_events() | issue_bit(RUNNING_STATUS_CROSSED)) != 0
