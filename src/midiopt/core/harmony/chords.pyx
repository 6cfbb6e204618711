"""Estimates a chord for each half bar.

Template matching on pitch-class weights (T. Fujishima, "Realtime Chord Recognition of Musical Sound", ICMC 1999), computed
from notes with their sounding time. The score of a triad is the weight of its three classes and a quarter of its seventh's.
The lowest note that sounds for a third of the half bar adds 1/16 of the total weight to its root: in C E G A it decides
between Am and C, while inversions keep their root. Triads other than major and minor are penalised by 1/8. A chord is kept
until another scores 1/16 higher; rests and single notes keep it too. Classes are counted from that of the lowest note, so
that ties break the same way in every transposition.

Share of half bars that are right, of Nottingham tunes in root position and in first and second inversion, and of chord loops,
played on time and ahead of the beat (by a quarter for the tunes, by a sixth for the loops):

    bonus of the lowest note                            root  first second loops
    1/8, no seventh                                     .995  .942  .981   .978
    1/32                                                .995  .985  .989
    1/16, with the seventh                              .996  .991  .994   .977
    1/16, only when it sounds for a third               .996  .991  .994   .989

With a seventh added to every chord of the tunes: .986, .953, .991 and .991. accuracy/chords.py measures all of them.
"""

from libc.stdint cimport INT32_MAX, INT64_MAX, int64_t
from libc.string cimport memset, strcpy

from midiopt.core.doubles cimport TRUNCATION_OFFSET
from midiopt.core.harmony.sustained cimport MAX_WEIGHT, add_sustained
from midiopt.core.notes.columns cimport length_ticks, onset_ticks
from midiopt.core.notes.types cimport onset_of
from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT, span_at
from midiopt.schema import MAJOR_TONICS, MINOR_TONICS

cdef enum:
    QUALITIES = 6
    UNPENALISED = 2  # of the qualities: major and minor
    FULL_WEIGHT = 4096  # of a class that sounds throughout a half bar of the main span

# In half tones above the root, as in score_chords; power chords and single thirds become major or minor.
cdef int[QUALITIES] THIRDS = [4, 3, 3, 4, 5, 2]
cdef int[QUALITIES] FIFTHS = [7, 7, 6, 8, 7, 7]
cdef const char *SUFFIXES[QUALITIES]
SUFFIXES[:] = [b"", b"m", b"dim", b"aug", b"sus4", b"sus2"]

cdef char[12][4] MAJOR_NAMES  # of roots under a chord with a major third or none
cdef char[12][4] MINOR_NAMES
cdef uint8_t[128 + 12] CLASSES  # of a pitch, and of an octave more
cdef int _i
for _i in range(12):
    strcpy(MAJOR_NAMES[_i], MAJOR_TONICS[_i].encode())
    strcpy(MINOR_NAMES[_i], MINOR_TONICS[_i].encode())
for _i in range(128 + 12):
    CLASSES[_i] = _i % 12


cdef bint estimate_chords(Chords *c, const Notes *notes, const BarGrid *bars) noexcept nogil:
    """Estimate the chords of one sequence; False when no half bar has two classes."""
    cdef const uint8_t *class_of
    if notes.counts.polyphony_max < 2 or bars.half_bar_count == 0:
        return False
    c.base = lowest_class(notes)
    class_of = &CLASSES[12 - c.base]
    accumulate_weights(c, notes, bars, class_of)
    c.first = choose_chords(c, bars.half_bar_count, class_of)
    return c.first < bars.half_bar_count


cdef int lowest_class(const Notes *notes) noexcept nogil:
    """The pitch class of the lowest pitched note."""
    cdef int pitch = 0
    while pitch < 127 and notes.counts.pitches[pitch << 1] == 0:
        pitch += 1
    return pitch % 12


