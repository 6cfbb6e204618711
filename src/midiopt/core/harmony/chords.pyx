"""A chord for each half bar.

Template matching on pitch-class weights (T. Fujishima, "Realtime Chord Recognition of Musical Sound", ICMC
1999), here of notes, with sounding time for weight. A triad scores the weight of its three classes, and a
quarter of its seventh's. The lowest note that sounds for a third of the half bar speaks for its root with a
sixteenth of all weight: in C E G A it decides between Am and C, while inversions keep their root. What is
not major or minor gives an eighth away. The chord before stays unless another leads by a sixteenth, and
through rests and single notes. Classes are counted from the lowest note's, so that what ties does so in
every transposition.

Of half bars of Nottingham tunes, as they are, in first and in second inversions, and of chord loops, played on
time and ahead of it (a quarter of the tunes, a sixth of the loops), so many are right:

    lowest note   an eighth, no seventh            .995 .942 .981 .978
                  a thirty-second                  .995 .985 .989
                  a sixteenth, with the seventh    .996 .991 .994 .977
                  and only when it sounds a third  .996 .991 .994 .989

With sevenths put on every chord of the tunes .986, .953, .991 and .991. accuracy/chords.py scores all of both.
"""

from libc.stdint cimport INT64_MAX
from libc.string cimport memset

from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT, Span, span_at
from midiopt.core.notes.types cimport TICK_SHIFT, PackedNote
from midiopt.core.doubles cimport as_double

cdef enum:
    QUALITIES = 6
    COMMON = 2  # of them give nothing away
    FULL = 4096  # the weight of what sounds throughout a usual frame
    MOST_WEIGHT = 1 << 20  # of a class in a frame
    LONGEST = 64  # frames in which a note is heard after the one it begins in

# Of a weight: what is added before it is cut to a whole number. No part of a frame that notes have lies on that edge, so
# the same music has the same weights at every division.
cdef double PHASE = 0.37123456789

# Third and fifth above the root, as score_chords has them; power chords and single thirds fall to major or minor.
cdef int[QUALITIES] THIRD = [4, 3, 3, 4, 5, 2]
cdef int[QUALITIES] FIFTH = [7, 7, 6, 8, 7, 7]
cdef const char *SUFFIX[QUALITIES]
SUFFIX[:] = [b"", b"m", b"dim", b"aug", b"sus4", b"sus2"]
# Usual spellings, as schema.KEYS: with a major third or none, and with a minor one.
cdef const char *MAJORS[12]
MAJORS[:] = [b"C", b"Db", b"D", b"Eb", b"E", b"F", b"F#", b"G", b"Ab", b"A", b"Bb", b"B"]
cdef const char *MINORS[12]
MINORS[:] = [b"C", b"C#", b"D", b"Eb", b"E", b"F", b"F#", b"G", b"G#", b"A", b"Bb", b"B"]

cdef uint8_t[128 + 12] CLASS  # of a pitch, and of an octave more


cdef void make_tables() noexcept nogil:
    cdef int pitch
    for pitch in range(128 + 12):
        CLASS[pitch] = pitch % 12


make_tables()


cdef bint name_chords(Chords *c, const Notes *notes, const BarGrid *bars) noexcept nogil:
    """Find the chords of one sequence; False when no frame has two classes."""
    cdef const uint8_t *class_of
    if notes.counts.polyphony_max < 2 or bars.half_bar_count == 0:
        return False
    c.base = lowest_class(notes)
    class_of = &CLASS[12 - c.base]
    weigh(c, notes, bars, class_of)
    c.first = choose_chords(c, bars.half_bar_count, class_of)
    return c.first < bars.half_bar_count


cdef int lowest_class(const Notes *notes) noexcept nogil:
    cdef int pitch = 0
    while pitch < 127 and notes.counts.pitches[pitch << 1] == 0:
        pitch += 1
    return pitch % 12


