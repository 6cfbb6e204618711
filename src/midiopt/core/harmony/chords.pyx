"""Estimates a chord for each beat: the most likely path through the chords of a song (A. Viterbi, 1967).

In each beat a chord scores the weights of its pitch classes (template matching: T. Fujishima, "Realtime Chord Recognition of Musical
Sound", ICMC 1999), a bias for its quality, and a bonus for the place of the lowest note in it; a change costs CHANGE. "No chord" scores
best where little sounds. The numbers of chord_scores.py are fitted by training/chords.py; docs/accuracy.md says how well they work.

Since any change comes from the best chord of the beat before, the scores of all beats tell the path: it is traced through them from the
last beat back. Keeping, for each chord, the beat since which it holds, and looking for the best one in each beat, costs more.
Classes are counted from that of the lowest note, so that ties break the same way in every transposition.
"""

from libc.stdint cimport uint32_t
from libc.string cimport memcpy, memset

from midiopt.core.harmony import chord_scores, chord_symbols
from midiopt.core.harmony.chord_weights cimport FULL_WEIGHT, ROW, ChordWeights, accumulate_weights
from midiopt.core.memory cimport ALIGNMENT, CHORD_SCORE_BLOCK, reserve_block
from midiopt.core.smf.midi cimport NO_MEMORY, USABLE

cdef enum:
    SHIFT = 2  # from the weights of chord_weights.pyx to those of chord_scores.py
    DIMINISHED_SEVENTH = QUALITIES - 1
    HALF_DIMINISHED = QUALITIES - 2
    IMPOSSIBLE = -16000  # of the lanes that are no root
    NEVER = -1
    NO_BASS = 12  # in the place of the class of the lowest note: no note sounds long enough
    SILENT  # nor any other

cdef int CHANGE = chord_scores.CHANGE
cdef int NO_CHORD_SCORE = chord_scores.NO_CHORD
cdef int SILENCE = chord_scores.SILENCE
cdef int NO_CHORD_WEIGHT = chord_scores.NO_CHORD_WEIGHT

cdef int16_t[SILENT + 1][STATES] BONUS  # of each chord, by the lowest class
cdef uint8_t[NAMED_QUALITIES * LANES] TRIAD
cdef uint8_t[QUALITIES] OVER_THIRD  # the quality with a sixth of the same notes; 0 for none
cdef uint8_t[128 + 12] CLASSES  # of a pitch, and of an octave more


def fill_tables():
    """Fill the tables of this module."""
    cdef int bass, quality, root, sixth, pitch
    for pitch in range(128 + 12):
        CLASSES[pitch] = pitch % 12
    for quality, triad in enumerate(chord_symbols.TRIADS):
        for root in range(LANES):
            TRIAD[quality * LANES + root] = triad * LANES + root
    for sixth, quality in enumerate(chord_symbols.SIXTHS):
        OVER_THIRD[quality] = SIXTH + sixth
    for quality, (_suffix, tones) in enumerate(chord_symbols.QUALITIES):
        for root in range(LANES):
            for bass in range(NO_BASS + 1):
                interval = (bass + 24 - root) % 12
                place = tones.index(interval) if bass < 12 and interval in tones else 4
                score = chord_scores.BIAS[quality] + (chord_scores.BASS[place] if bass < 12 else 0)
                BONUS[bass][quality * LANES + root] = score if root < 12 else IMPOSSIBLE
            BONUS[SILENT][quality * LANES + root] = 0 if root < 12 else IMPOSSIBLE


fill_tables()


cdef Status estimate_chords(Chords *c, const Notes *notes, const BarGrid *bars) noexcept nogil:
    """Estimate the chords of one sequence, and set whether there are any: not when no beat has two classes or nothing is a chord."""
    cdef const uint8_t *class_of
    c.found = False
    if notes.counts.polyphony_max < 2 or bars.beat_count == 0:
        return USABLE
    c.rows = <ScoreRow *>reserve_block(notes.scratch, CHORD_SCORE_BLOCK, bars.beat_count + 2, sizeof(ScoreRow), MAX_BEATS + 2, False)
    if c.rows == NULL:
        return NO_MEMORY
    c.rows = <ScoreRow *>(<size_t>c.rows + ALIGNMENT - 1 & ~<size_t>(ALIGNMENT - 1))  # or half of all vectors lie in two lines
    c.base = lowest_class(notes)
    class_of = &CLASSES[12 - c.base]
    accumulate_weights(&c.weights, notes, bars, class_of)
    if not find_path(c, bars.beat_count, class_of):
        return USABLE
    trace_back(c, bars.beat_count)
    set_triads(c, bars.beat_count)
    c.found = c.first < bars.beat_count
    return USABLE


cdef int lowest_class(const Notes *notes) noexcept nogil:
    """The pitch class of the lowest pitched note."""
    cdef int pitch = 0
    while pitch < 127 and notes.counts.pitches[pitch << 1] == 0:
        pitch += 1
    return pitch % 12


