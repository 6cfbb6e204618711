# The Standard MIDI File format (MIDI Manufacturers Association, RP-001, 1996): its constants, and the structs that the
# parser fills. Every fact of the protocol is stated here and nowhere else.

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

# Status bytes; the low nibble of a channel message is its channel.
cdef enum:
    NOTE_OFF = 0x80
    NOTE_ON = 0x90
    CONTROL_CHANGE = 0xB0
    PROGRAM_CHANGE = 0xC0
    PITCH_BEND = 0xE0
    SYSEX = 0xF0
    SYSEX_PACKET = 0xF7
    META = 0xFF

# Manufacturers, which system-exclusive data begin with, and what stands there in messages that are not theirs.
cdef enum:
    ROLAND = 0x41
    YAMAHA = 0x43
    NON_REAL_TIME = 0x7E
    REAL_TIME = 0x7F

# The meta event types that are read or checked.
cdef enum:
    META_SEQUENCE_NUMBER = 0x00
    META_TEXT = 0x01
    META_COPYRIGHT = 0x02
    META_TRACK_NAME = 0x03
    META_INSTRUMENT_NAME = 0x04
    META_LYRIC = 0x05
    META_MARKER = 0x06
    META_DEVICE_NAME = 0x09
    META_CHANNEL = 0x20
    META_PORT = 0x21
    META_END_OF_TRACK = 0x2F
    META_TEMPO = 0x51
    META_SMPTE_OFFSET = 0x54
    META_TIME_SIGNATURE = 0x58
    META_KEY_SIGNATURE = 0x59

cdef enum:
    SUSTAIN_PEDAL = 64  # controller number
    ALL_SOUND_OFF = 120  # controller numbers that end all sounding notes of a channel
    ALL_NOTES_OFF = 123
    DRUM_CHANNEL = 9  # channel 10, counted from 0
    DEFAULT_TEMPO = 500000  # microseconds per quarter: 120 BPM until the first tempo event

# Limits: everything that a file can demand is bounded by one of these.
cdef enum:
    MAX_LEADING_JUNK = 1024  # bytes before MThd
    MAX_VARINT = 0x0FFFFFFF  # four bytes of seven bits
    MAX_EVENTS_CAP = 100_000_000  # upper bound of max_events, see limits.py
    MAX_TRACKS = 32767  # maximum of an int16 column; real files of the test corpus have up to 96
    MAX_DENOMINATOR_POWER = 7  # of a time signature, as a power of two: 1/128
    OFFSET_BITS = 32  # of an offset in the file
    TICK_BITS = 52  # the domain of every kernel: exact as doubles, see as_double(), and within the 56 bits of a packed note

# The issues by the number of their bit in `issues`: what was repaired (below 32) or is unusual. Names and
# meanings: schema.REPAIRS and schema.UNUSUAL. Numbers, not masks: Cython takes members of an enumeration for 32-bit integers.
cdef enum Issue:
    LEADING_JUNK = 0
    HEADER_LENGTH = 1
    UNKNOWN_FORMAT = 2
    FORMAT_0_TRACKS = 3
    CHUNK_OVERRUN = 4
    EVENT_CUT = 5
    NO_END_OF_TRACK = 6
    BYTES_AFTER_END = 7
    STRAY_DATA = 8
    DATA_OVER_127 = 9
    BAD_STATUS = 10
    LONG_VARINT = 11
    BAD_META = 12
    ZERO_TEMPO = 13
    MISSING_TRACKS = 14
    LOST_TRACK = 15
    SYSEX_LENGTH = 16
    TEXT_MODE = 17
    UTF8_TEXT = 18
    TRACK_LENGTH = 19
    JOINED_TRACKS = 20
    EARLY_END = 21
    UNDECLARED_TRACKS = 22
    RMID_SIZE = 23
    FRAME_RATE = 24
    FILLED_BLOCK = 25
    RMID = 32
    ALIEN_CHUNK = 33
    SMPTE = 34
    FORMAT_2 = 35
    NO_NOTES = 36
    TRAILING_BYTES = 37
    RUNNING_STATUS_CROSSED = 38
    STUCK_NOTE = 39
    DRUMS_BY_NAME = 40
    JOINED_SONGS = 41

cdef enum:
    ALL_REPAIRS = 0xFFFFFFFF  # issue bits

# Result of parsing; anything but USABLE leaves no events.
cdef enum Status:
    USABLE
    EMPTY
    NO_HEADER
    SHORT_HEADER
    ZERO_DIVISION
    NO_TRACKS
    TOO_MANY_EVENTS
    TOO_MANY_TRACKS
    TOO_MANY_BYTES
    TICK_TOO_HIGH
    NO_MEMORY

