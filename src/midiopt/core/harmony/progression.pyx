"""Facts of the chord sequence: how often chords change, and the most common chord loop."""

from libc.string cimport memset

from midiopt.core.harmony.chord_names cimport write_symbol, write_triad
from midiopt.core.harmony.chords cimport NO_CHORD
from midiopt.core.smf.midi cimport NO_MEMORY
from midiopt.core.text.text cimport append_ascii
from midiopt.core.timeline.bar_grid cimport Span, beats_of

cdef enum:
    LOOP_LENGTHS = 4
    MAX_SHORT_PIECE = 8  # bars: a piece up to this long is one loop
    MAX_TEXT = 264  # bytes for 24 half bars: "Abmaj7/Eb " has 10

# Lengths of the windows in which loops are looked for, in bars. A loop of one bar shows in a window of two.
cdef int[LOOP_LENGTHS] LOOP_BARS = [2, 4, 8, 12]

cdef uint64_t MULTIPLIER = 0x9E3779B97F4A7C15  # of the polynomial hash; odd


cdef Status progression_facts(Progression *p, const Chords *c, const BarGrid *bars, TextHeap *heap, Facts *facts) noexcept nogil:
    """Set the facts of the chords of one sequence, which must have chords."""
    rhythm_facts(p, c, bars, facts)
    set_half_bars(p, c, bars)
    return append_loop(p, c, bars, heap, facts)


cdef void rhythm_facts(Progression *p, const Chords *c, const BarGrid *bars, Facts *facts) noexcept nogil:
    """Set the changes per bar, and the median time for which a chord holds, weighted by that time, the lower on a tie."""
    cdef const Span *span
    cdef int *held = p.held
    cdef int f, i, run = 1, beats, sum = 0, changes = 0
    cdef double n_bars = 0
    memset(held, 0, sizeof(p.held))
    for f in range(c.first + 1, bars.beat_count):
        if c.triads[f] != c.triads[f - 1]:
            changes += 1
            run = min(run, <int>MAX_HELD)
            held[run] += run
            run = 0
        run += 1
    run = min(run, <int>MAX_HELD)
    held[run] += run
    for i in range(bars.span_count):
        span = &bars.spans[i]
        beats = span.first_beat + beats_of(bars, i) - max(c.first, span.first_beat)
        if beats > 0:
            n_bars += <double>beats / (span.half_bars_per_bar * span.beats_per_half_bar)
    facts.chord_changes_per_bar = changes / n_bars
    beats = 0
    for i in range(1, MAX_HELD + 1):
        beats += held[i]
    i = 0
    while 2 * sum < beats:
        i += 1
        sum += held[i]
    facts.harmonic_rhythm = <double>(i * bars.spans[bars.main_span].beat) / bars.quarter


cdef void set_half_bars(Progression *p, const Chords *c, const BarGrid *bars) noexcept nogil:
    """Set the chord of each half bar: that of most of its beats, on a tie the one that reaches their number first."""
    cdef const Span *span
    cdef int i, f, k, end, stop, count = 0
    p.first = -1
    memset(p.beats_with, 0, sizeof(p.beats_with))
    for i in range(bars.span_count):
        span = &bars.spans[i]
        f = span.first_beat
        end = f + beats_of(bars, i)
        while f < end:
            stop = min(f + span.beats_per_half_bar, end)
            k = f + 1
            while k < stop and c.triads[k] == c.triads[f]:
                k += 1
            if k == stop:  # one chord throughout, as in most half bars
                p.chords[count] = c.triads[f]
                p.beats[count] = <int16_t>f
            else:
                set_most_held(p, c, f, stop, count)
            if p.first < 0 and p.chords[count] != NO_CHORD:
                p.first = count
            count += 1
            f = stop
    p.half_bars = count


cdef void set_most_held(Progression *p, const Chords *c, int first, int stop, int half_bar) noexcept nogil:
    """Set the chord of a half bar whose beats, from `first` to before `stop`, have several."""
    cdef int k, beats = 0
    p.chords[half_bar] = NO_CHORD
    for k in range(first, stop):
        if c.triads[k] != NO_CHORD:
            p.beats_with[c.triads[k]] += 1
            if p.beats_with[c.triads[k]] > beats:
                beats = p.beats_with[c.triads[k]]
                p.chords[half_bar] = c.triads[k]
    for k in range(stop - 1, first - 1, -1):
        if c.triads[k] != NO_CHORD:
            p.beats_with[c.triads[k]] = 0
        if c.triads[k] == p.chords[half_bar]:
            p.beats[half_bar] = <int16_t>k


