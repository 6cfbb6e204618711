"""Notes that begin within 50 ms are a pulse, which may be a beat. pulse_scores.pyx says how much it is one."""

from libc.stdint cimport uint32_t
from libc.stdlib cimport qsort
from libc.string cimport memset

from midiopt.core.memory cimport PULSE_BLOCK, PULSE_KEY_BLOCK, TIMED_NOTE_BLOCK, reserve_block
from midiopt.core.smf.midi cimport MAX_EVENTS_CAP, NO_MEMORY, USABLE

# No round numbers, which distances and lengths may be, so that no rounding error chooses.
cdef double GROUP_SECONDS = 0.0501
cdef float LONG_PER_SECOND = 16.0  # units in which lengths are compared ...
cdef float LONG_BEGIN = 0.01  # ... and what is added


cdef int compare_notes(const void *a, const void *b) noexcept nogil:
    cdef double x = (<const TimedNote *>a).seconds
    cdef double y = (<const TimedNote *>b).seconds
    return -1 if x < y else x > y


cdef Status group_notes(Pulses *pulses, Scratch *scratch, const NoteColumns *notes) noexcept nogil:
    """Make pulses of the notes."""
    cdef size_t n = notes.count, room = n + 2 * KEY_MARGIN + PULSE_BLOCK_SIZE, first = 0, end, k
    cdef TimedNote *timed = <TimedNote *>reserve_block(scratch, TIMED_NOTE_BLOCK, n, sizeof(TimedNote), MAX_EVENTS_CAP, False)
    cdef uint8_t *keys = <uint8_t *>reserve_block(
        scratch, PULSE_KEY_BLOCK, room, KEYS, MAX_EVENTS_CAP + 2 * KEY_MARGIN + PULSE_BLOCK_SIZE, False
    )
    pulses.notes = timed
    pulses.items = <Pulse *>reserve_block(scratch, PULSE_BLOCK, n, sizeof(Pulse), MAX_EVENTS_CAP, False)
    if timed == NULL or keys == NULL or pulses.items == NULL:
        return NO_MEMORY
    for k in range(<size_t>KEYS):
        memset(keys, 0, KEY_MARGIN)
        pulses.keys[k] = keys + KEY_MARGIN
        keys += room
    if not copy_notes(notes, timed):  # several tracks
        qsort(timed, n, sizeof(TimedNote), compare_notes)
    pulses.count = 0
    while first < n:
        end = first + 1
        while end < n and timed[end].seconds - timed[first].seconds <= GROUP_SECONDS:
            end += 1
        describe(timed, first, end, pulses)
        first = end
    for k in range(<size_t>KEYS):
        memset(pulses.keys[k] + pulses.count, 0, KEY_MARGIN + PULSE_BLOCK_SIZE)
    return USABLE


cdef bint copy_notes(const NoteColumns *notes, TimedNote *timed) noexcept nogil:
    """Copy what pulses need of the notes; returns whether they are in time order."""
    cdef bint ordered = True
    cdef double before = notes.onset_s[0]
    cdef size_t i
    for i in range(notes.count):
        timed[i].seconds = notes.onset_s[i]
        timed[i].length = <float>(notes.end_s[i] - notes.onset_s[i])
        timed[i].sound = notes.sound[i]
        timed[i].velocity = notes.velocity[i]
        ordered = ordered and before <= notes.onset_s[i]
        before = notes.onset_s[i]
    return ordered


cdef inline void describe(TimedNote *notes, size_t first, size_t end, Pulses *pulses) noexcept nogil:
    """Append a pulse. Its notes get its time."""
    cdef Pulse *pulse = &pulses.items[pulses.count]
    cdef size_t at = pulses.count, i
    cdef float longest = 0
    cdef uint32_t loudness = 0
    cdef int lowest = 127, highest = 0, loudest = 0
    for i in range(first, end):
        loudest = max(loudest, <int>notes[i].velocity)
        loudness += notes[i].velocity
        longest = max(longest, notes[i].length)
        lowest = min(lowest, <int>notes[i].sound >> 1)
        highest = max(highest, <int>notes[i].sound >> 1)
        notes[i].seconds = notes[first].seconds
    pulse.seconds = notes[first].seconds
    pulse.longest = longest
    pulse.loudness = <float>loudness
    pulses.keys[0][at] = <uint8_t>(128 - lowest)
    pulses.keys[1][at] = <uint8_t>(1 + highest)
    pulses.keys[2][at] = <uint8_t>loudest
    pulses.keys[3][at] = <uint8_t>min(end - first, <size_t>MAX_KEY)
    pulses.keys[4][at] = <uint8_t>(1 + <int>min(LONG_PER_SECOND * longest + LONG_BEGIN, <float>(MAX_KEY - 1)))
    pulses.count += 1
