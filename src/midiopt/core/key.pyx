"""The key, from the notes alone and as declared.

The estimate is the key whose profile correlates best (Pearson) with the pitch-class weights of the
piece. Profiles: J. Albrecht and D. Shanahan, "The Use of Large Corpora to Train a New Type of
Key-Finding Algorithm", Music Perception 31(1), 2013.
"""

from libc.math cimport sqrt
from libc.stdint cimport INT64_MAX, int64_t

from .facts cimport NULL_ENUM
from .midi cimport META, META_KEY_SIGNATURE, Mark

cdef double[12] MAJOR = [0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081]
cdef double[12] MINOR = [0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052]

# For each tonic, the row of schema.KEYS with the usual spelling: C Db D Eb E F F# G Ab A Bb B and
# Cm C#m Dm Ebm Em Fm F#m Gm G#m Am Bbm Bm. That table goes up in fifths, majors from Cb, minors from Abm.
cdef uint8_t[24] NAMES = [7, 2, 9, 4, 11, 6, 13, 8, 3, 10, 5, 12, 19, 26, 21, 16, 23, 18, 25, 20, 27, 22, 17, 24]

# How often the estimate agreed with experts, by the lead of the best correlation over the second best
# (Nottingham, POP909 and Well-Tempered Clavier, 1,982 files): straight lines between these points.
cdef enum:
    POINTS = 6
cdef double[POINTS] LEAD = [0, 0.05, 0.10, 0.15, 0.20, 0.25]
cdef double[POINTS] AGREED = [0.40, 0.62, 0.80, 0.90, 0.97, 0.98]

cdef double[24][12] PROFILES  # rotated to each tonic, mean 0, length 1


cdef void make_profiles() noexcept nogil:
    cdef int mode, tonic, i
    cdef double mean, length
    cdef const double *profile
    for mode in range(2):
        profile = MAJOR
        if mode:
            profile = MINOR
        mean = length = 0
        for i in range(12):
            mean += profile[i] / 12
        for i in range(12):
            length += (profile[i] - mean) * (profile[i] - mean)
        for tonic in range(12):
            for i in range(12):
                PROFILES[mode * 12 + tonic][(tonic + i) % 12] = (profile[i] - mean) / sqrt(length)


make_profiles()


cdef KeyEstimate estimate_key(const double *weights) noexcept nogil:
    """The key of 12 pitch-class weights, C first, of any unit. All weights equal (to 1e-9): no key. Keys whose
    correlations differ by at most 1e-9 tie; then the earlier wins, majors C to B, then minors."""
    cdef KeyEstimate estimate
    cdef double[12] centred
    cdef double mean = 0, length = 0, r, best = -2, second = -2, lead
    cdef double least = weights[0], most = weights[0]
    cdef int i, k, winner = 0
    estimate.key = NULL_ENUM
    estimate.confidence = 0
    for i in range(12):
        mean += weights[i] / 12
        least = min(least, weights[i])
        most = max(most, weights[i])
    if most - least <= 1e-9 * most:
        return estimate
    for i in range(12):
        centred[i] = weights[i] - mean
        length += centred[i] * centred[i]
    length = sqrt(length)
    for k in range(24):
        r = 0
        for i in range(12):
            r += PROFILES[k][i] * centred[i]
        r /= length
        if r > best + 1e-9:
            second = best
            best = r
            winner = k
        elif r > second:
            second = r
    estimate.key = NAMES[winner]
    lead = best - second
    estimate.confidence = AGREED[POINTS - 1]
    for i in range(1, POINTS):
        if lead < LEAD[i]:
            estimate.confidence = AGREED[i - 1] + (AGREED[i] - AGREED[i - 1]) * (lead - LEAD[i - 1]) / (LEAD[i] - LEAD[i - 1])
            break
    return estimate


cdef uint8_t declared_key(const Arena *arena, const uint8_t *data, size_t first, size_t last) noexcept nogil:
    """The valid key signature at the earliest tick that has one, the last at that tick."""
    cdef const Mark *mark
    cdef const Mark *end
    cdef int64_t tick, earliest = INT64_MAX
    cdef size_t i
    cdef uint8_t key = NULL_ENUM
    for i in range(first, last):
        mark = arena.marks + arena.tracks[i].first_mark
        end = mark + arena.tracks[i].mark_count
        while mark < end:
            if mark.status == META and mark.type == META_KEY_SIGNATURE and mark.valid:
                tick = arena.events[mark.event].tick
                if tick <= earliest:
                    earliest = tick
                    key = <uint8_t>(<signed char>data[mark.offset] + 7 + 15 * data[mark.offset + 1])
            mark += 1
    return key
