"""Estimates a chord for each beat: the most likely path through the chords of a song (A. Viterbi, 1967).

In each beat a chord scores the weights of its pitch classes (template matching: T. Fujishima, "Realtime Chord Recognition of
Musical Sound", ICMC 1999), a bias for its quality, and a bonus for the place of the lowest note in it; a change costs CHANGE.
"No chord" scores best where little sounds. The numbers of chord_scores.py are fitted by training/chords.py, and docs/accuracy.md
says how well they work.

Since any change comes from the best chord of the beat before, a path is stored as that chord and the beat since which it holds.
Classes are counted from that of the lowest note, so that ties break the same way in every transposition.
"""

from libc.string cimport memcmp, memcpy, memset, strcpy

from midiopt.core.harmony import chord_scores, chord_symbols
from midiopt.core.harmony.chord_weights cimport FULL_WEIGHT, ChordWeights, accumulate_weights
from midiopt.schema import MAJOR_TONICS, MINOR_TONICS

cdef enum:
    SHIFT = 2  # from the weights of chord_weights.pyx to those of chord_scores.py
    DIMINISHED_SEVENTH = QUALITIES - 1
    HALF_DIMINISHED = QUALITIES - 2
    IMPOSSIBLE = -16000  # of the lanes that are no root

cdef int CHANGE = chord_scores.CHANGE
cdef int NO_CHORD_SCORE = chord_scores.NO_CHORD
cdef int SILENCE = chord_scores.SILENCE
cdef int NO_CHORD_WEIGHT = chord_scores.NO_CHORD_WEIGHT

cdef int16_t[14][STATES] BONUS  # of each chord, by class of the bass; 12 for none, 13 in silence
cdef uint8_t[NAMED_QUALITIES * LANES] TRIAD
cdef char[2][12][4] ROOT_NAMES  # under a chord with a major third or none, and with a minor third
cdef char[2][12][12][4] BASS_NAMES  # by root
cdef char[NAMED_QUALITIES][8] SUFFIXES
cdef uint8_t[NAMED_QUALITIES] MINOR_THIRD
cdef uint8_t[QUALITIES] OVER_THIRD  # the quality with a sixth of the same notes; 0 for none
cdef uint8_t[128 + 12] CLASSES  # of a pitch, and of an octave more


def fill_tables():
    """Fill the tables of this module."""
    cdef int bass, minor, quality, root, sixth, _i
    for _i in range(12):
        for minor, tonics in enumerate((MAJOR_TONICS, MINOR_TONICS)):
            strcpy(ROOT_NAMES[minor][_i], tonics[_i].encode())
            for bass in range(12):
                strcpy(BASS_NAMES[minor][_i][bass], chord_symbols.BASSES[_i in chord_symbols.FLAT_ROOTS[minor]][bass].encode())
    for _i in range(128 + 12):
        CLASSES[_i] = _i % 12
    for quality, triad in enumerate(chord_symbols.TRIADS):
        MINOR_THIRD[quality] = 3 in chord_symbols.QUALITIES[triad][1]
        for root in range(LANES):
            TRIAD[quality * LANES + root] = triad * LANES + root
    for sixth, (quality, suffix) in enumerate(chord_symbols.SIXTHS.items()):
        OVER_THIRD[quality] = SIXTH + sixth
        strcpy(SUFFIXES[SIXTH + sixth], suffix.encode())
    strcpy(SUFFIXES[FLAT_FIFTH], chord_symbols.FLAT_FIFTH.encode())
    for quality, (suffix, tones) in enumerate(chord_symbols.QUALITIES):
        strcpy(SUFFIXES[quality], suffix.encode())
        for root in range(LANES):
            for bass in range(13):
                interval = (bass + 24 - root) % 12
                place = tones.index(interval) if bass < 12 and interval in tones else 4
                score = chord_scores.BIAS[quality] + (chord_scores.BASS[place] if bass < 12 else 0)
                BONUS[bass][quality * LANES + root] = score if root < 12 else IMPOSSIBLE
            BONUS[13][quality * LANES + root] = 0 if root < 12 else IMPOSSIBLE


fill_tables()