cdef bint find_path(Chords *c, int count, const uint8_t *class_of) noexcept nogil:
    """Set the row of scores of each beat; returns whether a beat has two classes.

    A beat like the one before, which left all scores as they were, changes nothing: a chord or a rest of 8,192 beats, which takes 160
    bytes, is passed in a ninth of the time.
    """
    cdef ScoreRow *before = c.rows
    cdef ScoreRow *row = before
    cdef int block = 0, i, f, no_chord = 0, no_chord_before, no_chord_since = 0, best, bass, bass_before = -1
    cdef uint64_t low = 0, middle = 0, high = 0  # the weights of the beat before
    cdef bint two_classes = False, sounds, sounded = False, is_same, is_settled = False
    memset(before, 0, sizeof(ScoreRow))
    while block < count:
        prepare_block(c, block)
        for i in range(min(count - block, <int>CHORD_BLOCK)):
            f = block + i
            two_classes |= c.class_count[i] > 1
            sounds = c.class_count[i] > 0
            bass = class_of[c.weights.lowest[f]] if c.weights.lowest[f] < 128 else NO_BASS if sounds else SILENT
            c.lowest_classes[f] = <uint8_t>bass
            is_same = (bass ^ bass_before | c.fours[0][i] ^ low | c.fours[1][i] ^ middle | c.fours[2][i] ^ high) == 0 and sounds == sounded
            if is_same and is_settled:
                c.row_of[f] = c.row_of[f - 1]
                continue
            bass_before = bass
            sounded = sounds
            low = c.fours[0][i]
            middle = c.fours[1][i]
            high = c.fours[2][i]
            no_chord_before = no_chord
            row += 1
            best = add_beat(c, before, row, BONUS[bass], i)
            if no_chord <= -CHANGE:
                no_chord = -CHANGE
                no_chord_since = f
            no_chord += NO_CHORD_SCORE + (c.total[i] * NO_CHORD_WEIGHT >> 10) if sounds else SILENCE
            row.best = <int16_t>best
            row.less = <int16_t>max(best, no_chord)
            row.no_chord_since = <int16_t>(no_chord_since if no_chord > best else NEVER)
            no_chord -= max(best, no_chord)
            c.row_of[f] = <int16_t>(row - c.rows)
            is_settled = is_same and no_chord == no_chord_before and are_equal(before, row)
            before = row
        block += CHORD_BLOCK
    return two_classes


cdef void prepare_block(Chords *c, int block) noexcept nogil:
    """Set the weights of a block of beats as add_beat reads them: at most 1024 each, beat by beat.

    Four weights are packed into a number, the first in its low bytes, in vectors; one by one, they took a sixth of the kernel's time.
    """
    cdef const int32_t *row
    cdef int32_t weight_0, weight_1, weight_2, weight_3
    cdef int i, j
    memset(c.total, 0, sizeof(c.total))
    memset(c.class_count, 0, sizeof(c.class_count))
    for j in range(3):
        row = &c.weights.weights[4 * j][block]
        for i in range(<int>CHORD_BLOCK):
            weight_0 = min(row[i], <int32_t>FULL_WEIGHT) >> SHIFT
            weight_1 = min(row[i + <int>ROW], <int32_t>FULL_WEIGHT) >> SHIFT
            weight_2 = min(row[i + 2 * <int>ROW], <int32_t>FULL_WEIGHT) >> SHIFT
            weight_3 = min(row[i + 3 * <int>ROW], <int32_t>FULL_WEIGHT) >> SHIFT
            c.total[i] += weight_0 + weight_1 + weight_2 + weight_3
            c.class_count[i] += (row[i] > 0) + (row[i + <int>ROW] > 0) + (row[i + 2 * <int>ROW] > 0) + (row[i + 3 * <int>ROW] > 0)
            c.fours[j][i] = <uint64_t><uint32_t>(weight_2 | weight_3 << 16) << 32 | <uint32_t>(weight_0 | weight_1 << 16)
    for i in range(<int>CHORD_BLOCK):
        for j in range(3):
            memcpy(&c.classes[i][4 * j], &c.fours[j][i], sizeof(uint64_t))
            memcpy(&c.classes[i][12 + 4 * j], &c.fours[j][i], sizeof(uint64_t))


cdef int add_beat(Chords *c, const ScoreRow *before, ScoreRow *row, const int16_t *bonus, int i) noexcept nogil:
    """Set the scores of all chords from those of the beat before and beat i of its block; returns the best.

    Loads and stores of the first loop are of fields of one struct: with pointers to them, gcc fears an overlap and leaves it scalar.
    """
    cdef int16_t root, fifth, seventh, major, minor, diminished, score, less = before.less, change = <int16_t>-CHANGE, best = -32768
    cdef int r, k
    for r in range(<int>LANES):
        root = c.classes[i][r]
        fifth = c.classes[i][r + 7]
        seventh = c.classes[i][r + 10]
        major = root + c.classes[i][r + 4]
        minor = root + c.classes[i][r + 3]
        diminished = minor + c.classes[i][r + 6]
        c.added[3][r] = major + c.classes[i][r + 8]
        major += fifth
        minor += fifth
        fifth += root
        c.added[0][r] = major
        c.added[1][r] = minor
        c.added[2][r] = diminished
        c.added[4][r] = fifth + c.classes[i][r + 5]
        c.added[5][r] = fifth + c.classes[i][r + 2]
        c.added[6][r] = major + seventh
        c.added[7][r] = major + c.classes[i][r + 11]
        c.added[8][r] = minor + seventh
        c.added[9][r] = diminished + seventh
        c.added[10][r] = diminished + c.classes[i][r + 9]
    for k in range(<int>STATES):
        score = before.scores[k] - less
        score = (score if score > change else change) + (<int16_t *>c.added)[k] + bonus[k]
        row.scores[k] = score
        best = best if best > score else score
    return best


