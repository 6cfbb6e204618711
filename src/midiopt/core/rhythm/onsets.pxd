from libc.stddef cimport size_t
from libc.stdint cimport int32_t, uint16_t, uint64_t

from midiopt.core.facts cimport Facts
from midiopt.core.notes.types cimport NoteColumns, Notes
from midiopt.core.rhythm.autocorrelation cimport LAGS
from midiopt.core.rhythm.beat cimport STRENGTHS, Autocorrelations, BeatScratch
from midiopt.core.rhythm.meter_accents cimport AccentScratch
from midiopt.core.rhythm.meter_quantized cimport SlotScratch
from midiopt.core.rhythm.quantization cimport QuarterPositions
from midiopt.core.timeline.tempo_map cimport TempoMap

cdef enum:
    FRAME_WORDS = 512  # of 64 frames each, from the first onset on: 10.9 minutes
    MAX_FRAMES = FRAME_WORDS * 64
    ONSET_BLOCK = 256  # notes that are processed at a time
    MAX_UNCAPPED_ONSETS = 32512  # notes that are added between two calls of cap_strengths, see FIELD_BITS
    MAX_SEQUENCES = 32  # of format 2 that are searched for a beat: one of ten minutes costs as much as a song and may have 40 bytes
    MAX_CORRELATED = 1024  # frames with onsets that the whole sequence is compared with

cdef struct Onsets:  # 500 KB of scratch memory, of which a song of three minutes uses 160
    # Of a block of notes.
    double ticks[ONSET_BLOCK]  # onset
    double lengths_in_ticks[ONSET_BLOCK]
    double seconds_per_tick[ONSET_BLOCK]  # at the onset
    int32_t frames[ONSET_BLOCK]  # from the first onset; MAX_FRAMES or more for notes that are left out
    int32_t lengths[ONSET_BLOCK]  # 1/32 seconds
    int32_t positions[ONSET_BLOCK]  # in the quarter; POSITIONS stands for 0
    # Of the sequence.
    uint64_t weights[256]  # see note_weights
    uint16_t correlated[MAX_CORRELATED]  # frames with onsets
    uint16_t strong[MAX_CORRELATED + 1]  # those of them whose current strength is not 0, then a silent frame
    uint16_t sums[LAGS]
    Autocorrelations autocorrelations
    BeatScratch beat
    AccentScratch accents
    SlotScratch slots
    QuarterPositions positions_in_quarter
    int sequence_count  # of the file so far, those with too few notes not counted
    bint tempo_map_ignored  # result: the notes do not keep to the quarters that the file declares
    # All zero between files.
    uint64_t has_onset[FRAME_WORDS]  # a bit per frame
    uint64_t packed[MAX_FRAMES]  # strengths of each frame before quantize_strengths, FIELD_BITS each
    uint16_t strengths[STRENGTHS][MAX_FRAMES + LAGS]  # LAGS frames of silence follow


# Domain: ticks below 2**TICK_BITS, and a first onset before frame 2**46: of a later one there are no facts. Notes from
# MAX_FRAMES after it are left out.
cdef void onset_facts(Onsets *onsets, const Notes *notes, const TempoMap *map, Facts *facts) noexcept nogil
cdef void place_onsets(
    Onsets *onsets, const NoteColumns *notes, size_t row, size_t n, double first_frame, double first_quarter, double quarter
) noexcept nogil