cdef bint estimate_chords(Chords *c, const Notes *notes, const BarGrid *bars) noexcept nogil:
    """Estimate the chords of one sequence; False when no beat has two classes or nothing is a chord."""
    cdef const uint8_t *class_of
    if notes.counts.polyphony_max < 2 or bars.beat_count == 0:
        return False
    c.base = lowest_class(notes)
    class_of = &CLASSES[12 - c.base]
    accumulate_weights(&c.weights, notes, bars, class_of)
    if not find_path(c, bars.beat_count, class_of):
        return False
    trace_back(c, bars.beat_count)
    set_basses(c, bars.beat_count, class_of)
    set_triads(c, bars.beat_count)
    return c.first < bars.beat_count


cdef int lowest_class(const Notes *notes) noexcept nogil:
    """The pitch class of the lowest pitched note."""
    cdef int pitch = 0
    while pitch < 127 and notes.counts.pitches[pitch << 1] == 0:
        pitch += 1
    return pitch % 12


cdef bint find_path(Chords *c, int count, const uint8_t *class_of) noexcept nogil:
    """Set the best chord of each beat, and since when it holds; returns whether a beat has two classes.

    A beat like the one before, which left all scores as they were, changes nothing: a chord or a rest of 8,192 beats, which takes 160
    bytes, is passed in a ninth of the time.
    """
    cdef int block = 0, i, f, no_chord = 0, no_chord_before, no_chord_since = 0, best, winner, row, row_before = -1
    cdef bint two_classes = False, sounds, sounds_before = False, is_same, is_settled = False
    memset(c.scores, 0, sizeof(c.scores))
    memset(c.since, 0, sizeof(c.since))
    while block < count:
        prepare_block(c, block)
        for i in range(min(count - block, <int>CHORD_BLOCK)):
            f = block + i
            two_classes |= c.class_count[i] > 1
            sounds = c.class_count[i] > 0
            row = class_of[c.weights.lowest[f]] if c.weights.lowest[f] < 128 else 12 if sounds else 13
            is_same = row == row_before and sounds == sounds_before
            is_same = is_same and memcmp(c.classes_before, c.classes[i], sizeof(c.classes_before)) == 0
            if is_same and is_settled:
                c.best[f] = c.best[f - 1]
                c.best_since[f] = c.best_since[f - 1]
                continue
            row_before = row
            sounds_before = sounds
            memcpy(c.classes_before, c.classes[i], sizeof(c.classes_before))
            no_chord_before = no_chord
            if is_same:
                memcpy(c.scores_before, c.scores, sizeof(c.scores))
            best = add_beat(c, BONUS[row], i, f)
            if no_chord <= -CHANGE:
                no_chord = -CHANGE
                no_chord_since = f
            no_chord += NO_CHORD_SCORE + (c.total[i] * NO_CHORD_WEIGHT >> 10) if sounds else SILENCE
            winner = subtract_best(c.scores, best, max(best, no_chord))
            if no_chord > best:
                c.best[f] = NO_CHORD
                c.best_since[f] = <int16_t>no_chord_since
            else:
                c.best[f] = <uint8_t>winner
                c.best_since[f] = c.since[winner]
            no_chord -= max(best, no_chord)
            is_settled = is_same and no_chord == no_chord_before and memcmp(c.scores_before, c.scores, sizeof(c.scores)) == 0
        block += CHORD_BLOCK
    return two_classes


cdef void prepare_block(Chords *c, int block) noexcept nogil:
    """Set the weights of a block of beats as add_beat reads them: at most 1024 each, beat by beat."""
    cdef const int32_t *row
    cdef int i, k
    cdef int32_t weight
    memset(c.total, 0, sizeof(c.total))
    memset(c.class_count, 0, sizeof(c.class_count))
    for k in range(12):
        row = &c.weights.weights[k][block]
        for i in range(<int>CHORD_BLOCK):
            weight = min(row[i], <int32_t>FULL_WEIGHT) >> SHIFT
            c.shifted[k][i] = <int16_t>weight
            c.total[i] += weight
            c.class_count[i] += row[i] > 0
    for i in range(<int>CHORD_BLOCK):
        for k in range(12):
            c.classes[i][k] = c.shifted[k][i]
        for k in range(12):
            c.classes[i][12 + k] = c.classes[i][k]


cdef int add_beat(Chords *c, const int16_t *bonus, int i, int f) noexcept nogil:
    """Add beat f, which is beat i of its block, to the scores of all chords; returns the best.

    Loads and stores of the first loop are of fields of one struct: with pointers to them, gcc fears an overlap and leaves it scalar,
    which takes twice as long as all the rest.
    """
    cdef int16_t root, fifth, seventh, major, minor, diminished, score, change = <int16_t>-CHANGE, best = -32768
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
        score = c.scores[k]
        c.since[k] = c.since[k] if score > change else <int16_t>f
        score = (score if score > change else change) + (<int16_t *>c.added)[k] + bonus[k]
        c.scores[k] = score
        best = best if best > score else score
    return best