cdef bint are_equal(const ScoreRow *a, const ScoreRow *b) noexcept nogil:
    """Whether all scores, less what is to be subtracted, are equal."""
    cdef int16_t differ = 0, less_a = a.less, less_b = b.less
    cdef int k
    for k in range(<int>STATES):
        differ |= <int16_t>(a.scores[k] - less_a) ^ <int16_t>(b.scores[k] - less_b)
    return differ == 0


cdef void trace_back(Chords *c, int count) noexcept nogil:
    """Set the chords and their basses from the last beat back. A chord holds since the beat at which a change to it was as good."""
    cdef const ScoreRow *row
    cdef int end = count, start, chord
    while end > 0:
        row = &c.rows[c.row_of[end - 1]]
        if row.no_chord_since == NEVER:
            chord = first_best(row)
            start = end - 1
            while start > 0 and holds(&c.rows[c.row_of[start - 1]], chord):
                start -= 1
        else:
            chord = NO_CHORD
            start = row.no_chord_since
        set_chord(c, start, end, chord)
        end = start


cdef inline bint holds(const ScoreRow *row, int chord) noexcept nogil:
    return row.scores[chord] - row.less > -CHANGE


cdef inline int first_best(const ScoreRow *row) noexcept nogil:
    """The first chord that has the best score."""
    cdef int16_t first = STATES, candidate, best = row.best
    cdef int16_t k
    for k in range(<int16_t>STATES):
        candidate = k if row.scores[k] == best else <int16_t>STATES
        first = first if first < candidate else candidate
    return first


cdef inline void set_chord(Chords *c, int start, int end, int chord) noexcept nogil:
    """Set a chord and its bass: the class that is lowest in more than half of its beats, else the root.

    A seventh chord over its third may be one with a sixth: the notes of Am7 over C are C6. m7b5 over its fifth is a major chord with a flat
    fifth where its third is missing: C E Gb are three of the notes of Gbm7b5.
    """
    cdef int bass = lowest_of_most(&c.lowest_classes[start], end - start)
    if bass == NO_BASS:
        bass = chord % LANES
    elif chord != NO_CHORD and OVER_THIRD[chord // LANES] and bass == (chord % LANES + 3) % 12:
        chord = OVER_THIRD[chord // LANES] * LANES + bass
    elif chord // LANES == DIMINISHED_SEVENTH and (bass + 12 - chord % LANES) % 3 == 0:  # each of its notes may be the root
        chord = DIMINISHED_SEVENTH * LANES + bass
    elif chord // LANES == HALF_DIMINISHED and bass == (chord % LANES + 6) % 12 and has_flat_fifth(&c.weights, start, end, bass):
        chord = FLAT_FIFTH * LANES + bass
    memset(&c.chords[start], chord, end - start)
    memset(&c.basses[start], bass, end - start)


cdef inline int lowest_of_most(const uint8_t *classes, int count) noexcept nogil:
    """The class that more than half of the beats have, or NO_BASS. Mostly all have the same: then no branch depends on a beat."""
    cdef int i, bass, lead = 0, beats = 0, differ = 0
    bass = classes[0]
    for i in range(1, count):
        differ |= classes[i] ^ bass
    if not differ:
        return min(bass, <int>NO_BASS)
    for i in range(count):  # the only class that can be the majority (R. Boyer and J S. Moore, 1981)
        if lead == 0:
            bass = classes[i]
        lead += 1 if classes[i] == bass else -1
    for i in range(count):
        beats += classes[i] == bass
    return min(bass, <int>NO_BASS) if 2 * beats > count else NO_BASS


cdef bint has_flat_fifth(const ChordWeights *c, int start, int end, int root) noexcept nogil:
    """Whether the major third sounds in these beats, and the sixth does not."""
    cdef int32_t third = 0, sixth = 0
    cdef int f
    for f in range(start, end):
        third |= c.weights[(root + 4) % 12][f]
        sixth |= c.weights[(root + 9) % 12][f]
    return third and not sixth


cdef void set_triads(Chords *c, int count) noexcept nogil:
    """Set the triads and the first beat that has one."""
    cdef uint8_t triad = NO_CHORD
    cdef int f, held = 0
    c.first = count
    for f in range(count):
        if c.chords[f] != NO_CHORD:
            triad = TRIAD[c.chords[f]]
            held = f
            c.first = min(c.first, f)
        c.triads[f] = triad
        c.held[f] = <int16_t>held
