"""Estimates the key, from the notes alone and together with what the file declares.

Each of the 24 keys gets a score: a weighted sum of the evidence for it (key_evidence.pxd lists the kinds). The key with the highest
score wins; its confidence is the softmax, since the model is fitted as a choice among alternatives (D. McFadden, 1974), with
scores scaled down where there are few notes. A loop of chords has weights of its own, for the order of its chords.
docs/accuracy.md says how well that works.
"""

from libc.math cimport exp
from libc.stdint cimport int64_t
from libc.string cimport memset

from midiopt.core.harmony import key_weights

from midiopt.core.facts cimport NULL_ENUM
from midiopt.core.harmony.key_evidence cimport (
    EVIDENCE, FROM_NOTES, LOOP_EVIDENCE, argmax, declaration_evidence, key_code, loop_evidence, note_evidence,
)

cdef enum:
    MIN_NOTES = 3  # pitched
    FEW_NOTES = 15  # with this many, scores count half in the confidence: a loop of four chords fits several keys
    MAX_LOOP_BARS = 16
    FEW_LOOP_NOTES = 3  # the same in chord loops, whose weights know how little they say

cdef double[EVIDENCE] WEIGHTS
cdef double[LOOP_EVIDENCE] LOOP_WEIGHTS
cdef int _i
for _i in range(EVIDENCE):
    WEIGHTS[_i] = key_weights.WEIGHTS[_i]
for _i in range(LOOP_EVIDENCE):
    LOOP_WEIGHTS[_i] = key_weights.LOOP_WEIGHTS[_i]


cdef void estimate_key(
    KeyEvidence *e, const Chroma *chroma, const uint32_t *pitches, const Chords *chords, const BarGrid *bars, Facts *facts
) noexcept nogil:
    """Set key, key_notes, key_confidence and key_changes.

    `pitches` counts notes by pitch << 1 | is drum; `chords` is NULL without any; key_declared must be set. Pitch classes are counted
    from the lowest note's: transposed music is then computed in the same order, and gets the same answer to the last bit.
    """
    cdef double *scores = e.scores
    cdef int64_t notes = 0
    cdef int i, k, winner, lowest = 0
    for i in range(127, -1, -1):
        if pitches[i << 1]:
            notes += pitches[i << 1]
            lowest = i % 12
    facts.key = facts.key_notes = NULL_ENUM
    facts.key_confidence = 0
    facts.key_changes = 0
    e.lowest = lowest
    e.is_loop = False
    memset(e.values, 0, sizeof(e.values))
    if notes < MIN_NOTES:
        return
    note_evidence(e, chroma, pitches)
    declaration_evidence(e, facts.key_declared)
    facts.key_changes = e.changes
    e.is_loop = chords != NULL and chords.weights.thin.none and bars.bar_count <= MAX_LOOP_BARS
    if e.is_loop:
        loop_evidence(e, chords, bars.beat_count)
    memset(e.scores, 0, sizeof(e.scores))
    for i in range(LOOP_EVIDENCE if e.is_loop else FROM_NOTES):
        for k in range(24):
            e.scores[k] += LOOP_WEIGHTS[i] * e.loop[i][k] if e.is_loop else WEIGHTS[i] * e.values[i][k]
    facts.key_notes = key_code(argmax(scores), lowest)
    for i in range(FROM_NOTES, EVIDENCE):
        for k in range(24):
            e.scores[k] += WEIGHTS[i] * e.values[i][k]
    winner = argmax(scores)
    facts.key = key_code(winner, lowest)
    facts.key_confidence = softmax_at(scores, winner, <double>notes / (notes + (FEW_LOOP_NOTES if e.is_loop else FEW_NOTES)))


cdef inline double softmax_at(const double *scores, int winner, double scale) noexcept nogil:
    """The softmax of the scores, multiplied by `scale`, at `winner`."""
    cdef double total = 0
    cdef int k
    for k in range(24):
        total += exp(scale * (scores[k] - scores[winner]))
    return 1 / total
