from libc.stdint cimport int32_t, uint8_t, uint16_t, uint64_t

from midiopt.core.rhythm.beat cimport STRENGTHS, BeatScratch, Echo
from midiopt.core.facts cimport Facts
from midiopt.core.rhythm.quantization cimport Grid
from midiopt.core.rhythm.meter_accents cimport AccentScratch
from midiopt.core.rhythm.meter_quantized cimport SlotScratch
from midiopt.core.notes.types cimport Notes
from midiopt.core.rhythm.autocorrelation cimport LAGS
from midiopt.core.timeline.tempo_map cimport TempoMap

cdef enum:
    WORDS = 512  # of 64 frames are looked at, from the first onset on: 10.9 minutes
    FRAMES = WORDS * 64
    SOME = 256  # notes that are placed at a time
    MOST_ONSETS = 1024  # frames with onsets that the whole is compared with

cdef struct Onsets:  # scratch of 470 KB, of which a song of three minutes uses 130
    Grid grid  # where in a quarter the notes of this file begin
    bint map_refuted  # of this file: its notes ignore the quarters that it declares
    # Scratch.
    double seconds[SOME]  # of onsets
    double rates[SOME]  # seconds a tick
    int32_t frames[SOME]
    int32_t lengths[SOME]
    int32_t positions[SOME]
    uint64_t weights[256]  # how loudness counts, by pitch << 1 | drum
    uint16_t used[MOST_ONSETS]  # frames with onsets that the whole is compared with
    uint16_t autocorrelation[LAGS]
    Echo echo
    BeatScratch beat
    AccentScratch accents
    SlotScratch slots
    # What follows is all zero between files.
    uint64_t seen[WORDS]  # a bit for each frame with an onset
    uint64_t sums[FRAMES]  # the strengths of a frame before they are cut to small numbers, 21 bits each
    uint16_t strength[STRENGTHS][FRAMES + LAGS]  # silence follows the last frame


cdef void onset_facts(Onsets *onsets, const Notes *notes, const TempoMap *map, Facts *facts) noexcept nogil
