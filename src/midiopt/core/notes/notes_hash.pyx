"""notes_hash: equal for the same music in another file.

A note is hashed as 16 bytes: float64 onset and float32 length in quarters, pitch, velocity, 1 for a drum, 0. The hash of a
file is the sum (modulo 2**64) of the XXH3-64 of its notes, which does not depend on their order: hashing the notes in tick
order took a quarter of the analysis, nearly all of it for sorting them.
"""

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memcpy

from midiopt.core.memory cimport NOTE_SORT_BLOCK, reserve_block
from midiopt.core.notes.types cimport TICK_SHIFT, PackedNote
from midiopt.core.smf.midi cimport MAX_EVENTS_CAP, NO_MEMORY, USABLE

cdef extern from *:
    """
    /* XXH3-64 (Yann Collet, 2019) of 16 bytes with the default secret and seed 0: the branch of the
       specification for inputs of 9 to 16 bytes. A test compares it with the xxhash package. */
    static inline unsigned long long midiopt_xxh3_16(unsigned long long first, unsigned long long second) {
        unsigned long long low = first ^ 0x6782737bea4239b9ULL, high = second ^ 0xaf56bc3b0996523aULL, sum;
        unsigned __int128 product = (unsigned __int128)low * high;
        sum = 16 + __builtin_bswap64(low) + high + ((unsigned long long)product ^ (unsigned long long)(product >> 64));
        sum ^= sum >> 37;
        sum *= 0x165667919e3779f9ULL;
        return sum ^ sum >> 32;
    }
    """
    uint64_t midiopt_xxh3_16(uint64_t first, uint64_t second) noexcept nogil


cdef Status add_notes_hash(Notes *notes, const TempoMap *map) noexcept nogil:
    """Add the notes of a sequence to the counts' hash.

    A correctly rounded quotient is the same for the same music at any division. The divisions have loops of their own: one
    note at a time, the two of them cost 10 cycles per note; in vectors, 4.
    """
    cdef size_t n = notes.note_count
    cdef size_t i
    cdef const PackedNote *note = notes.notes
    cdef double *onsets
    cdef float *lengths
    cdef double quarter = map.ticks_per_quarter
    cdef uint64_t first, sum = 0
    cdef uint32_t length
    onsets = <double *>reserve_block(notes.scratch, NOTE_SORT_BLOCK, n, sizeof(PackedNote), 2 * MAX_EVENTS_CAP, False)
    if onsets == NULL:
        return NO_MEMORY
    lengths = <float *>(onsets + n)
    for i in range(n):
        onsets[i] = <double><int64_t>(note[i].onset >> TICK_SHIFT) / quarter
    for i in range(n):
        lengths[i] = <float>(<double><int64_t>(note[i].length >> TICK_SHIFT) / quarter)
    for i in range(n):
        memcpy(&first, &onsets[i], 8)
        memcpy(&length, &lengths[i], 4)
        sum += midiopt_xxh3_16(
            first, length | (note[i].onset >> 1 & 0x7F) << 32 | (note[i].length & 0x7F) << 40 | (note[i].onset & 1) << 48
        )
    notes.counts.notes_hash += sum
    return USABLE
