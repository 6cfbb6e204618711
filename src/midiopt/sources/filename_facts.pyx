"""Tempo, key and meter in the name of a file, or of the nearest folder whose name says one: 0.3 microseconds a path.

Names are people's, so a rule is either plain or left out; docs/accuracy.md lists them. A name that says two
different things says nothing, and no folder above it is asked.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.math cimport NAN
from libc.stdint cimport uint8_t, uint32_t

from midiopt.schema import KEYS, NAME_METERS, NULL_ENUM

cdef enum:  # of a byte
    SPACE = 1  # between words: a space, _ or -
    DIGIT = 2
    LETTER = 4  # beyond ASCII too
    QUOTE = 8  # it belongs to a word
    WORD = DIGIT | LETTER | QUOTE

cdef enum:
    MOST_SPACES = 3
    SLOWEST = 20  # beats a minute, beside "bpm"
    FASTEST = 400
    SLOWEST_ALONE = 60  # beside a key
    FASTEST_ALONE = 200
    NO_KEY = -1

cdef enum Written:  # how a key stands there
    APART  # "C minor", "F sharp major"
    JOINED  # "Cmin", "F#m": one word
    DOUBTFUL  # "Am", "Emin": a word or a name as well

cdef uint8_t[256] KIND
cdef int[7] TONICS = [9, 11, 0, 2, 4, 5, 7]  # A to G, in half tones above C
cdef uint8_t[24] ROWS  # of schema.KEYS, by tonic and mode
cdef uint8_t NO_ROW = NULL_ENUM


cdef void make_kinds():
    for byte in range(256):
        KIND[byte] = LETTER * (chr(byte).isalpha() or byte >= 128) | DIGIT * (48 <= byte < 58) | SPACE * (byte in b" _-") | QUOTE * (byte == 39)


make_kinds()
for _row, _name in enumerate("C Db D Eb E F F# G Ab A Bb B Cm C#m Dm Ebm Em Fm F#m Gm G#m Am Bbm Bm".split()):
    ROWS[_row] = KEYS.index(_name)

cdef uint8_t[13][9] METERS  # for 12 beats and less, and 8ths and less: the row of schema.NAME_METERS
METERS[:] = [[NULL_ENUM] * 9] * 13
for _row, _name in enumerate(NAME_METERS):
    _beats, _unit = map(int, _name.split("/"))
    METERS[_beats][_unit] = _row

cdef struct Name:
    const uint8_t *at
    int size

cdef struct Said:
    double bpm  # beside "bpm"
    double beside_key
    int tempos, tempos_beside_keys  # different ones; 2 stands for more
    uint32_t keys  # bit set: 12 majors from C up, 12 minors
    uint32_t meters  # bit set of rows of NAME_METERS

cdef struct Key:
    int number  # bit in Said.keys, or NO_KEY
    int end
    Written written


def name_facts(bytes path not None):
    """(name_bpm, name_key, name_meter): NaN or NULL_ENUM where neither the name nor a folder says one; rows of KEYS and NAME_METERS."""
    cdef const uint8_t *p = <const uint8_t *>PyBytes_AS_STRING(path)
    cdef double bpm
    cdef uint8_t key, meter
    read_path(p, PyBytes_GET_SIZE(path), &bpm, &key, &meter)
    return bpm, key, meter


cdef void read_path(const uint8_t *p, Py_ssize_t end, double *bpm, uint8_t *key, uint8_t *meter) noexcept nogil:
    cdef Py_ssize_t start = end
    cdef Name name
    cdef Said said
    cdef int first = NO_KEY  # the tonic that the file's name begins with
    cdef bint is_file = True, tempo_found = False, key_found = False, meter_found = False
    bpm[0] = NAN
    key[0] = meter[0] = NO_ROW
    while end > 0 and not (tempo_found and key_found and meter_found):
        start = end
        while start > 0 and p[start - 1] != b"/":
            start -= 1
        name.at = p + start
        name.size = <int>min(end - start, 1 << 20)
        end = start - 1
        if is_file or (name.size and name.at[name.size - 1] == b"!"):  # an archive is a folder of its members
            name.size = without_suffix(name)
        said = read_name(name)
        if is_file:
            first = first_tonic(name)
            is_file = False
        elif said.keys & (said.keys - 1) and first != NO_KEY:
            said.keys = chosen(said.keys, first)
        if not tempo_found and (said.tempos or said.tempos_beside_keys):
            tempo_found = True
            if said.tempos == 1:
                bpm[0] = said.bpm
            elif said.tempos == 0 and said.tempos_beside_keys == 1:
                bpm[0] = said.beside_key
        if not key_found and said.keys:
            key_found = True
            if said.keys & (said.keys - 1) == 0:
                key[0] = ROWS[lowest_bit(said.keys)]
        if not meter_found and said.meters:
            meter_found = True
            if said.meters & (said.meters - 1) == 0:
                meter[0] = lowest_bit(said.meters)


cdef uint8_t lowest_bit(uint32_t set) noexcept nogil:
    cdef int number = 0
    while set >> number & 1 == 0:
        number += 1
    return number


cdef uint32_t chosen(uint32_t keys, int tonic) noexcept nogil:
    """Of several keys the one with this tonic; all of them when there is none, or two."""
    cdef uint32_t mine = keys & (<uint32_t>0x1001 << tonic)
    return mine if mine and mine & (mine - 1) == 0 else keys


cdef int without_suffix(Name name) noexcept nogil:
    """Length of the name up to its last full stop; of `.mid.gz` up to the one before."""
    cdef int i = name.size, last = name.size
    cdef bint again = True
    while i > 0:
        i -= 1
        if name.at[i] == b".":
            if again and last - i == 3 and name.at[i + 1] | 32 == b"g" and name.at[i + 2] | 32 == b"z":
                again = False
                last = i
                continue
            return i
    return last


cdef inline int kind_at(Name name, int i) noexcept nogil:
    """0 before and after the name."""
    return KIND[name.at[i]] if 0 <= i < name.size else 0


cdef inline bint has(Name name, int i, const char *word) noexcept nogil:
    """Whether the word, in lower case, stands at i, in any case."""
    cdef int k = 0
    while word[k]:
        if i + k < 0 or i + k >= name.size or name.at[i + k] | 32 != <uint8_t>word[k]:
            return False
        k += 1
    return True


cdef Said read_name(Name name) noexcept nogil:
    cdef Said said
    cdef Key key
    cdef int i, kinds = 0
    cdef uint8_t c
    said.bpm = said.beside_key = 0
    said.tempos = said.tempos_beside_keys = 0
    said.keys = said.meters = 0
    for i in range(name.size):
        kinds |= KIND[name.at[i]]
        if name.at[i] == b"-":
            read_meter(name, i, &said)
        c = name.at[i] | 32
        if c < b"a" or c > b"g":
            continue
        if c == b"b" and has(name, i, b"bpm"):
            read_tempo(name, i, &said)
        if kind_at(name, i - 1) & WORD == 0:
            key = read_key(name, i)
            if key.number != NO_KEY:
                said.keys |= <uint32_t>1 << key.number
                if key.written != APART:
                    read_beside(name, i, key.end, &said)
    if kinds & LETTER == 0:
        said.meters = 0  # "3-4" alone counts something
    return said


# Keys


cdef int read_tonic(Name name, int i, int *end) noexcept nogil:
    """A letter from A to G, and a sharp or flat: half tones above C; `end` is behind it."""
    cdef int tonic = TONICS[(name.at[i] | 32) - <int>b"a"], at = i + 1
    end[0] = at
    if at < name.size and name.at[at] in (b"#", b"b"):
        end[0] = at + 1
        return (tonic + (1 if name.at[at] == b"#" else 11)) % 12
    if at + 2 < name.size and name.at[at] == 0xE2 and name.at[at + 1] == 0x99 and name.at[at + 2] in (0xAF, 0xAD):  # U+266F, U+266D
        end[0] = at + 3
        return (tonic + (1 if name.at[at + 2] == 0xAF else 11)) % 12
    if kind_at(name, at) & SPACE:
        at += 1
    if has(name, at, b"sharp"):
        end[0] = at + 5
        return (tonic + 1) % 12
    if has(name, at, b"flat"):
        end[0] = at + 4
        return (tonic + 11) % 12
    return tonic


cdef Key read_key(Name name, int i) noexcept nogil:
    """The key that is written at i, where a word begins."""
    cdef Key key
    cdef int at, mode_at, tonic = read_tonic(name, i, &at)
    cdef bint natural = at == i + 1, capital = name.at[i] < b"a"
    cdef bint spelled = not natural and name.at[i + 1] not in (b"#", b"b", 0xE2)  # "F sharp"
    key.number = NO_KEY
    key.written = JOINED
    if not spelled and at < name.size and name.at[at] == b"m" and kind_at(name, at + 1) & WORD == 0:
        key.end = at + 1
        if not capital and (natural or name.at[i + 1] == b"b"):  # "am", "ebm"
            return key
        if natural and is_doubtful(name.at[i]):
            key.written = DOUBTFUL
            if not stands_out(name, i, key.end):
                return key
        key.number = 12 + tonic
        return key
    mode_at = at + (kind_at(name, at) & SPACE != 0)
    key.end = mode_end(name, mode_at)
    if key.end:
        if mode_at > at or spelled:
            key.written = APART
        if natural and name.at[i] == b"a" and mode_at > at and name.at[at] != b"-" and not is_after(name, i, b"in"):
            return key  # an article
        if natural and mode_at == at and is_doubtful(name.at[i]) and key.end == at + 3 and has(name, at, b"min"):
            key.written = DOUBTFUL
            if not stands_out(name, i, key.end):
                return key
        key.number = tonic + (12 if has(name, mode_at, b"min") else 0)
        return key
    key.written = APART
    key.end = at
    if capital and kind_at(name, at) & WORD == 0 and is_of_key(name, i):
        key.number = tonic
    return key


cdef inline bint is_doubtful(uint8_t letter) noexcept nogil:
    return letter | 32 == b"a" or letter | 32 == b"e"


cdef int mode_end(Name name, int i) noexcept nogil:
    """Where a mode that begins at i ends; 0 for none."""
    cdef int end = 0
    if has(name, i, b"major") or has(name, i, b"minor"):
        end = i + 5
    elif has(name, i, b"maj") or has(name, i, b"min"):
        end = i + 3
    return end if end and kind_at(name, end) & WORD == 0 else 0


cdef bint is_after(Name name, int i, const char *word) noexcept nogil:
    """Whether the word and one space stand before i."""
    cdef int length = 0
    while word[length]:
        length += 1
    return kind_at(name, i - 1) & SPACE and has(name, i - 1 - length, word) and kind_at(name, i - 2 - length) & WORD == 0


cdef bint is_of_key(Name name, int i) noexcept nogil:
    """Whether "key", or "key of", stands before i: the letter alone is then a key."""
    if is_after(name, i, b"of"):
        i -= 3
    return is_after(name, i, b"key") or (i > 3 and name.at[i - 1] in (b"=", b":") and has(name, i - 4, b"key") and kind_at(name, i - 5) & WORD == 0)


cdef bint stands_out(Name name, int start, int end) noexcept nogil:
    """Whether a doubtful key is one: beside a tempo, behind "key", or alone between marks; "I am 64" is none."""
    cdef double bpm
    if is_after(name, start, b"i"):
        return False
    if number_before(name, start, &bpm) or number_after(name, end, &bpm) or is_of_key(name, start):
        return True
    if beside_bpm(name, start, end):
        return True
    return is_mark(name, start - 1, -1) and is_mark(name, end, 1)


cdef bint is_mark(Name name, int i, int step) noexcept nogil:
    """Whether from i on comes the end of the name or a mark, and no word. A hyphen is a mark beside a space."""
    cdef int first = i
    while kind_at(name, i) & SPACE:
        if name.at[i] == b"-" and (i != first or kind_at(name, i + step) & SPACE):
            return True
        i += step
    return not 0 <= i < name.size or not (kind_at(name, i) & WORD or name.at[i] == b".")


# Meters


cdef void read_meter(Name name, int i, Said *said) noexcept nogil:
    """A meter around the hyphen at i."""
    cdef int start = i, k, beats = 0
    cdef uint8_t row
    while kind_at(name, start - 1) & DIGIT and i - start < 3:
        start -= 1
    for k in range(start, i):
        beats = beats * 10 + name.at[k] - 48
    if start == i or beats > 12 or name.at[start] == b"0" or kind_at(name, i + 1) & DIGIT == 0 or name.at[i + 1] > b"8":
        return
    row = METERS[beats][name.at[i + 1] - 48]
    if row == NO_ROW or joins(name, start - 1) or joins(name, i + 2):
        return
    said.meters |= <uint32_t>1 << row


cdef inline bint joins(Name name, int i) noexcept nogil:
    """Whether a number goes on there."""
    return kind_at(name, i) & WORD or (0 <= i < name.size and name.at[i] in (b"-", b"."))


# Tempos


cdef int read_number(Name name, int i, double *value) noexcept nogil:
    """Two or three digits at i, and one or two behind a point or comma: where they end, 0 for none."""
    cdef int end = i, fraction, more
    cdef double scale = 1
    value[0] = 0
    while kind_at(name, end) & DIGIT:
        value[0] = value[0] * 10 + name.at[end] - 48
        end += 1
    if not 2 <= end - i <= 3:
        return 0
    if end + 1 < name.size and name.at[end] in (b".", b","):
        more = end + 1
        while kind_at(name, more) & DIGIT:
            more += 1
        if 1 <= more - end - 1 <= 2:
            fraction = 0
            for i in range(end + 1, more):
                fraction = fraction * 10 + name.at[i] - 48
                scale *= 10
            value[0] += fraction / scale
            end = more
    return end


cdef int start_of_number(Name name, int end) noexcept nogil:
    """Where a number that ends before `end` begins, its fraction included."""
    cdef int i = end, whole
    while kind_at(name, i - 1) & DIGIT:
        i -= 1
    if 1 <= end - i <= 2 and i > 1 and name.at[i - 1] in (b".", b",") and kind_at(name, i - 2) & DIGIT:
        whole = i - 1
        while kind_at(name, whole - 1) & DIGIT:
            whole -= 1
        if whole < i - 3 or (whole == i - 3 and name.at[whole] >= b"2"):  # 20 and more
            return whole
    return i


cdef bint is_range(Name name, int start, int end) noexcept nogil:
    """Whether a hyphen joins the number to another one that may be a tempo: "90-100"."""
    cdef double other
    cdef int i = start - 1
    if i > 0 and name.at[i] == b"-" and read_number(name, start_of_number(name, i), &other) == i:
        if SLOWEST_ALONE <= other <= FASTEST_ALONE:
            return True
    if end + 1 < name.size and name.at[end] == b"-" and read_number(name, end + 1, &other):
        return SLOWEST_ALONE <= other <= FASTEST_ALONE
    return False


cdef inline void add_tempo(double bpm, double *known, int *count) noexcept nogil:
    if count[0] == 0:
        known[0] = bpm
        count[0] = 1
    elif known[0] != bpm:
        count[0] = 2


cdef void read_tempo(Name name, int i, Said *said) noexcept nogil:
    """The number beside "bpm" at i: joined to it, before or after, else the one before, else the one after."""
    cdef double bpm
    cdef int before = i, after = i + 3, start, end, side
    if (kind_at(name, i - 1) | kind_at(name, after)) & LETTER:
        return
    while before > 0 and i - before < MOST_SPACES and kind_at(name, before - 1) & SPACE:
        before -= 1
    while after < name.size and after - i - 3 < MOST_SPACES and (kind_at(name, after) & SPACE or name.at[after] in (b"=", b":", b".")):
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
            if end == 0 or kind_at(name, end) & WORD:
                continue
        if SLOWEST <= bpm <= FASTEST:
            add_tempo(bpm, &said.bpm, &said.tempos)
            if is_range(name, start, end):
                said.tempos = 2
            return


cdef bint beside_bpm(Name name, int start, int end) noexcept nogil:
    """Whether "120bpm" stands before, or "bpm 120" behind."""
    cdef int i = start, k = end
    while start - i < MOST_SPACES and kind_at(name, i - 1) & SPACE:
        i -= 1
    while k - end < MOST_SPACES and kind_at(name, k) & SPACE:
        k += 1
    if i < start and has(name, i - 3, b"bpm") and kind_at(name, i - 4) & LETTER == 0:
        return True
    if k == end:
        return False
    if has(name, k, b"bpm") and kind_at(name, k + 3) & LETTER == 0:
        return True
    i = k
    while kind_at(name, i) & DIGIT:
        i += 1
    return i > k and has(name, i, b"bpm") and kind_at(name, i + 3) & LETTER == 0


cdef bint number_before(Name name, int start, double *bpm) noexcept nogil:
    """Whether a number that may be a tempo stands alone before a key."""
    cdef int i = start, first
    while start - i < MOST_SPACES and kind_at(name, i - 1) & SPACE:
        i -= 1
    first = start_of_number(name, i)
    if i == start or read_number(name, first, bpm) != i or kind_at(name, first - 1) & WORD:
        return False
    return SLOWEST_ALONE <= bpm[0] <= FASTEST_ALONE and not is_range(name, first, i)


cdef bint number_after(Name name, int end, double *bpm) noexcept nogil:
    cdef int i = end, last
    while i - end < MOST_SPACES and kind_at(name, i) & SPACE:
        i += 1
    last = read_number(name, i, bpm)
    if i == end or last == 0 or kind_at(name, last) & WORD:
        return False
    return SLOWEST_ALONE <= bpm[0] <= FASTEST_ALONE and not is_range(name, i, last)


cdef void read_beside(Name name, int start, int end, Said *said) noexcept nogil:
    """A number beside a key that is one word is a tempo too, where no other is called one: "Am 95", "120_F#min"."""
    cdef double bpm
    if number_before(name, start, &bpm):
        add_tempo(bpm, &said.beside_key, &said.tempos_beside_keys)
    if number_after(name, end, &bpm):
        add_tempo(bpm, &said.beside_key, &said.tempos_beside_keys)


cdef int first_tonic(Name name) noexcept nogil:
    """The tonic that a name begins with and that is a word by itself: "Gb - I IV V"."""
    cdef int end, tonic
    if name.size == 0 or not b"A" <= name.at[0] <= b"G":
        return NO_KEY
    tonic = read_tonic(name, 0, &end)
    return tonic if kind_at(name, end) & WORD == 0 else NO_KEY