cdef void weigh(Chords *c, const Notes *notes, const BarGrid *bars, const uint8_t *class_of) noexcept nogil:
    """Add up how long each class sounds in each frame, in 1/4096 of a usual frame.

    Most notes sound in one or two frames and are added to two, without a branch that nothing foretells. Which and how
    long is found in a loop of its own, in vectors of doubles, which hold every length that a frame can have: 78.1 us a
    file instead of 80.1 with AVX-512, and as long as before without.
    """
    cdef const PackedNote *note = notes.notes
    cdef const Span *span = &bars.spans[0]
    cdef size_t remaining = notes.note_count, n, i
    cdef int count = bars.half_bar_count, k
    cdef double start, width, frame, next_frame = 0, per_unit, most, scale, on, length, stop, rest, here, after
    cdef int32_t *weights
    cdef uint8_t *lowest
    cdef uint8_t pitch, pitch_class
    scale = FULL / <double>bars.spans[bars.main_span].half_bar
    for i in range(12):
        memset(c.weights[i], 0, (count + BLOCK) * sizeof(int32_t))
    memset(c.lowest, 255, count + BLOCK)
    while remaining:
        n = min(remaining, <size_t>SOME)
        if bars.span_count > 1:
            span = span_at(bars, span, onset_of(note))
            n = notes_within(span, note, n)
            if span.end < INT64_MAX:
                next_frame = min((span + 1).half_bar, (span + 1).end - (span + 1).start)
        start = span.start
        width = span.end - span.start
        frame = span.half_bar
        per_unit = span.half_bars_per_subtick
        most = count - span.first_half_bar
        for i in range(n):
            on = max((1 << SUBTICK_SHIFT) * as_double(note[i].onset >> TICK_SHIFT) - start, 0.0)
            length = (1 << SUBTICK_SHIFT) * as_double(note[i].length >> TICK_SHIFT)
            k = <int>min((on + 0.5) * per_unit, most)
            stop = min((k + 1) * frame, width)
            rest = on + length - stop
            here = length - max(rest, 0.0)
            after = min(frame, width - stop)
            after = after if after > 0 else next_frame
            c.left[i] = rest - after
            rest = min(max(rest, 0.0), after)
            c.frames[i] = span.first_half_bar + k
            c.begun[i] = <int32_t>(here * scale + PHASE)
            c.held[i] = <int32_t>(rest * scale + PHASE)
            c.high[i] = 0 if 3 * here >= stop - k * frame else 255
            c.high_after[i] = 0 if 3 * rest >= after else 255
        for i in range(n):
            if note[i].onset & 1:  # a drum
                continue
            pitch = note[i].onset >> 1 & 0x7F
            pitch_class = class_of[pitch]
            weights = &c.weights[pitch_class][c.frames[i]]
            lowest = &c.lowest[c.frames[i]]
            weights[0] += c.begun[i]
            lowest[0] = min(lowest[0], <uint8_t>(pitch | c.high[i]))
            weights[1] += c.held[i]
            lowest[1] = min(lowest[1], <uint8_t>(pitch | c.high_after[i]))
            if c.left[i] > 0:
                k = c.frames[i]
                hold(c, bars, k + 2, min(count, k + 1 + LONGEST), <int64_t>c.left[i], pitch, pitch_class, scale)
        note += n
        remaining -= n


cdef inline int64_t onset_of(const PackedNote *note) noexcept nogil:
    """In units."""
    return <int64_t>(note.onset >> TICK_SHIFT << SUBTICK_SHIFT)


cdef size_t notes_within(const Span *span, const PackedNote *note, size_t n) noexcept nogil:
    """How many of the next notes begin within a span, after the first, which does."""
    cdef size_t i = 1
    while i < n and span.start <= onset_of(note + i) < span.end:
        i += 1
    return i


cdef inline bint is_bass(int64_t heard, int64_t frame) noexcept nogil:
    """Whether a note sounds long enough to be the lowest: a third, so that an eighth before the next chord is not."""
    return 3 * heard >= frame


cdef inline void hold(
    Chords *c, const BarGrid *bars, int f, int stop, int64_t rest, uint8_t pitch, uint8_t pitch_class, double scale
) noexcept nogil:
    """A note sounds on, `rest` units from frame f."""
    cdef int64_t frame
    while f < stop and rest > 0:
        frame = bars.starts[f + 1] - bars.starts[f]
        c.weights[pitch_class][f] += <int32_t>(min(rest, frame) * scale + PHASE)
        c.lowest[f] = min(c.lowest[f], pitch if is_bass(rest, frame) else 255)
        rest -= frame
        f += 1


