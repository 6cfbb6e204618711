# One row of the table `analyses`, and one of `tracks`, as the kernels fill them. Order, types and nulls are those of
# schema.ANALYSES and schema.TRACKS, which also give the meaning and unit of each column; a test compares the layouts.

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint32_t

cdef enum:
    NULL_ENUM = 255
    NULL_INT16 = -32768
    NULL_INT32 = -2147483648
    NULL_TEXT = 0xFFFFFFFF
    SKETCH_SIZE = 32

# schema.BPM_SOURCES
cdef enum:
    FROM_TEMPO_MAP
    FROM_ONSETS
    FROM_NOTHING

# schema.DRUM_PATTERNS
cdef enum:
    FOUR_ON_THE_FLOOR
    ROCK_BACKBEAT
    HALF_TIME
    BREAKBEAT
    SHUFFLE
    NO_PATTERN

# schema.ROLES
cdef enum:
    DRUM_PART
    BASS
    CHORDS
    MELODY
    FULL

# schema.MAIN_PARTS
cdef enum:
    MELODY_PART
    BASS_PART

cdef struct Text:
    uint32_t offset  # bytes from the start of the heap
    uint32_t length  # bytes of UTF-8, or NULL_TEXT

cdef struct Facts:
    uint8_t content_hash[16]
    int16_t analyzer_version
    int16_t format
    int16_t track_count
    int32_t ticks_per_quarter
    int32_t event_count
    int64_t duration_ticks
    double duration_s
    double first_note_s
    double last_note_s
    float bpm
    uint8_t bpm_source
    float bpm_confidence
    float bpm_mean
    float bpm_min
    float bpm_max
    int32_t tempo_changes
    float bpm_onsets
    float bpm_onsets_confidence
    float grid_deviation
    uint8_t is_performance
    float swing
    Text time_signature
    int32_t time_signature_changes
    uint8_t meter_estimated
    float meter_confidence
    uint8_t key
    float key_confidence
    uint8_t key_notes
    uint8_t key_declared
    int32_t key_changes
    float pitch_classes[12]
    int32_t note_count
    int32_t drum_note_count
    int16_t pitch_min
    int16_t pitch_max
    int16_t unique_pitches
    float velocity_mean
    float velocity_std
    int16_t velocity_min
    int16_t velocity_max
    int16_t unique_velocities
    float note_seconds_mean
    float notes_per_second
    int32_t polyphony_max
    float polyphony_mean
    uint8_t programs[16]
    int16_t primary_program
    uint8_t channels[2]
    Text chord_progression
    float chord_changes_per_bar
    float harmonic_rhythm
    float drum_density
    uint8_t drum_pattern
    uint8_t role
    int32_t bar_count
    uint8_t is_loop
    int16_t loop_bars
    int32_t control_changes
    int32_t sustain_pedals
    int32_t pitch_bends
    int32_t program_changes
    int32_t sysex_count
    int32_t lyric_count
    Text title
    Text track_names
    uint8_t notes_hash[8]
    int64_t issues
    int32_t sketch[SKETCH_SIZE]
    Text chord_symbols
    Text sections

cdef struct TrackFacts:
    uint8_t content_hash[16]
    int16_t track
    int16_t analyzer_version
    Text name
    uint8_t channels[2]
    int16_t program
    int32_t note_count
    double first_onset_s
    double last_onset_s
    int16_t pitch_min
    int16_t pitch_max
    int32_t polyphony_max
    float polyphony_mean
    float velocity_mean
    uint8_t role
    uint8_t notes_hash[8]
    uint8_t main_part
