"""Meters in a name, as "fill_4-4": a slash cannot be part of a file name."""

from libc.stdint cimport uint8_t, uint32_t

from midiopt.kinds import NULL_ENUM
from midiopt.schema import NAME_METERS
from midiopt.sources.filename.tokens cimport DIGIT, WORD, FoundFacts, NameSlice, class_at

cdef uint8_t NO_CODE = NULL_ENUM
cdef uint8_t[13][9] METER_CODES  # by number of beats, up to 12, and note value, up to 8
METER_CODES[:] = [[NULL_ENUM] * 9] * 13
for _code, _name in enumerate(NAME_METERS):
    _beats, _unit = map(int, _name.split("/"))
    METER_CODES[_beats][_unit] = _code


cdef void read_meter(NameSlice name, int i, FoundFacts *found) noexcept nogil:
    """Add the meter around the hyphen at i."""
    cdef int start = i, k, beats = 0
    cdef uint8_t code
    while class_at(name, start - 1) & DIGIT and i - start < 3:
        start -= 1
    for k in range(start, i):
        beats = beats * 10 + name.at[k] - 48
    if start == i or beats > 12 or name.at[start] == b"0" or class_at(name, i + 1) & DIGIT == 0 or name.at[i + 1] > b"8":
        return
    code = METER_CODES[beats][name.at[i + 1] - 48]
    if code == NO_CODE or continues_number(name, start - 1) or continues_number(name, i + 2):
        return
    found.meters |= <uint32_t>1 << code


cdef inline bint continues_number(NameSlice name, int i) noexcept nogil:
    """Whether byte i continues a number or word."""
    return class_at(name, i) & WORD or (0 <= i < name.size and name.at[i] in (b"-", b"."))
