from libc.stddef cimport size_t
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

from midiopt.core.facts cimport Facts
from midiopt.core.notes.types cimport NoteColumns, Notes
from midiopt.core.rhythm.autocorrelation cimport LAGS
from midiopt.core.rhythm.beat cimport STRENGTHS, Autocorrelations, BeatScratch
from midiopt.core.rhythm.meter_accents cimport AccentScratch
from midiopt.core.rhythm.meter_quantized cimport SlotScratch
from midiopt.core.rhythm.phase cimport PhaseScratch
from midiopt.core.rhythm.quantization cimport QuarterPositions
from midiopt.core.timeline.tempo_map cimport TempoMap

cdef enum:
    FRAME_WORDS = 512  # of 64 frames each, from the first onset on: 10.9 minutes
    MAX_FRAMES = FRAME_WORDS * 64  # SILENT_FRAME of autocorrelation.pxd
    ONSET_BLOCK = 256  # notes that are processed at a time
    MAX_SEQUENCES = 32  # of format 2 that are searched for a beat: one of ten minutes costs as much as a song and may have 40 bytes
    MAX_CORRELATED = 1024  # frames with onsets that the whole sequence is compared with
    FRAME_LIST = MAX_CORRELATED + 32  # one more than fit; a power of two would put all lists into the same lines of the cache
    MAX_STRENGTH = 7

cdef struct Onsets:  # 310 KB of scratch memory, of which a song of three minutes uses 80
    # Of a block of notes.
    double ticks[ONSET_BLOCK]  # onset
    double lengths_in_ticks[ONSET_BLOCK]
    double seconds_per_tick[ONSET_BLOCK]  # at the onset
    int32_t frames[ONSET_BLOCK]  # from the first onset; MAX_FRAMES for notes that are left out
    int32_t lengths[ONSET_BLOCK]  # 1/32 seconds
    int32_t positions[ONSET_BLOCK]  # in the quarter; LEFT_OUT for notes that are left out
    uint32_t packed_notes[ONSET_BLOCK]  # packed strengths
    # Of the sequence.
    uint16_t correlated[STRENGTHS][MAX_STRENGTH + 1][FRAME_LIST]  # frames by each of their strengths
    uint16_t *ends[STRENGTHS][MAX_STRENGTH + 1]  # of these lists
    uint16_t sums[LAGS]
    uint8_t bytes[LAGS]
    uint32_t totals[STRENGTHS]  # of all frames
    Autocorrelations autocorrelations
    BeatScratch beat
    AccentScratch accents
    SlotScratch slots
    QuarterPositions positions_in_quarter
    PhaseScratch phase_scratch
    int phase  # result: the position of the beats relative to the nearest quarter, see phase.pxd
    int sequence_count  # of the file so far, those with too few notes not counted
    bint tempo_map_ignored  # result: the notes do not keep to the quarters that the file declares
    # All zero between files.
    uint64_t has_onset[FRAME_WORDS + 1]  # a bit per frame
    uint32_t packed[MAX_FRAMES + 1]  # strengths of each frame before quantize_strengths; the last of notes that are left out
    uint8_t strengths[STRENGTHS][MAX_FRAMES + LAGS]  # LAGS frames of silence follow


# Domain: ticks below 2**TICK_BITS, and a first onset before frame 2**46: of a later one there are no facts. Notes from
# MAX_FRAMES after it are left out.
cdef void onset_facts(Onsets *onsets, const Notes *notes, const TempoMap *map, Facts *facts) noexcept nogil
cdef uint32_t place_onsets(
    Onsets *onsets, const NoteColumns *notes, size_t row, size_t n, double first_frame, double first_quarter, double quarter
) noexcept nogil
cdef uint32_t find_bass(const Notes *notes, double *drum_share) noexcept nogil
