from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from midiopt.core.harmony.chords cimport Chords
from midiopt.core.harmony.chroma cimport SEGMENTS, Chroma
from midiopt.core.smf.arena cimport Arena

cdef extern from *:
    """
    #define MIDIOPT_TIE 1e-9
    """
    const double TIE "MIDIOPT_TIE"  # scores this close tie, so that rounding errors decide nothing; the first key then wins

# Kinds of evidence for a key; training/key.py fits a weight for each.
cdef enum:
    DURATIONS  # correlation of the key's profile with the sounding time of each pitch class
    COUNTS  # the same with the number of notes of each
    OPENING  # the same with the sounding time in the first two quarters
    CLOSING  # share of the tonic in what sounds from the last onset on
    FLAT_SEVENTH  # in major: square root of the share of notes on the lowered seventh degree, as in the mixolydian mode
    HELD  # where the key changes: share of the time in which this key holds
    SIGNATURE  # 1 if the key has the declared signature, unless C major is declared
    C_MAJOR  # 1 if C major is declared and the key has no sharps or flats
    MINOR_DECLARED  # 1 if it is the declared minor key
    MAJOR_DECLARED  # 1 if it is the declared major key, unless that is C
    EVIDENCE
    FROM_NOTES = SIGNATURE  # the kinds before this one need no declaration

# Kinds of evidence for the key of a chord loop, which has few notes: its chords count, each once while it holds, as triads.
cdef enum:
    LOOP_DURATIONS  # DURATIONS
    FIRST_CHORD  # 1 if the first chord is the tonic
    LAST_CHORD  # 1 if the last is
    TONIC_CHORDS  # share of the chords that are the tonic
    DIATONIC_CHORDS  # share of the chords that belong to the key, in minor also V
    MINOR_LOOP  # 1 in minor
    LOOP_EVIDENCE

# Lanes that are correlated with the profiles side by side: the sounding time in each segment, and
cdef enum:
    DURATION_LANE = SEGMENTS  # the sounding time in all segments
    COUNT_LANE  # the number of notes
    OPENING_LANE  # the sounding time in the first two quarters
    LANES = SEGMENTS + 4  # a whole number of vectors; the last lane stays empty

# A key is 0 to 11 for major, 12 to 23 for minor, counted from the pitch class of the lowest note.
cdef struct KeyEvidence:
    # Scratch memory. The arrays are fields of one struct, so that the loops need no check for overlap.
    double weights[12][LANES]  # by pitch class
    double correlations[24][LANES]  # by key
    double roots[24][LANES]  # square roots of the weights, normalised; stored twice, so that every tonic finds 12 in a row
    double mean[LANES]
    double squares[LANES]
    double length[LANES]
    double scores[24]
    double counts[12]  # notes by pitch class
    double closing[12]
    double durations[SEGMENTS]  # of the segments that are not silent
    int64_t predecessors[SEGMENTS][24]  # the best key in the segment before; 64 bits, as wide as a score
    # Results.
    double values[EVIDENCE][24]
    bint is_loop
    double loop[LOOP_EVIDENCE][24]
    int lowest  # pitch class of the lowest note
    int32_t changes  # of the key that holds
    int64_t path[SEGMENTS]  # the key that holds in each segment that is not silent
    int path_length


cdef inline int argmax(const double *scores) noexcept nogil:
    """The key with the highest score, the first among those within TIE of it."""
    cdef int k, winner = 0
    cdef double to_beat = scores[0] + TIE
    for k in range(1, 24):
        if scores[k] > to_beat:
            winner = k
            to_beat = scores[k] + TIE
    return winner


cdef void note_evidence(KeyEvidence *e, const Chroma *chroma, const uint32_t *pitches) noexcept nogil
cdef void loop_evidence(KeyEvidence *e, const Chords *c, int count) noexcept nogil
cdef void declaration_evidence(KeyEvidence *e, uint8_t declared) noexcept nogil
cdef uint8_t declared_key(const Arena *arena, const uint8_t *data, size_t first, size_t last) noexcept nogil
cdef uint8_t key_code(int key, int lowest) noexcept nogil