cdef Status append_loop(Progression *p, const Chords *c, const BarGrid *bars, TextHeap *heap, Facts *facts) noexcept nogil:
    """Append the texts of the most common loop to the heap.

    It is the window of 2, 4, 8 or 12 bars that begins with a bar, has two chords and covers most of the piece with its
    repetitions, which may not overlap; on a tie the shorter, then the earlier. A piece of up to 8 bars is one such window,
    though it occurs once. Without any, it is the first 8 bars.
    """
    cdef int count = p.half_bars, bar = bars.spans[bars.main_span].half_bars_per_bar
    cdef int i, length, covered, best = 0, first = p.first, start = first, end = min(first + MAX_SHORT_PIECE * bar, count)
    cdef Window found
    p.hashes[first] = 0
    p.changes[first] = 0
    for i in range(first, count):
        p.hashes[i + 1] = p.hashes[i] * MULTIPLIER + p.chords[i] + 1
        if i > first:
            p.changes[i] = p.changes[i - 1] + (p.chords[i] != p.chords[i - 1])
    for i in range(LOOP_LENGTHS):
        length = LOOP_BARS[i] * bar
        found = most_common_window(p, first, count, length, bar)
        covered = found.count * length
        if found.count > 1 and covered > best:
            best = covered
            start = found.first
            end = start + length
    if count - first <= MAX_SHORT_PIECE * bar and count - first > best:
        start = first
        end = count
    return append_chords(p, c, start, end - start, heap, facts)


cdef Window most_common_window(Progression *p, int first, int count, int length, int bar) noexcept nogil:
    """The chords that windows of `length` half bars have most often, the earliest on a tie.

    Windows are identified by a polynomial hash modulo 2**64, in a table of four times as many slots as there are windows.
    """
    cdef Window best
    cdef Window *window
    cdef uint64_t hash, power = 1
    cdef int i, _i, start, slot, distinct = 0, mask = 2, bits = 2
    best.first = best.count = 0
    for _i in range(length):
        power *= MULTIPLIER
    while mask < 4 * (count // bar):
        mask *= 2
        bits += 1
    memset(p.slots, 0, mask * sizeof(uint16_t))
    mask -= 1
    start = (first + bar - 1) // bar * bar
    while start + length <= count:
        if p.changes[start + length - 1] > p.changes[start]:
            hash = p.hashes[start + length] - p.hashes[start] * power
            slot = <int>((hash * MULTIPLIER) >> (65 - bits))
            while p.slots[slot] and p.windows[p.slots[slot]].hash != hash:
                slot = slot + 1 & mask
            if p.slots[slot] == 0:
                distinct += 1
                p.slots[slot] = <uint16_t>distinct
                window = &p.windows[distinct]
                window.hash = hash
                window.first = start
                window.end = window.count = 0
            window = &p.windows[p.slots[slot]]
            if start >= window.end:
                window.end = start + length
                window.count += 1
        start += bar
    for i in range(1, distinct + 1):  # the earlier have the lower numbers
        if p.windows[i].count > best.count:
            best = p.windows[i]
    return best


cdef Status append_chords(const Progression *p, const Chords *c, int start, int length, TextHeap *heap, Facts *facts) noexcept nogil:
    """Append the shortest loop that makes up these half bars, each chord once while it holds; then the same with full symbols."""
    cdef char[MAX_TEXT] text
    cdef const uint8_t *chords = &p.chords[start]
    cdef int period = 1, i, beat, before = -1, size = 0
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
        size += write_triad(&text[size], chords[i], c.base)
    if append_ascii(heap, text, size, &facts.chord_progression):
        return NO_MEMORY
    size = 0
    for i in range(period):
        beat = c.held[p.beats[start + i]]
        if before >= 0 and c.chords[beat] == c.chords[before] and c.basses[beat] == c.basses[before]:
            continue
        before = beat
        if size:
            text[size] = b" "
            size += 1
        size += write_symbol(&text[size], c.chords[beat], c.basses[beat], c.base)
    return append_ascii(heap, text, size, &facts.chord_symbols)