cdef int choose_chords(Chords *c, int count, const uint8_t *class_of) noexcept nogil:
    """A chord for each frame; returns the first that has one."""
    cdef size_t block = 0, i
    cdef int f, winner, first = count, chord = -1
    while <int>block < count:
        for i in range(<size_t>BLOCK):
            c.bass[i] = class_of[c.lowest[block + i]] if c.lowest[block + i] < 128 else -1
        score_chords(c, block)
        for i in range(min(count - block, <size_t>BLOCK)):
            f = <int>(block + i)
            if c.classes[i] >= 2:
                winner = 127 - (c.best[i] & 127)
                if chord < 0 or (winner != chord and score_of(c, f, chord, c.bass[i], c.total[i]) < (c.best[i] >> 7) - (c.total[i] >> 4)):
                    chord = winner
                    first = min(first, f)
            c.chords[f] = chord & 0xFF
        block += BLOCK
    return first


cdef void score_chords(Chords *c, size_t block) noexcept nogil:
    """The best score of each frame of a block, the sum of its weights, which are cut at MOST_WEIGHT, and how many there are.

    A score stands above seven bits that say which chord it is, 127 less quality * 12 + root, so that one maximum over
    all finds the best, and the first on a tie. Frames are in the inner loops: with one frame at a time, and roots in
    the vectors, each load waited for stores that it straddled.
    """
    cdef int32_t root, second, minor, major, fourth, flat, fifth, sharp, seventh, leading, rare, plain
    cdef size_t i, f
    cdef int k
    memset(c.total, 0, sizeof(c.total))
    memset(c.classes, 0, sizeof(c.classes))
    memset(c.best, 0, sizeof(c.best))
    for k in range(12):
        for i in range(<size_t>BLOCK):
            root = min(c.weights[k][block + i], MOST_WEIGHT)
            c.weights[k][block + i] = root
            c.total[i] += root
            c.classes[i] += root > 0
    for k in range(12):
        for i in range(<size_t>BLOCK):
            f = block + i
            root = c.weights[k][f] + (c.total[i] >> 4 if c.bass[i] == k else 0)
            second = c.weights[(k + 2) % 12][f]
            minor = c.weights[(k + 3) % 12][f]
            major = c.weights[(k + 4) % 12][f]
            fourth = c.weights[(k + 5) % 12][f]
            flat = c.weights[(k + 6) % 12][f]
            fifth = c.weights[(k + 7) % 12][f]
            sharp = c.weights[(k + 8) % 12][f]
            seventh = c.weights[(k + 10) % 12][f]
            leading = c.weights[(k + 11) % 12][f]
            plain = ((major + fifth + (max(seventh, leading) >> 2)) << 7) + 127
            plain = max(plain, ((minor + fifth + (seventh >> 2)) << 7) + 115)
            rare = max(((minor + flat) << 7) + 103, ((major + sharp) << 7) + 91)
            rare = max(rare, max(((fourth + fifth) << 7) + 79, ((second + fifth) << 7) + 67))
            c.best[i] = max(c.best[i], (root << 7) - k + max(plain, rare - (c.total[i] >> 3 << 7)))


cdef inline int32_t score_of(const Chords *c, int f, int chord, int bass, int32_t total) noexcept nogil:
    cdef int quality = chord // 12, root = chord % 12
    cdef int32_t score = c.weights[root][f] + c.weights[(root + THIRD[quality]) % 12][f] + c.weights[(root + FIFTH[quality]) % 12][f]
    cdef int32_t seventh = c.weights[(root + 10) % 12][f]
    if root == bass:
        score += total >> 4
    if quality >= COMMON:
        return score - (total >> 3)
    if quality == 0:
        seventh = max(seventh, c.weights[(root + 11) % 12][f])
    return score + (seventh >> 2)


cdef inline int copy(char *text, const char *part) noexcept nogil:
    cdef int size = 0
    while part[size]:
        text[size] = part[size]
        size += 1
    return size


cdef int put_chord(char *text, int chord, int base) noexcept nogil:
    """Write a chord (quality * 12 + root above the class `base`); returns its length, at most 7."""
    cdef int root = (chord + base) % 12
    cdef int size = copy(text, MINORS[root] if THIRD[chord // 12] == 3 else MAJORS[root])
    return size + copy(&text[size], SUFFIX[chord // 12])
