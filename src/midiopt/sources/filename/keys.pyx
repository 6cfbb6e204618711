"""Keys in a name: "C minor", "F#m", "Bb-maj", "key of G"."""

from midiopt.sources.filename.tempos cimport is_beside_bpm, number_after, number_before
from midiopt.sources.filename.tokens cimport SPACE, WORD, NameSlice, class_at, matches

from libc.stdint cimport uint8_t

cdef int[7] TONICS = [9, 11, 0, 2, 4, 5, 7]  # A to G, in semitones above C


cdef int read_tonic(NameSlice name, int i, int *end) noexcept nogil:
    """Tonic at i in semitones above C: a letter A to G with an optional accidental. `end` is set to the position after it."""
    cdef int tonic = TONICS[(name.at[i] | 32) - <int>b"a"], at = i + 1
    end[0] = at
    if at < name.size and name.at[at] in (b"#", b"b"):
        end[0] = at + 1
        return (tonic + (1 if name.at[at] == b"#" else 11)) % 12
    if at + 2 < name.size and name.at[at] == 0xE2 and name.at[at + 1] == 0x99 and name.at[at + 2] in (0xAF, 0xAD):  # U+266F, U+266D
        end[0] = at + 3
        return (tonic + (1 if name.at[at + 2] == 0xAF else 11)) % 12
    if class_at(name, at) & SPACE:
        at += 1
    if matches(name, at, b"sharp"):
        end[0] = at + 5
        return (tonic + 1) % 12
    if matches(name, at, b"flat"):
        end[0] = at + 4
        return (tonic + 11) % 12
    return tonic


cdef Key read_key(NameSlice name, int i) noexcept nogil:
    """The key at i, where a word begins."""
    cdef Key key
    cdef int at, mode_at, tonic = read_tonic(name, i, &at)
    cdef bint natural = at == i + 1, capital = name.at[i] < b"a"
    cdef bint spelled = not natural and name.at[i + 1] not in (b"#", b"b", 0xE2)  # "F sharp"
    key.number = NO_KEY
    key.form = JOINED
    if not spelled and at < name.size and name.at[at] == b"m" and class_at(name, at + 1) & WORD == 0:
        key.end = at + 1
        if not capital and (natural or name.at[i + 1] == b"b"):  # "am", "ebm"
            return key
        if natural and is_ambiguous_letter(name.at[i]):
            key.form = AMBIGUOUS
            if not is_unambiguous_key(name, i, key.end):
                return key
        key.number = 12 + tonic
        return key
    mode_at = at + (class_at(name, at) & SPACE != 0)
    key.end = mode_end(name, mode_at)
    if key.end:
        if mode_at > at or spelled:
            key.form = SPACED
        if natural and name.at[i] == b"a" and mode_at > at and name.at[at] != b"-" and not is_after(name, i, b"in"):
            return key  # an article
        if natural and mode_at == at and is_ambiguous_letter(name.at[i]) and key.end == at + 3 and matches(name, at, b"min"):
            key.form = AMBIGUOUS
            if not is_unambiguous_key(name, i, key.end):
                return key
        key.number = tonic + (12 if matches(name, mode_at, b"min") else 0)
        return key
    key.form = SPACED
    key.end = at
    if capital and class_at(name, at) & WORD == 0 and is_of_key(name, i):
        key.number = tonic
    return key


cdef inline bint is_ambiguous_letter(uint8_t letter) noexcept nogil:
    return letter | 32 == b"a" or letter | 32 == b"e"


cdef int mode_end(NameSlice name, int i) noexcept nogil:
    """End of the mode ("major", "min" ...) at i; 0 if there is none."""
    cdef int end = 0
    if matches(name, i, b"major") or matches(name, i, b"minor"):
        end = i + 5
    elif matches(name, i, b"maj") or matches(name, i, b"min"):
        end = i + 3
    return end if end and class_at(name, end) & WORD == 0 else 0


cdef bint is_after(NameSlice name, int i, const char *word) noexcept nogil:
    """Whether `word` and one space precede i."""
    cdef int length = 0
    while word[length]:
        length += 1
    return class_at(name, i - 1) & SPACE and matches(name, i - 1 - length, word) and class_at(name, i - 2 - length) & WORD == 0


cdef bint is_of_key(NameSlice name, int i) noexcept nogil:
    """Whether "key" or "key of" precedes i: a single letter is then a key."""
    if is_after(name, i, b"of"):
        i -= 3
    if is_after(name, i, b"key"):
        return True
    return i > 3 and name.at[i - 1] in (b"=", b":") and matches(name, i - 4, b"key") and class_at(name, i - 5) & WORD == 0


cdef bint is_unambiguous_key(NameSlice name, int start, int end) noexcept nogil:
    """Whether "Am" or "Emin" is a key here: beside a tempo, after "key", or alone between separators. "I am 64" is none."""
    cdef double bpm
    if is_after(name, start, b"i"):
        return False
    if number_before(name, start, &bpm) or number_after(name, end, &bpm) or is_of_key(name, start):
        return True
    if is_beside_bpm(name, start, end):
        return True
    return is_mark(name, start - 1, -1) and is_mark(name, end, 1)


cdef bint is_mark(NameSlice name, int i, int step) noexcept nogil:
    """Whether the next byte from i, in direction `step`, is the end of the name or a separator. A hyphen beside a space is one."""
    cdef int first = i
    while class_at(name, i) & SPACE:
        if name.at[i] == b"-" and (i != first or class_at(name, i + step) & SPACE):
            return True
        i += step
    return not 0 <= i < name.size or not (class_at(name, i) & WORD or name.at[i] == b".")


cdef int first_tonic(NameSlice name) noexcept nogil:
    """The tonic at the start of the name, if it is a word of its own: "Gb - I IV V"."""
    cdef int end, tonic
    if name.size == 0 or not b"A" <= name.at[0] <= b"G":
        return NO_KEY
    tonic = read_tonic(name, 0, &end)
    return tonic if class_at(name, end) & WORD == 0 else NO_KEY
