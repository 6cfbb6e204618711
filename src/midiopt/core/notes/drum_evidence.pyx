"""Whether a part that is not on channel 10 is drums nevertheless: by its name, and by how it is played.

Drums strike few pitches over and over, and briefly. In 16,262 real files, 35 tracks that are not on channel 10 have a name of
drums: 18 are steel drums, percussive organs and the like, which play melodies; eight say by a message that they are drums; of the
other nine, six are played so.
"""

from libc.string cimport memset

from midiopt.core.ascii cimport begins_with
from midiopt.core.smf.midi cimport data1_of, is_note, is_onset

cdef enum:
    MIN_NOTES = 4
    KIT_LOWEST = 24  # pitches with the kicks, snares, toms, hi-hats and cymbals of General MIDI kits, GS and XG ones, too
    KIT_HIGHEST = 59
    DRUM_WORDS = 12
    MELODIC_WORDS = 7

# Drums and percussion in the languages of names; "perc" only at the beginning of a word, the others anywhere ("bdrum1").
cdef const char **DRUMS = [
    "drum", "snare", "kick", "hihat", "hi-hat", "hi hat", "schlagz", "trommel", "bater", "batteri", "slagwerk", "perkus",
]  # fmt: skip
# Instruments that play melodies, most of them General MIDI programs: steel drums, synth drum, taiko drum, percussive organ.
cdef const char **MELODIC = ["steel", "syn", "taiko", "organ", "piano", "melod", "reverse"]
# By the first letter of a drum word (A is 0), the set of second letters: few pairs of letters of a name are in it.
cdef uint32_t[26] SECOND_LETTERS
cdef int _i
for _i in range(DRUM_WORDS):
    SECOND_LETTERS[DRUMS[_i][0] - 0x61] |= 1 << (DRUMS[_i][1] - 0x61)


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


cdef bint says_drums(const uint8_t *name, size_t length) noexcept nogil:
    """Whether a name says drums or percussion, and no instrument that plays melodies."""
    cdef size_t i
    cdef uint8_t first, second
    cdef bint drums = False
    for i in range(1, length):
        first = (name[i - 1] | 0x20) - 0x61
        second = (name[i] | 0x20) - 0x61
        if first < 26 and second < 26 and SECOND_LETTERS[first] >> second & 1:
            drums |= begins_with_any(name + i - 1, length - i + 1, DRUMS, DRUM_WORDS)
            drums |= begins_with(name + i - 1, length - i + 1, "perc") and not (i > 1 and is_letter(name[i - 2]))
    if not drums:
        return False
    for i in range(length):
        if begins_with_any(name + i, length - i, MELODIC, MELODIC_WORDS):
            return False
    return True


cdef inline bint is_letter(uint8_t byte) noexcept nogil:
    return 0x61 <= byte | 0x20 <= 0x7A


cdef bint begins_with_any(const uint8_t *text, size_t length, const char **words, int count) noexcept nogil:
    cdef int i
    for i in range(count):
        if begins_with(text, length, words[i]):
            return True
    return False