cdef void accumulate_weights(Chords *c, const Notes *notes, const BarGrid *bars, const uint8_t *class_of) noexcept nogil:
    """Set the weights and the lowest note of each half bar.

    A weight is the time for which a class sounds, in 1/4096 of a half bar of the main span. Most notes sound in one or two half
    bars and are added to two, without a branch that is hard to predict; place_notes, in vectors of doubles (which hold every
    length exactly), finds which and how long: 78.1 us per file instead of 80.1 with AVX-512, and no difference without.
    """
    cdef const NoteColumns *columns = &notes.columns
    cdef const Span *span = &bars.spans[0]
    cdef size_t row = 0, uncapped = 0, max_uncapped, n
    cdef int count = bars.half_bar_count, pitch_class
    cdef int64_t grid_end = bars.starts[count] if count == MAX_HALF_BARS else INT64_MAX  # later notes are left out
    cdef double next_half_bar = 0
    cdef double scale = FULL_WEIGHT / <double>bars.spans[bars.main_span].half_bar
    max_uncapped = <size_t>((INT32_MAX - MAX_WEIGHT) / heaviest_note(bars, scale))
    for pitch_class in range(12):
        memset(c.weights[pitch_class], 0, (count + CHORD_BLOCK) * sizeof(int32_t))
    memset(c.lowest, 255, count + CHORD_BLOCK)
    c.full.known = False
    while row < columns.count:
        n = min(columns.count - row, <size_t>CHORD_NOTES)
        if bars.span_count > 1 or grid_end < INT64_MAX:
            if onset_in_subticks(columns, row) >= grid_end:
                row += 1
                continue
            span = span_at(bars, span, onset_in_subticks(columns, row))
            n = notes_within(span.start, min(span.end, grid_end), columns, row, n)
            if span.end < INT64_MAX:
                next_half_bar = min(<double>(span + 1).half_bar, <double>(span + 1).end - <double>(span + 1).start)
        place_notes(c, columns, row, n, span, count, next_half_bar, scale)
        uncapped += n
        if uncapped > max_uncapped:
            cap_weights(c, count)
            uncapped = n
        add_notes(c, bars, columns.sound + row, n, class_of, scale)
        row += n


cdef double heaviest_note(const BarGrid *bars, double scale) noexcept nogil:
    """No note weighs more in a half bar: 4,097 if all have one length, so that 500,000 notes fit into 31 bits, and 2,046 at least."""
    cdef int64_t longest = 0
    cdef int i
    for i in range(bars.span_count):
        longest = max(longest, bars.spans[i].half_bar)
    return min(longest * scale + 1, <double>MAX_WEIGHT)


cdef void cap_weights(Chords *c, int count) noexcept nogil:
    """Cap all weights at MAX_WEIGHT, before further notes overflow one."""
    cdef int pitch_class, f
    for pitch_class in range(12):
        for f in range(count + 2):  # notes after the last half bar are added to the two that follow
            c.weights[pitch_class][f] = min(c.weights[pitch_class][f], <int32_t>MAX_WEIGHT)


cdef inline int64_t onset_in_subticks(const NoteColumns *notes, size_t i) noexcept nogil:
    return onset_of(notes, i) << SUBTICK_SHIFT


cdef size_t notes_within(int64_t start, int64_t end, const NoteColumns *notes, size_t row, size_t n) noexcept nogil:
    """The number of notes, of the n from `row` on, that begin from `start` to `end` (in subticks) before one does not; the first does."""
    cdef size_t i = 1
    while i < n and start <= onset_in_subticks(notes, row + i) < end:
        i += 1
    return i


cdef void place_notes(
    Chords *c, const NoteColumns *notes, size_t row, size_t n, const Span *span, int count, double next_half_bar, double scale
) noexcept nogil:
    """Set half bar, weights and the rest of a block of notes that begin within a span, in vectors.

    `count` is the number of half bars, `next_half_bar` the length of the first half bar of the next span.
    """
    cdef double start = span.start, width = span.end - start, half_bar = span.half_bar
    cdef double per_subtick = span.half_bars_per_subtick, last = count - span.first_half_bar
    cdef double onset, length, end, rest, here, after
    cdef int first = span.first_half_bar, k
    cdef size_t i
    onset_ticks(notes, row, n, c.onsets)
    length_ticks(notes, row, n, c.lengths)
    for i in range(n):
        onset = max((1 << SUBTICK_SHIFT) * c.onsets[i] - start, 0.0)
        length = (1 << SUBTICK_SHIFT) * c.lengths[i]
        k = <int>min((onset + 0.5) * per_subtick, last)
        end = min((k + 1) * half_bar, width)
        rest = onset + length - end
        here = length - max(rest, 0.0)
        after = min(half_bar, width - end)
        after = after if after > 0 else next_half_bar
        c.beyond[i] = rest - after
        rest = min(max(rest, 0.0), after)
        c.half_bars[i] = first + k
        c.weight[i] = <int32_t>(here * scale + TRUNCATION_OFFSET)
        c.next_weight[i] = <int32_t>(rest * scale + TRUNCATION_OFFSET)
        c.too_short[i] = 0 if 3 * here >= end - k * half_bar else 255
        c.next_too_short[i] = 0 if 3 * rest >= after else 255
    if max(half_bar, next_half_bar) * scale >= MAX_WEIGHT:
        for i in range(n):
            c.weight[i] = min(c.weight[i], <int32_t>MAX_WEIGHT)
            c.next_weight[i] = min(c.next_weight[i], <int32_t>MAX_WEIGHT)


