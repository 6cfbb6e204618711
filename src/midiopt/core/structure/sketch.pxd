from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from midiopt.core.facts cimport SKETCH_SIZE, Facts
from midiopt.core.notes.types cimport Notes
from midiopt.core.timeline.tempo_map cimport TempoMap

cdef enum:
    SKETCH_BLOCK = 256  # notes or grams that are processed at a time
    SKETCH_WORDS = 1024  # of 64 frames each, from the first onset on
    SKETCH_FRAMES = SKETCH_WORDS * 64  # 2,730 quarters
    MAX_GROUPS = 8192  # of a track, or of all tracks
    MAX_SHORT = 512  # pitched notes of a sequence that is taken note by note
    MAX_GRAM = 7  # groups that a gram has beside its first one

cdef struct Groups:  # of notes that begin together, in time order
    int count
    int32_t start[MAX_GROUPS + 1]  # frame of the first note; the last item takes what is too much
    uint8_t code[MAX_GROUPS + SKETCH_BLOCK + MAX_GRAM + 1]  # highest pitch, or the classes of drums; vectors read beyond the last

cdef struct Sketch:  # scratch memory: 150 KB, of which a song of three minutes uses 25
    double ticks[SKETCH_BLOCK]
    int32_t frames[SKETCH_BLOCK]
    uint8_t steps[SKETCH_BLOCK + MAX_GRAM + 1]
    uint8_t moves[SKETCH_BLOCK + MAX_GRAM + 1]
    uint32_t low[SKETCH_BLOCK]  # first bytes of each gram
    uint32_t high[SKETCH_BLOCK]  # its other bytes
    uint32_t hashes[SKETCH_BLOCK]
    uint32_t short_notes[MAX_SHORT]  # frame << 8 | pitch
    Groups groups
    # Results, of all sequences so far.
    uint32_t pitched[SKETCH_SIZE]
    uint32_t drums[SKETCH_SIZE]
    # All zero between sequences.
    int32_t last_frame  # of those that are not zero
    uint64_t has_onset[SKETCH_WORDS + 1]  # a bit per frame
    uint8_t codes[SKETCH_FRAMES + 1]  # of the notes of each frame, as in Groups; the last of notes that are left out


cdef void reset_sketch(Sketch *sketch) noexcept nogil
# Domain: ticks below 2**TICK_BITS, which are exact as doubles. Notes from SKETCH_FRAMES on are left out.
cdef void add_sketch(Sketch *sketch, const Notes *notes, const TempoMap *map) noexcept nogil
cdef void write_sketch(const Sketch *sketch, Facts *facts) noexcept nogil
