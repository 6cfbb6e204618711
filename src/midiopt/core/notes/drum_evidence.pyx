"""Whether a part that is not on channel 10, but has a name of drums (drum_names.pyx), is played like drums.

Drums strike few pitches over and over, and briefly. In 16,262 real files, 35 tracks that are not on channel 10 have a name of
drums: 18 are steel drums, percussive organs and the like, which play melodies; eight say by a message that they are drums; of the
other nine, six are played so.
"""

from libc.string cimport memset

from midiopt.core.smf.midi cimport data1_of, is_note, is_onset

cdef enum:
    MIN_NOTES = 4
    KIT_LOWEST = 24  # pitches with the kicks, snares, toms, hi-hats and cymbals of General MIDI kits, GS and XG ones, too
    KIT_HIGHEST = 59


cdef void start_evidence(DrumEvidence *e, double quarter) noexcept nogil:
    """Start a part; `quarter` is in ticks."""
    memset(e, 0, sizeof(DrumEvidence))
    memset(e.onsets, 0xFF, sizeof(e.onsets))
    e.quarter = <int64_t>quarter


cdef void add_evidence(DrumEvidence *e, const Event *event, const Event *end, uint32_t channels) noexcept nogil:
    """Add the notes on a set of channels among the events of a track."""
    cdef uint32_t message, pitch
    while event < end:
        message = event.message
        if is_note(message) and channels >> (message & 0x0F) & 1:
            pitch = data1_of(message) & 0x7F
            if e.onsets[pitch] >= 0:
                e.ended += 1
                e.short_notes += event.tick - e.onsets[pitch] <= e.quarter
                e.onsets[pitch] = -1
            if is_onset(message):
                e.pitches[pitch] += 1
                e.notes += 1
                e.channels |= 1 << (message & 0x0F)
                e.onsets[pitch] = event.tick
        event += 1
    memset(e.onsets, 0xFF, sizeof(e.onsets))


cdef bint plays_like_drums(const DrumEvidence *e) noexcept nogil:
    """Whether at least three notes of five are on three pitches, each pitch is struck twice on average, half of the notes last at
    most a quarter, and there are two pitches at most or half of the notes are in the range of a drum kit.
    """
    cdef uint32_t first = 0, second = 0, third = 0, different = 0, kit = 0, n
    cdef int pitch
    for pitch in range(128):
        n = e.pitches[pitch]
        different += n > 0
        kit += n if KIT_LOWEST <= pitch <= KIT_HIGHEST else 0
        if n > first:
            first, second, third = n, first, second
        elif n > second:
            second, third = n, second
        elif n > third:
            third = n
    if e.notes < MIN_NOTES or e.notes < 2 * different or 5 * <int64_t>(first + second + third) < 3 * <int64_t>e.notes:
        return False
    return 2 * <int64_t>e.short_notes >= e.ended and (different <= 2 or 2 * <int64_t>kit >= e.notes)


cdef bint plays_like_kit(const DrumEvidence *e) noexcept nogil:
    """Likewise, and half of the notes are in the range of a drum kit in any case."""
    cdef int64_t kit = 0
    cdef int pitch
    for pitch in range(KIT_LOWEST, KIT_HIGHEST + 1):
        kit += e.pitches[pitch]
    return 2 * kit >= e.notes and plays_like_drums(e)