cdef inline void add_notes(
    Chords *c, const BarGrid *bars, const uint8_t *sounds, size_t n, const uint8_t *class_of, double scale
) noexcept nogil:
    """Add a block of notes to the weights and the lowest notes of their half bars."""
    cdef int32_t *weights
    cdef uint8_t *lowest
    cdef uint8_t pitch, pitch_class
    cdef int f
    cdef size_t i
    for i in range(n):
        if sounds[i] & 1:  # a drum
            continue
        pitch = sounds[i] >> 1
        pitch_class = class_of[pitch]
        f = c.half_bars[i]
        weights = &c.weights[pitch_class][f]
        lowest = &c.lowest[f]
        weights[0] += c.weight[i]
        lowest[0] = min(lowest[0], <uint8_t>(pitch | c.too_short[i]))
        weights[1] += c.next_weight[i]
        lowest[1] = min(lowest[1], <uint8_t>(pitch | c.next_too_short[i]))
        if c.beyond[i] > 0:
            add_sustained(c.weights[pitch_class], c.lowest, &c.full, bars, f + 2, <int64_t>c.beyond[i], pitch, scale)


cdef int choose_chords(Chords *c, int count, const uint8_t *class_of) noexcept nogil:
    """Set the chord of each half bar; returns the first half bar that has one."""
    cdef size_t block = 0, i
    cdef int f, winner, first = count, chord = -1
    while <int>block < count:
        for i in range(<size_t>CHORD_BLOCK):
            c.bass[i] = class_of[c.lowest[block + i]] if c.lowest[block + i] < 128 else -1
        score_chords(c, block)
        for i in range(min(count - block, <size_t>CHORD_BLOCK)):
            f = <int>(block + i)
            if c.classes[i] >= 2:
                winner = 127 - (c.best[i] & 127)
                if chord < 0 or (
                    winner != chord and chord_score(c, f, chord, c.bass[i], c.total[i]) < (c.best[i] >> 7) - (c.total[i] >> 4)
                ):
                    chord = winner
                    first = min(first, f)
            c.chords[f] = chord & 0xFF
        block += CHORD_BLOCK
    return first


cdef void score_chords(Chords *c, size_t block) noexcept nogil:
    """Set, for CHORD_BLOCK half bars, the best score, the total weight and the number of classes; cap weights at MAX_WEIGHT.

    A score is shifted up by seven bits that hold 127 - chord, so that one maximum over all finds the best chord, and the first
    on a tie. The inner loops run over half bars: with roots in the vectors instead, each load waited for stores that it
    straddled.
    """
    cdef int32_t root, second, minor, major, fourth, flat, fifth, sharp, seventh, leading, rare, plain
    cdef size_t i, f
    cdef int k
    memset(c.total, 0, sizeof(c.total))
    memset(c.classes, 0, sizeof(c.classes))
    memset(c.best, 0, sizeof(c.best))
    for k in range(12):
        for i in range(<size_t>CHORD_BLOCK):
            root = min(c.weights[k][block + i], MAX_WEIGHT)
            c.weights[k][block + i] = root
            c.total[i] += root
            c.classes[i] += root > 0
    for k in range(12):
        for i in range(<size_t>CHORD_BLOCK):
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


cdef inline int32_t chord_score(const Chords *c, int f, int chord, int bass, int32_t total) noexcept nogil:
    """The score of one chord in half bar f, as in score_chords."""
    cdef int quality = chord // 12, root = chord % 12
    cdef int32_t score = c.weights[root][f] + c.weights[(root + THIRDS[quality]) % 12][f] + c.weights[(root + FIFTHS[quality]) % 12][f]
    cdef int32_t seventh = c.weights[(root + 10) % 12][f]
    if root == bass:
        score += total >> 4
    if quality >= UNPENALISED:
        return score - (total >> 3)
    if quality == 0:
        seventh = max(seventh, c.weights[(root + 11) % 12][f])
    return score + (seventh >> 2)


cdef inline int copy_text(char *text, const char *part) noexcept nogil:
    """Copy a part without its NUL; returns its length."""
    cdef int size = 0
    while part[size]:
        text[size] = part[size]
        size += 1
    return size


cdef int write_chord(char *text, int chord, int base) noexcept nogil:
    """Write the name of a chord whose classes are counted from `base`; returns its length, at most 7."""
    cdef int root = (chord + base) % 12
    cdef int size = copy_text(text, &MINOR_NAMES[root][0] if THIRDS[chord // 12] == 3 else &MAJOR_NAMES[root][0])
    return size + copy_text(&text[size], SUFFIXES[chord // 12])
