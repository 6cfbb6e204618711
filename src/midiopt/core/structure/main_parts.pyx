"""Names the track that has the melody, and the one that has the bass, where that is sure.

Two conditional logits, each a choice among the tracks with pitched notes and "none": a melody is one voice in the middle of the range
that sounds most of the time and moves in steps, a bass one low voice. training/main_parts.py fits the weights to tracks that are
named, or are sung in karaoke files, reference/main_parts.py has the same in plain Python. Names are not read.
"""

from libc.math cimport exp, fabs, log
from libc.stddef cimport size_t
from libc.stdint cimport int64_t
from libc.stdlib cimport abs

from midiopt.core.facts cimport BASS_PART, MELODY_PART
from midiopt.core.notes.types cimport NoteColumns, onset_of
from midiopt.core.structure import main_parts_weights

cdef enum:
    FEATURE_COUNT = 15
    FIRST_BASS_PROGRAM = 32
    LAST_BASS_PROGRAM = 39

cdef double SURE = 0.8  # probability above which a track is named

# The least of a length in seconds that something is divided by.
cdef double MIN_SECONDS = 0.1

cdef struct Weights:
    double[FEATURE_COUNT] of_feature

cdef struct Sequence:  # what the tracks of a sequence are compared with
    double notes, velocity  # means of the tracks
    double seconds  # the longest of the tracks
    double span  # seconds from the first onset to the last

cdef struct Choice:
    const PartShape *best
    double probability

cdef Weights MELODY_WEIGHTS, BASS_WEIGHTS
cdef int _i
for _i in range(FEATURE_COUNT):
    MELODY_WEIGHTS.of_feature[_i] = main_parts_weights.MELODY[_i]
    BASS_WEIGHTS.of_feature[_i] = main_parts_weights.BASS[_i]


cdef void describe_part(PartShape *shape, const Notes *notes, TrackFacts *row) noexcept nogil:
    """Set the shape of a track from its notes."""
    cdef int64_t pitches = 0
    cdef int i
    shape.row = row
    shape.notes = 0
    for i in range(128):
        shape.notes += notes.counts.pitches[i << 1]
        pitches += i * <int64_t>notes.counts.pitches[i << 1]
    shape.pitch = <double>pitches / shape.notes
    shape.seconds = notes.counts.sounding_seconds
    describe_motion(shape, &notes.columns)


cdef void describe_motion(PartShape *shape, const NoteColumns *c) noexcept nogil:
    """Set how the highest notes move from onset to onset."""
    cdef int64_t at = -1, count = 0, steps = 0, repeats = 0, leaps = 0
    cdef int interval, pitch = -1, before = -1, top = -1
    cdef size_t i
    for i in range(c.count + 1):
        if i < c.count:
            if c.traits[i] & 1:  # a drum
                continue
            pitch = (c.traits[i] & 0xFF) >> 1
            if onset_of(c, i) == at:
                top = max(top, pitch)
                continue
            at = onset_of(c, i)
        if before >= 0:
            interval = abs(top - before)
            count += 1
            steps += 1 <= interval <= 2
            repeats += interval == 0
            leaps += interval
        before = top
        top = pitch
    shape.steps = <double>steps / max(count, 1)
    shape.repeats = <double>repeats / max(count, 1)
    shape.leap = <double>leaps / max(count, 1)


cdef void name_main_parts(const PartShape *shapes, size_t count) noexcept nogil:
    """Set main_part in the rows of the tracks that are the melody or the bass, if any is. The surer one wins a track that is both."""
    cdef Sequence sequence = compare(shapes, count)
    cdef Choice melody = choose(shapes, count, &sequence, &MELODY_WEIGHTS)
    cdef Choice bass = choose(shapes, count, &sequence, &BASS_WEIGHTS)
    if melody.probability > SURE:
        melody.best.row.main_part = MELODY_PART
    if bass.probability > SURE and not (bass.best == melody.best and melody.probability >= bass.probability):
        bass.best.row.main_part = BASS_PART


cdef Sequence compare(const PartShape *shapes, size_t count) noexcept nogil:
    """What the tracks are compared with."""
    cdef Sequence s
    cdef double first, last
    cdef size_t i
    s.notes = s.velocity = 0
    s.seconds = MIN_SECONDS
    first = shapes[0].row.first_onset_s
    last = shapes[0].row.last_onset_s
    for i in range(count):
        s.notes += shapes[i].notes
        s.velocity += shapes[i].row.velocity_mean
        s.seconds = max(s.seconds, shapes[i].seconds)
        first = min(first, shapes[i].row.first_onset_s)
        last = max(last, shapes[i].row.last_onset_s)
    s.notes /= count
    s.velocity /= count
    s.span = max(last - first, MIN_SECONDS)
    return s


cdef Choice choose(const PartShape *shapes, size_t count, const Sequence *sequence, const Weights *weights) noexcept nogil:
    """The most probable track. "None" scores 0."""
    cdef Choice choice
    cdef double score, highest = 0, total = 1  # of the exponentials, relative to that of the highest score
    cdef double best_score = 0
    cdef size_t i
    choice.best = NULL
    for i in range(count):
        score = score_of(&shapes[i], sequence, weights)
        if choice.best == NULL or score > best_score:
            choice.best = &shapes[i]
            best_score = score
        if score > highest:
            total = total * exp(highest - score) + 1
            highest = score
        else:
            total += exp(score - highest)
    choice.probability = exp(best_score - highest) / total
    return choice


cdef double score_of(const PartShape *shape, const Sequence *sequence, const Weights *weights) noexcept nogil:
    """The weighted features of a track, in the order of reference/main_parts.py."""
    cdef const double *w = &weights.of_feature[0]
    cdef const TrackFacts *row = shape.row
    cdef double more = max(row.polyphony_mean - 1.0, 0.0)  # than one note at a time
    cdef double score = w[0] + w[1] * min(more, 2.0) + w[2] * min(more, 0.3)
    score += w[3] * (shape.pitch - 60) / 12 + w[4] * fabs(shape.pitch - 67) / 12
    score += w[5] * min(shape.seconds / sequence.span, 1.0) + w[6] * shape.seconds / sequence.seconds
    score += w[7] * log((shape.notes + 1) / (sequence.notes + 1)) + w[8] * log(shape.notes / max(shape.seconds, MIN_SECONDS))
    score += w[9] * (row.pitch_max - row.pitch_min) / 12.0
    score += w[10] * shape.steps + w[11] * shape.repeats + w[12] * min(shape.leap, 12.0) / 12
    score += w[13] * (row.velocity_mean - sequence.velocity) / 16
    return score + w[14] * (FIRST_BASS_PROGRAM <= row.program <= LAST_BASS_PROGRAM)