cdef int subtract_best(int16_t *scores, int best, int subtrahend) noexcept nogil:
    """Subtract from all scores; returns the first chord that has the best of them."""
    cdef int16_t winner = STATES, score, to_find = <int16_t>best, less = <int16_t>subtrahend
    cdef int16_t k, candidate
    for k in range(<int16_t>STATES):
        score = scores[k]
        candidate = k if score == to_find else <int16_t>STATES
        winner = winner if winner < candidate else candidate
        scores[k] = score - less
    return winner


cdef void trace_back(Chords *c, int count) noexcept nogil:
    """Set the chords from the last beat back."""
    cdef int end = count, start
    while end > 0:
        start = c.best_since[end - 1]
        memset(&c.chords[start], c.best[end - 1], end - start)
        end = start


cdef void set_basses(Chords *c, int count, const uint8_t *class_of) noexcept nogil:
    """Set the bass of each chord: the class that is lowest in more than half of its beats, else the root.

    A seventh chord over its third may be one with a sixth: the notes of Am7 over C are C6. m7b5 over its fifth is a major chord with a
    flat fifth where its third is missing: C E Gb are three of the notes of Gbm7b5.
    """
    cdef int start = 0, end, f, lead, bass, beats, chord
    while start < count:
        end = start + 1
        while end < count and c.chords[end] == c.chords[start]:
            end += 1
        bass = lead = beats = 0
        for f in range(start, end):  # the only class that can be the majority (R. Boyer and J S. Moore, 1981)
            if c.weights.lowest[f] < 128 and (lead == 0 or class_of[c.weights.lowest[f]] == bass):
                bass = class_of[c.weights.lowest[f]]
                lead += 1
            elif lead:
                lead -= 1
        for f in range(start, end):
            beats += c.weights.lowest[f] < 128 and class_of[c.weights.lowest[f]] == bass
        chord = c.chords[start]
        if 2 * beats <= end - start:
            bass = chord % LANES
        elif chord != NO_CHORD and OVER_THIRD[chord // LANES] and bass == (chord % LANES + 3) % 12:
            memset(&c.chords[start], OVER_THIRD[chord // LANES] * LANES + bass, end - start)
        elif chord // LANES == DIMINISHED_SEVENTH and (bass + 12 - chord % LANES) % 3 == 0:  # each of its notes may be the root
            memset(&c.chords[start], DIMINISHED_SEVENTH * LANES + bass, end - start)
        elif chord // LANES == HALF_DIMINISHED and bass == (chord % LANES + 6) % 12 and has_flat_fifth(&c.weights, start, end, bass):
            memset(&c.chords[start], FLAT_FIFTH * LANES + bass, end - start)
        memset(&c.basses[start], bass, end - start)
        start = end


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


cdef inline int copy_text(char *text, const char *part) noexcept nogil:
    """Copy a part without its NUL; returns its length."""
    cdef int size = 0
    while part[size]:
        text[size] = part[size]
        size += 1
    return size


cdef const char *quality_name(uint8_t chord) noexcept nogil:
    """What is written after the root of a chord."""
    return SUFFIXES[chord // LANES]


cdef int write_triad(char *text, uint8_t chord, int base) noexcept nogil:
    """Write a chord over its root, which is counted from `base` and spelled after the third; returns the length, at most 7."""
    cdef int quality = chord // LANES
    cdef int size = copy_text(text, ROOT_NAMES[MINOR_THIRD[quality]][(chord % LANES + base) % 12])
    return size + copy_text(&text[size], SUFFIXES[quality])


cdef int write_symbol(char *text, uint8_t chord, uint8_t bass, int base) noexcept nogil:
    """Write the symbol of a chord over a bass, or N for none; returns its length, at most 10."""
    cdef int size
    if chord == NO_CHORD:
        return copy_text(text, b"N")
    size = write_triad(text, chord, base)
    if bass != chord % LANES:
        size += copy_text(&text[size], b"/")
        size += copy_text(&text[size], BASS_NAMES[MINOR_THIRD[chord // LANES]][(chord % LANES + base) % 12][(bass + base) % 12])
    return size
