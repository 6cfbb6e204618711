from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from midiopt.core.smf.arena cimport Arena
from midiopt.core.harmony.chroma cimport STRETCHES, Chroma
from midiopt.core.facts cimport Facts

# Kinds of evidence for a key. Training (training/key.py) gives each its weight.
cdef enum:
    DURATIONS  # correlation of its profile with how long each pitch class sounds
    COUNTS  # the same with how many notes each has
    OPENING  # the same over the first two quarters
    CLOSING  # share of its tonic in what sounds from the last onset on
    FLAT_SEVENTH  # in major: root of the share of notes on the lowered seventh degree, as in the mixolydian mode
    HELD  # where the key changes: share of the time in which it holds
    SIGNATURE  # 1 if it has the signature declared, unless C major is
    C_MAJOR  # 1 if C major is declared and it has no sharps or flats
    MINOR_DECLARED  # 1 if it is the minor key declared
    MAJOR_DECLARED  # 1 if it is the major key declared, unless that is C
    EVIDENCE
    FROM_NOTES = SIGNATURE  # the kinds before this one

# What is correlated with the profiles, side by side: each stretch, and
cdef enum:
    ALL = STRETCHES  # how long each class sounds in all
    STRUCK  # how many notes it has
    FIRST  # how long it sounds over the first two quarters
    LANES = STRETCHES + 4  # a whole number of vectors; the last stays empty

cdef struct KeyEvidence:
    # Scratch. Its arrays are fields of one struct, so that the loops need no check for overlap.
    double weights[12][LANES]
    double correlations[24][LANES]
    double roots[24][LANES]  # twice, so that every tonic finds twelve in a row
    double mean[LANES]
    double squares[LANES]
    double length[LANES]
    double scores[24]
    double counts[12]
    double closing[12]
    double times[STRETCHES]
    int64_t before[STRETCHES][24]  # the key of the stretch before, if this one is reached; as wide as a score
    # Results.
    double values[EVIDENCE][24]  # majors from the class of the lowest note upward, then minors
    int lowest  # that class
    int32_t changes  # of the key that holds


cdef void weigh_key(KeyEvidence *evidence, const Chroma *chroma, const uint32_t *pitches, Facts *facts) noexcept nogil
cdef uint8_t declared_key(const Arena *arena, const uint8_t *data, size_t first, size_t last) noexcept nogil
