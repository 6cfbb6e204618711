"""notes_hash: equal for the same music in another file.

A note is two numbers of 64 bits: the bits of its onset in quarters (float64); and those of its length in quarters (float32)
beside pitch, velocity, and 1 for a drum. Each step of the hash of a note is a bijection of the onset, and of the rest, in
multiplications and shifts as in the finaliser of MurmurHash3 (Austin Appleby, 2011). The hash of a file is the sum (modulo
2**64) of the hashes of its notes, which does not depend on their order: hashing the notes in tick order took a quarter of
the analysis, nearly all of it for sorting them. XXH3-64 of each note, whose product of 128 bits no vector has, took three times
as long.
"""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from midiopt.core.notes.columns cimport length_ticks, onset_ticks
from midiopt.core.notes.types cimport NOTE_GROUP, NoteColumns

cdef uint64_t MULTIPLIER_1 = 0x9E3779B97F4A7C15, MULTIPLIER_2 = 0xFF51AFD7ED558CCD, MULTIPLIER_3 = 0xC4CEB9FE1A85EC53


cdef void add_notes_hash(Notes *notes, const TempoMap *map) noexcept nogil:
    """Add the notes of a sequence to the counts' hash.

    A correctly rounded quotient is the same for the same music at any division.
    """
    cdef const NoteColumns *c = &notes.columns
    cdef double *onsets = notes.onset_quarters
    cdef double *lengths = notes.length_quarters
    cdef double quarter = map.ticks_per_quarter
    cdef size_t row = 0, i, n
    while row < c.count:
        n = min(c.count - row, <size_t>NOTE_GROUP)
        onset_ticks(c, row, n, onsets)
        length_ticks(c, row, n, lengths)
        for i in range(n):
            onsets[i] /= quarter
        for i in range(n):
            lengths[i] /= quarter
        notes.counts.notes_hash += sum_of_hashes(onsets, lengths, c.sound + row, c.velocity + row, n)
        row += n


cdef uint64_t sum_of_hashes(
    const double *onsets, const double *lengths, const uint8_t *sounds, const uint8_t *velocities, size_t n
) noexcept nogil:
    """The sum of the hashes of `n` notes; onsets and lengths are in quarters."""
    cdef uint64_t multiplier_1 = MULTIPLIER_1, multiplier_2 = MULTIPLIER_2, multiplier_3 = MULTIPLIER_3
    cdef uint64_t hash, sum = 0
    cdef uint32_t length, drum
    cdef float quarters
    cdef size_t i
    for i in range(n):
        quarters = <float>lengths[i]
        memcpy(&hash, &onsets[i], 8)
        memcpy(&length, &quarters, 4)
        drum = sounds[i] & 1
        hash *= multiplier_1
        hash ^= hash >> 32
        hash ^= <uint64_t>length << 32 | (<uint32_t>(sounds[i] >> 1) | <uint32_t>velocities[i] << 8 | drum << 16)
        hash *= multiplier_2
        hash ^= hash >> 29
        hash *= multiplier_3
        sum += hash ^ hash >> 32
    return sum
