"""What the chords of the half bars make: how often they change, and the loop that they play most."""

from libc.string cimport memset

from midiopt.core.timeline.bar_grid cimport half_bars_of
from midiopt.core.harmony.chords cimport put_chord
from midiopt.core.text.text cimport append_ascii

cdef enum:
    LENGTHS = 4
    SHORT = 8  # bars: a piece up to this long is a loop by itself
    LONGEST_TEXT = 256  # of 24 frames: "Bbsus4 " is 7

# Windows in which loops are looked for, in bars. A loop of one bar shows in those of two.
cdef int[LENGTHS] LOOP_BARS = [2, 4, 8, 12]

cdef uint64_t HASH = 0x9E3779B97F4A7C15  # odd


cdef Status progression_facts(Progression *p, const Chords *c, const BarGrid *bars, TextHeap *heap, Facts *facts) noexcept nogil:
    """chord_progression, chord_changes_per_bar and harmonic_rhythm of one sequence, which has chords."""
    rhythm(p, c, bars, facts)
    return put_loop(p, c, bars, heap, facts)


cdef void rhythm(Progression *p, const Chords *c, const BarGrid *bars, Facts *facts) noexcept nogil:
    """Changes a bar; and the median time a chord holds, weighted by that time, the lower on a tie."""
    cdef int *held = p.held
    cdef int f, i, run = 1, laid, sum = 0, count = bars.half_bar_count
    cdef int first = c.first
    cdef double n_bars = 0
    memset(held, 0, sizeof(p.held))
    p.changes[first] = 0
    for f in range(first + 1, count):
        p.changes[f] = p.changes[f - 1]
        if c.chords[f] != c.chords[f - 1]:
            p.changes[f] += 1
            run = min(run, <int>LONGEST)
            held[run] += run
            run = 0
        run += 1
    run = min(run, <int>LONGEST)
    held[run] += run
    for i in range(bars.span_count):
        laid = bars.spans[i].first_half_bar + half_bars_of(bars, i) - max(first, bars.spans[i].first_half_bar)
        if laid > 0:
            n_bars += <double>laid / bars.spans[i].half_bars_per_bar
    facts.chord_changes_per_bar = p.changes[count - 1] / n_bars
    laid = 0
    for i in range(1, LONGEST + 1):
        laid += held[i]
    i = 0
    while 2 * sum < laid:
        i += 1
        sum += held[i]
    facts.harmonic_rhythm = <double>(i * bars.spans[bars.main_span].half_bar) / bars.quarter


cdef Status put_loop(Progression *p, const Chords *c, const BarGrid *bars, TextHeap *heap, Facts *facts) noexcept nogil:
    """The window of 2, 4, 8 or 12 bars that begins with a bar, has two chords and covers most of the piece with
    its repeats, which may not overlap; the shorter, then the earlier on a tie. A piece of up to 8 bars is
    one such window, though it comes once. Without any, the first 8 bars."""
    cdef int count = bars.half_bar_count, bar = bars.spans[bars.main_span].half_bars_per_bar
    cdef int i, length, covered, best = 0, first = c.first, start = first, end = min(first + SHORT * bar, count)
    cdef Window found
    p.hashes[first] = 0
    for i in range(first, count):
        p.hashes[i + 1] = p.hashes[i] * HASH + c.chords[i] + 1
    for i in range(LENGTHS):
        length = LOOP_BARS[i] * bar
        found = most_common(p, first, count, length, bar)
        covered = found.count * length
        if found.count > 1 and covered > best:
            best = covered
            start = found.first
            end = start + length
    if count - first <= SHORT * bar and count - first > best:
        start = first
        end = count
    return put_chords(&c.chords[start], end - start, c.base, heap, facts)


cdef Window most_common(Progression *p, int first, int count, int length, int bar) noexcept nogil:
    """The content that windows of `length` frames have most often, the earliest on a tie. Contents are told
    apart by a polynomial hash modulo 2**64, in a table twice as large as there are windows."""
    cdef Window best
    cdef Window *window
    cdef uint64_t hash, power = 1
    cdef int start, mask = 2, bits = 2
    best.first = best.count = 0
    for start in range(length):
        power *= HASH
    while mask < 2 * (count // bar):
        mask *= 2
        bits += 1
    memset(p.windows, 0, mask * sizeof(Window))
    mask -= 1
    start = (first + bar - 1) // bar * bar
    while start + length <= count:
        if p.changes[start + length - 1] > p.changes[start]:
            hash = p.hashes[start + length] - p.hashes[start] * power
            window = &p.windows[(hash * HASH) >> (65 - bits)]
            while window.count and window.hash != hash:
                window = &p.windows[(window - p.windows + 1) & mask]
            if window.count == 0:
                window.hash = hash
                window.first = start
            if start >= window.free:
                window.free = start + length
                window.count += 1
                if window.count > best.count or (window.count == best.count and window.first < best.first):
                    best = window[0]
        start += bar
    return best


cdef Status put_chords(const uint8_t *chords, int length, int base, TextHeap *heap, Facts *facts) noexcept nogil:
    """Write the shortest loop that makes up these frames, without repeats."""
    cdef char[LONGEST_TEXT] text
    cdef int period = 1, i, size = 0
    while period < length:
        if length % period == 0:
            i = period
            while i < length and chords[i] == chords[i - period]:
                i += 1
            if i == length:
                break
        period += 1
    for i in range(period):
        if i and chords[i] == chords[i - 1]:
            continue
        if size:
            text[size] = b" "
            size += 1
        size += put_chord(&text[size], chords[i], base)
    return append_ascii(heap, text, size, &facts.chord_progression)
