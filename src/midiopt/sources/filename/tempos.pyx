"""Tempos in a name: "120bpm", "bpm 95", "Am 95", "120_F#min"."""


from midiopt.sources.filename.tokens cimport DIGIT, LETTER, MAX_SPACES, SPACE, WORD, FoundFacts, NameSlice, class_at, matches

cdef enum:  # BPM
    MIN_BPM = 20  # beside "bpm"
    MAX_BPM = 400
    MIN_BPM_BESIDE_KEY = 60
    MAX_BPM_BESIDE_KEY = 200


cdef int read_number(NameSlice name, int i, double *value) noexcept nogil:
    """End of a number of two or three digits at i, with up to two decimals after a point or comma; 0 if there is none."""
    cdef int end = i, fraction, digits_end
    cdef double scale = 1
    value[0] = 0
    while class_at(name, end) & DIGIT:
        value[0] = value[0] * 10 + name.at[end] - 48
        end += 1
    if not 2 <= end - i <= 3:
        return 0
    if end + 1 < name.size and name.at[end] in (b".", b","):
        digits_end = end + 1
        while class_at(name, digits_end) & DIGIT:
            digits_end += 1
        if 1 <= digits_end - end - 1 <= 2:
            fraction = 0
            for i in range(end + 1, digits_end):
                fraction = fraction * 10 + name.at[i] - 48
                scale *= 10
            value[0] += fraction / scale
            end = digits_end
    return end


cdef int start_of_number(NameSlice name, int end) noexcept nogil:
    """Start of the number that ends at `end`, including its integer part if the digits are decimals."""
    cdef int i = end, whole
    while class_at(name, i - 1) & DIGIT:
        i -= 1
    if 1 <= end - i <= 2 and i > 1 and name.at[i - 1] in (b".", b",") and class_at(name, i - 2) & DIGIT:
        whole = i - 1
        while class_at(name, whole - 1) & DIGIT:
            whole -= 1
        if whole < i - 3 or (whole == i - 3 and name.at[whole] >= b"2"):  # from 20 up
            return whole
    return i


cdef bint is_range(NameSlice name, int start, int end) noexcept nogil:
    """Whether a hyphen joins the number to another plausible tempo: "90-100"."""
    cdef double other
    cdef int i = start - 1
    if i > 0 and name.at[i] == b"-" and read_number(name, start_of_number(name, i), &other) == i:
        if MIN_BPM_BESIDE_KEY <= other <= MAX_BPM_BESIDE_KEY:
            return True
    if end + 1 < name.size and name.at[end] == b"-" and read_number(name, end + 1, &other):
        return MIN_BPM_BESIDE_KEY <= other <= MAX_BPM_BESIDE_KEY
    return False


cdef inline void add_tempo(double bpm, double *known, int *count) noexcept nogil:
    if count[0] == 0:
        known[0] = bpm
        count[0] = 1
    elif known[0] != bpm:
        count[0] = 2


cdef void read_tempo(NameSlice name, int i, FoundFacts *found) noexcept nogil:
    """Add the number beside "bpm" at i: one without a space first, else the one before, else the one after."""
    cdef double bpm
    cdef int before = i, after = i + 3, start, end, side
    if (class_at(name, i - 1) | class_at(name, after)) & LETTER:
        return
    while before > 0 and i - before < MAX_SPACES and class_at(name, before - 1) & SPACE:
        before -= 1
    while after < name.size and after - i - 3 < MAX_SPACES and (class_at(name, after) & SPACE or name.at[after] in (b"=", b":", b".")):
        after += 1
    for side in range(2):
        if (side == 0) == (before == i or after > i + 3):
            end = before
            start = start_of_number(name, end)
            if start == end or read_number(name, start, &bpm) != end:
                continue
        else:
            start = after
            end = read_number(name, start, &bpm)
            if end == 0 or class_at(name, end) & WORD:
                continue
        if MIN_BPM <= bpm <= MAX_BPM:
            add_tempo(bpm, &found.bpm, &found.tempos)
            if is_range(name, start, end):
                found.tempos = 2
            return


cdef bint is_beside_bpm(NameSlice name, int start, int end) noexcept nogil:
    """Whether "120bpm" precedes the range, or "bpm 120" or "120bpm" follows it."""
    cdef int i = start, k = end
    while start - i < MAX_SPACES and class_at(name, i - 1) & SPACE:
        i -= 1
    while k - end < MAX_SPACES and class_at(name, k) & SPACE:
        k += 1
    if i < start and matches(name, i - 3, b"bpm") and class_at(name, i - 4) & LETTER == 0:
        return True
    if k == end:
        return False
    if matches(name, k, b"bpm") and class_at(name, k + 3) & LETTER == 0:
        return True
    i = k
    while class_at(name, i) & DIGIT:
        i += 1
    return i > k and matches(name, i, b"bpm") and class_at(name, i + 3) & LETTER == 0


cdef bint number_before(NameSlice name, int start, double *bpm) noexcept nogil:
    """Whether a plausible tempo is a word of its own before the key that begins at `start`."""
    cdef int i = start, first
    while start - i < MAX_SPACES and class_at(name, i - 1) & SPACE:
        i -= 1
    first = start_of_number(name, i)
    if i == start or read_number(name, first, bpm) != i or class_at(name, first - 1) & WORD:
        return False
    return MIN_BPM_BESIDE_KEY <= bpm[0] <= MAX_BPM_BESIDE_KEY and not is_range(name, first, i)


cdef bint number_after(NameSlice name, int end, double *bpm) noexcept nogil:
    cdef int i = end, last
    while i - end < MAX_SPACES and class_at(name, i) & SPACE:
        i += 1
    last = read_number(name, i, bpm)
    if i == end or last == 0 or class_at(name, last) & WORD:
        return False
    return MIN_BPM_BESIDE_KEY <= bpm[0] <= MAX_BPM_BESIDE_KEY and not is_range(name, i, last)


cdef void read_tempos_beside_key(NameSlice name, int start, int end, FoundFacts *found) noexcept nogil:
    """Add numbers beside a key written as one word: "Am 95", "120_F#min". They count if nothing is marked as "bpm"."""
    cdef double bpm
    if number_before(name, start, &bpm):
        add_tempo(bpm, &found.beside_key, &found.tempos_beside_keys)
    if number_after(name, end, &bpm):
        add_tempo(bpm, &found.beside_key, &found.tempos_beside_keys)
