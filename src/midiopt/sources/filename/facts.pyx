"""Tempo, key and meter in the name of a file, or of the nearest folder whose name states one: 0.3 us per path.

A rule is either unambiguous or left out; docs/accuracy-methods.md lists the rules. A name that states two different values
states none, and no folder above it is read.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.math cimport NAN
from libc.stdint cimport uint8_t, uint32_t

from midiopt import kinds, schema
from midiopt.sources.filename.keys cimport NO_KEY, SPACED, Key, first_tonic, read_key
from midiopt.sources.filename.meters cimport read_meter
from midiopt.sources.filename.tempos cimport read_tempo, read_tempos_beside_key
from midiopt.sources.filename.tokens cimport CLASS, LETTER, WORD, FoundFacts, NameSlice, class_at, matches

cdef enum:
    MAX_NAME_BYTES = 1 << 20

cdef uint8_t NO_CODE = kinds.NULL_ENUM
cdef uint8_t[24] KEY_CODES  # codes of schema.KEYS by bit of FoundFacts.keys
for _code, _name in enumerate(schema.USUAL_KEYS):
    KEY_CODES[_code] = schema.KEYS.index(_name)


def name_facts(bytes path not None):
    """(name_bpm, name_key, name_meter) of a path: NaN or NULL_ENUM where no name states one; codes of KEYS and NAME_METERS."""
    cdef const uint8_t *p = <const uint8_t *>PyBytes_AS_STRING(path)
    cdef double bpm
    cdef uint8_t key, meter
    read_path(p, PyBytes_GET_SIZE(path), &bpm, &key, &meter)
    return bpm, key, meter


cdef void read_path(const uint8_t *p, Py_ssize_t end, double *bpm, uint8_t *key, uint8_t *meter) noexcept nogil:
    cdef Py_ssize_t start = end
    cdef NameSlice name
    cdef FoundFacts found
    cdef int first = NO_KEY  # the tonic that the file's name begins with
    cdef bint is_file = True, tempo_found = False, key_found = False, meter_found = False
    bpm[0] = NAN
    key[0] = meter[0] = NO_CODE
    while end > 0 and not (tempo_found and key_found and meter_found):
        start = end
        while start > 0 and p[start - 1] != b"/":
            start -= 1
        name.at = p + start
        name.size = <int>min(end - start, MAX_NAME_BYTES)
        end = start - 1
        if is_file or (name.size and name.at[name.size - 1] == b"!"):  # an archive is a folder of its members
            name.size = without_suffix(name)
        found = read_name(name)
        if is_file:
            first = first_tonic(name)
            is_file = False
        elif found.keys & (found.keys - 1) and first != NO_KEY:
            found.keys = with_tonic(found.keys, first)
        if not tempo_found and (found.tempos or found.tempos_beside_keys):
            tempo_found = True
            if found.tempos == 1:
                bpm[0] = found.bpm
            elif found.tempos == 0 and found.tempos_beside_keys == 1:
                bpm[0] = found.beside_key
        if not key_found and found.keys:
            key_found = True
            if found.keys & (found.keys - 1) == 0:
                key[0] = KEY_CODES[lowest_bit(found.keys)]
        if not meter_found and found.meters:
            meter_found = True
            if found.meters & (found.meters - 1) == 0:
                meter[0] = lowest_bit(found.meters)


cdef uint8_t lowest_bit(uint32_t set) noexcept nogil:
    cdef int number = 0
    while set >> number & 1 == 0:
        number += 1
    return number


cdef uint32_t with_tonic(uint32_t keys, int tonic) noexcept nogil:
    """The only key of the set with this tonic; the whole set if there is none, or two."""
    cdef uint32_t matching = keys & (<uint32_t>0x1001 << tonic)
    return matching if matching and matching & (matching - 1) == 0 else keys


cdef bint is_compression(const uint8_t *suffix, int size) noexcept nogil:
    """Whether a suffix without its dot is that of a compression."""
    if size == 2:
        return (suffix[0] | 32 == b"g" or suffix[0] | 32 == b"x") and suffix[1] | 32 == b"z"
    if size != 3:
        return False
    if suffix[0] | 32 == b"b":
        return suffix[1] | 32 == b"z" and suffix[2] == b"2"
    return suffix[0] | 32 == b"z" and suffix[1] | 32 == b"s" and suffix[2] | 32 == b"t"


cdef int without_suffix(NameSlice name) noexcept nogil:
    """Length of the name without its extension; `.mid.gz` counts as one extension, as do those of other compressions."""
    cdef int i = name.size, last = name.size
    cdef bint again = True
    while i > 0:
        i -= 1
        if name.at[i] == b".":
            if again and is_compression(name.at + i + 1, last - i - 1):
                again = False
                last = i
                continue
            return i
    return last


cdef FoundFacts read_name(NameSlice name) noexcept nogil:
    cdef FoundFacts found
    cdef Key key
    cdef int i, classes = 0
    cdef uint8_t c
    found.bpm = found.beside_key = 0
    found.tempos = found.tempos_beside_keys = 0
    found.keys = found.meters = 0
    for i in range(name.size):
        classes |= CLASS[name.at[i]]
        if name.at[i] == b"-":
            read_meter(name, i, &found)
        c = name.at[i] | 32
        if c < b"a" or c > b"g":
            continue
        if c == b"b" and matches(name, i, b"bpm"):
            read_tempo(name, i, &found)
        if class_at(name, i - 1) & WORD == 0:
            key = read_key(name, i)
            if key.number != NO_KEY:
                found.keys |= <uint32_t>1 << key.number
                if key.form != SPACED:
                    read_tempos_beside_key(name, i, key.end, &found)
    if classes & LETTER == 0:
        found.meters = 0  # "3-4" alone counts something
    return found