cdef struct Event:  # 16 bytes, two stores in the parser's loop
    int64_t tick  # from the start of the track, below 2**TICK_BITS
    uint32_t mark  # row of its mark, 0 without one
    uint32_t message  # status | data1 << 8 | data2 << 16; data1 of a meta event is its type

# Index entry of an event that is found without a scan of all events: meta, system-exclusive, program change.
cdef struct Mark:
    uint32_t event  # row of its event
    uint32_t offset  # of the data, in bytes from the start of the file
    uint32_t length  # of the data, in bytes
    uint8_t status  # META, SYSEX, SYSEX_PACKET or a program change with its channel
    uint8_t type  # of a meta event, else 0
    uint8_t valid  # 0 if the length or value of a meta event is wrong, so that no fact is made of it
    uint8_t unused

cdef struct Track:
    uint32_t first_event
    uint32_t event_count
    uint32_t first_mark
    uint32_t mark_count
    int64_t end_tick  # tick of the last event

cdef struct Header:
    uint16_t format  # 0, 1 or 2; above 2 is read as 1
    uint16_t declared_tracks
    uint16_t division  # as written: ticks per quarter, or SMPTE with the high bit set
    uint16_t alien_chunks  # that were met
    uint32_t xf_lyrics  # lyrics in chunks XFKM
    uint64_t issues  # issue bits
    uint64_t first_repair  # issue bit of the repair that was recorded first, 0 for none
    uint32_t first_repair_at  # byte offset of that fault
    uint32_t riff_title_at  # of the title in an RMID container, in bytes from the start of the file
    uint32_t riff_title_length  # in bytes, 0 without one


cdef inline uint64_t issue_bit(Issue issue) noexcept nogil:
    return <uint64_t>1 << issue


cdef inline uint8_t status_of(uint32_t message) noexcept nogil:
    return message & 0xFF


cdef inline uint8_t data1_of(uint32_t message) noexcept nogil:
    return message >> 8 & 0xFF


cdef inline uint8_t data2_of(uint32_t message) noexcept nogil:
    return message >> 16 & 0xFF


cdef inline bint is_note(uint32_t message) noexcept nogil:
    """Whether a message is a note on or a note off, which differ in one bit."""
    return message & 0xE0 == NOTE_OFF


cdef inline bint is_onset(uint32_t message) noexcept nogil:
    """Whether a message starts a note: a note on with a velocity above 0."""
    return message & 0xF0 == NOTE_ON and data2_of(message) > 0


cdef inline uint32_t data_length(uint32_t status) noexcept nogil:
    """The number of data bytes of a channel message."""
    return 1 if status & 0xE0 == PROGRAM_CHANGE else 2


cdef inline bint silences_channel(uint32_t message) noexcept nogil:
    """Whether a control change ends the sounding notes of its channel."""
    return data1_of(message) == ALL_SOUND_OFF or data1_of(message) == ALL_NOTES_OFF


cdef inline bint meta_is_valid(uint8_t type, const uint8_t *p, size_t length, Issue *issue) noexcept nogil:
    """Whether a meta event has the length that its type requires and, if a fact is made of it, a value in range.

    `issue` is set to the issue of an invalid one.
    """
    cdef bint good = True
    issue[0] = BAD_META
    if type == META_TEMPO:
        good = length == 3
        if good and p[0] | p[1] | p[2] == 0:
            issue[0] = ZERO_TEMPO
            good = False
    elif type == META_TIME_SIGNATURE:
        good = length == 4 and p[0] >= 1 and p[1] <= MAX_DENOMINATOR_POWER
    elif type == META_KEY_SIGNATURE:
        good = length == 2 and (p[0] <= 7 or p[0] >= 249) and p[1] <= 1  # sharps, or flats as two's complement
    elif type == META_END_OF_TRACK:
        good = length == 0
    elif type == META_SEQUENCE_NUMBER:
        good = length == 0 or length == 2
    elif type == META_CHANNEL or type == META_PORT:
        good = length == 1
    elif type == META_SMPTE_OFFSET:
        good = length == 5
    elif type > 127:
        good = False
    return good


cdef inline bint has_time_signature(uint8_t type, const uint8_t *p, size_t length) noexcept nogil:
    """Whether a meta event of a wrong length is a time signature whose numerator and denominator are there nevertheless.

    Old sequencers wrote these two bytes alone, without the clocks per click and the thirty-seconds per quarter, or a byte more.
    """
    return type == META_TIME_SIGNATURE and length >= 2 and p[0] >= 1 and p[1] <= MAX_DENOMINATOR_POWER
