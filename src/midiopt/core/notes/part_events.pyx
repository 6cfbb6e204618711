"""Events that make a part drums, or melodic: bank selects before a program change, and messages of GS and XG.

Roland GS: "use for rhythm part", F0 41 dd 42 12 40 1x 15 mm cs F7; block x is channel 10 for 0, 1 to 9 for 1 to 9, and 11 to 16
for A to F, and mode mm is 0 for melodic, 1 and 2 for the two drum maps. A message with another mode or a wrong checksum is ignored, as
the devices and FluidSynth do. Yamaha XG, which has no checksum here: "part mode", F0 43 1n 4C 08 pp 07 mm F7, part pp
counted from 0, mode 0 for melodic; and bank 127 (drum kits) and 126 (effect kits). General MIDI 2: bank 120 is drums, 121 is melodic.
"""

from midiopt.core.smf.midi cimport CONTROL_CHANGE, DRUM_CHANNEL, ROLAND, YAMAHA, data2_of

cdef enum:
    BANK_SELECT = 0  # controller number of its high byte
    GS = 0x42
    DATA_SET = 0x12
    USE_FOR_RHYTHM = 0x15
    XG = 0x4C
    MULTI_PART = 0x08
    PART_MODE = 0x07
    MAX_EVENTS_BACK = 64  # from a program change to its bank select; programs write the two side by side


cdef PartMode read_part_mode(const uint8_t *p, size_t length) noexcept nogil:
    """What a system-exclusive message, from its manufacturer on, says about a part."""
    cdef PartMode mode
    cdef uint8_t block
    mode.is_xg = length >= 4 and p[0] == YAMAHA and p[1] >> 4 == 1 and p[2] == XG
    mode.found = mode.drums = False
    mode.channel = 0
    if mode.is_xg and length >= 8 and p[3] == MULTI_PART and p[4] < 16 and p[5] == PART_MODE:
        mode.found = True
        mode.channel = p[4]
        mode.drums = p[6] != 0
    elif length >= 10 and p[0] == ROLAND and p[2] == GS and p[3] == DATA_SET and p[4] == 0x40 and p[5] >> 4 == 1 and p[6] == USE_FOR_RHYTHM:
        block = p[5] & 0x0F
        mode.found = p[7] <= 2 and has_valid_checksum(p, length)
        mode.channel = DRUM_CHANNEL if block == 0 else block - 1 if block <= 9 else block
        mode.drums = p[7] != 0
    return mode


cdef inline bint has_valid_checksum(const uint8_t *p, size_t length) noexcept nogil:
    """Whether address, data and checksum of a data set, which are all before the last byte, add up to a multiple of 128."""
    cdef size_t i
    cdef uint32_t total = 0
    for i in range(4, length - 1):
        total += p[i]
    return total & 0x7F == 0


cdef int find_bank(const Event *event, const Event *first, uint32_t channel) noexcept nogil:
    """The bank (its high byte) that is selected last on a channel before `event`, not before `first`; -1 if none is."""
    cdef uint32_t wanted = CONTROL_CHANGE | channel | BANK_SELECT << 8
    cdef const Event *last = event - MAX_EVENTS_BACK if event - first > MAX_EVENTS_BACK else first
    while event > last:
        event -= 1
        if event.message & 0xFFFF == wanted:
            return data2_of(event.message)
    return -1


cdef PartEventKind kind_of_bank(int bank) noexcept nogil:
    """The kind of a program change under a bank."""
    if bank == 126 or bank == 127:
        return PROGRAM_OF_XG_DRUMS
    if bank == 120:
        return PROGRAM_OF_DRUMS
    return PROGRAM_OF_MELODY if bank == 121 else PROGRAM


cdef bint is_kit(uint32_t program) noexcept nogil:
    """Whether XG has a drum kit with this number: two standard ones, room, rock, electronic, analog, jazz, brush, classic."""
    return program in (0, 1, 8, 16, 24, 25, 32, 40, 48)
