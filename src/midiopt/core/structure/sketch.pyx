"""A sketch of what is played, by which files with the same music find each other: see docs/similar.md.

MinHash (A. Broder, "On the resemblance and containment of documents", 1997) of the n-grams of the notes, with one hash per gram instead
of one per gram and value (P. Li, A. Owen and C.-H. Zhang, "One Permutation Hashing", 2012): the highest five bits of a gram's hash
choose one of 32 values, which keeps the greatest hash of its grams. A value without a gram is 0, and stays so: two sketches are compared
over the values that either has. No band of several values is needed, so nothing has to be filled in (densified): a single gram of eight
notes is rare enough to look for.

Notes that begin within an eighth of a quarter of the first one are a group. A gram is seven steps from one group's highest pitch to
the next one's, of which three are not 0; it has no time, so tempo and ticks do not matter. Groups are made of each track, so that a
dropped track costs only its own grams, and of all tracks together, so that tracks merged into one still share most of theirs. A file
with few of them, such as four chords, has those of its notes one by one, too, each group from the lowest. One that still lacks grams is
known by its drums: five groups of kinds of drums, with the sixteenths from one to the next.
"""

from libc.stddef cimport size_t
from libc.stdint cimport uint16_t
from libc.string cimport memcpy, memset

from midiopt.core.notes.columns cimport onset_ticks
from midiopt.core.bits cimport trailing_zeros

cdef enum:
    FRAMES_PER_QUARTER = 24
    MIN_GROUP_FRAMES = 3  # from the start of a group to the next one's
    FRAMES_PER_SIXTEENTH = 6
    MAX_SIXTEENTHS = 8  # between two groups of drums; longer gaps count as this
    MIN_MOVES = 3  # of the steps of a gram
    DRUM_GROUPS = 5  # of a gram
    HASH_BITS = 24
    VALUE_SHIFT = 19  # the bits below choose no value
    GAPS = 6  # of the sort of a short sequence
    MIN_VALUES = 4  # of a sketch, which is null with fewer
    FEW_VALUES = 8  # with fewer, notes are taken one by one, too

cdef uint32_t MULTIPLIER_1 = 0x9E3779B1, MULTIPLIER_2 = 0x85EBCA6B, MULTIPLIER_3 = 0xC2B2AE35

cdef int[GAPS] SORT_GAPS = [132, 57, 23, 10, 4, 1]

# Kinds of General MIDI percussion, a bit each: kick, snare or clap, closed and open hi-hat, tom, crash, ride, any other.
cdef enum:
    OTHER_DRUM = 128
cdef uint8_t[128] CLASSES  # by pitch
cdef int _i
for _i in range(128):
    CLASSES[_i] = OTHER_DRUM
CLASSES[35] = CLASSES[36] = 1
CLASSES[37] = CLASSES[38] = CLASSES[39] = CLASSES[40] = 2
CLASSES[42] = CLASSES[44] = 4
CLASSES[46] = 8
CLASSES[41] = CLASSES[43] = CLASSES[45] = CLASSES[47] = CLASSES[48] = CLASSES[50] = 16
CLASSES[49] = CLASSES[52] = CLASSES[55] = CLASSES[57] = 32
CLASSES[51] = CLASSES[53] = CLASSES[59] = 64


cdef void reset_sketch(Sketch *sketch) noexcept nogil:
    """Start a file."""
    memset(sketch.pitched, 0, sizeof(sketch.pitched))
    memset(sketch.drums, 0, sizeof(sketch.drums))


cdef void add_sketch(Sketch *sketch, const Notes *notes, const TempoMap *map) noexcept nogil:
    """Add the grams of a sequence; those of drums only as long as there are too few others."""
    if notes.columns.count == 0:
        return
    add_tracks(sketch, notes, map)
    if count_values(sketch.pitched) < FEW_VALUES:
        add_short(sketch, notes, map)
    if notes.counts.drums and count_values(sketch.pitched) < MIN_VALUES:
        place_drums(sketch, notes, map)
        join_frames(sketch, True)
        add_drum_grams(sketch)


cdef void write_sketch(const Sketch *sketch, Facts *facts) noexcept nogil:
    """Set the fact; all zero, which is null, with fewer than MIN_VALUES values."""
    if count_values(sketch.pitched) >= MIN_VALUES:
        memcpy(facts.sketch, sketch.pitched, sizeof(facts.sketch))
    elif count_values(sketch.drums) >= MIN_VALUES:
        memcpy(facts.sketch, sketch.drums, sizeof(facts.sketch))


cdef int count_values(const uint32_t *values) noexcept nogil:
    cdef int i, count = 0
    for i in range(SKETCH_SIZE):
        count += values[i] != 0
    return count


cdef void find_frames(Sketch *sketch, const Notes *notes, const TempoMap *map, size_t row, size_t n) noexcept nogil:
    """Set the frames of a block of notes, counted from the first onset of the sequence; SKETCH_FRAMES for notes that are left out."""
    cdef double first = notes.counts.first_onset, frames_per_tick = FRAMES_PER_QUARTER / map.ticks_per_quarter
    cdef size_t i
    onset_ticks(&notes.columns, row, n, sketch.ticks)
    for i in range(n):
        sketch.frames[i] = <int32_t>min((sketch.ticks[i] - first) * frames_per_tick + 0.5, <double>SKETCH_FRAMES)


cdef void add_tracks(Sketch *sketch, const Notes *notes, const TempoMap *map) noexcept nogil:
    """Add the grams of each track, and of all tracks together where there are several."""
    cdef const uint16_t *tracks = notes.columns.track
    cdef size_t row = 0, first = 0, n, i
    cdef bint has_several = tracks[0] != tracks[notes.columns.count - 1]
    start_groups(&sketch.groups)
    while row < notes.columns.count:
        if tracks[row] != tracks[first]:
            end_track(sketch, has_several)
            first = row
        n = min(notes.columns.count - row, <size_t>SKETCH_BLOCK)
        if tracks[row + n - 1] != tracks[row]:
            i = row + 1
            while tracks[i] == tracks[row]:
                i += 1
            n = i - row
        find_frames(sketch, notes, map, row, n)
        group_notes(&sketch.groups, sketch.frames, notes.columns.sound + row, n)
        row += n
    end_track(sketch, has_several)
    if has_several:
        join_frames(sketch, False)
        add_pitched_grams(sketch)


cdef void start_groups(Groups *groups) noexcept nogil:
    groups.count = 0
    groups.start[0] = -MIN_GROUP_FRAMES


cdef void group_notes(Groups *groups, const int32_t *frames, const uint8_t *sounds, size_t n) noexcept nogil:
    """Add a block of notes, which are in time order, to the groups of a track; the item 0 before the first group stays unused."""
    cdef int count = groups.count
    cdef int32_t start = groups.start[count]
    cdef uint32_t highest = groups.code[count], pitch
    cdef size_t i
    for i in range(n):
        if sounds[i] & 1:
            continue
        pitch = sounds[i] >> 1
        if frames[i] - start >= MIN_GROUP_FRAMES:
            count = min(count + 1, MAX_GROUPS)
            groups.start[count] = start = frames[i]
            highest = pitch
        highest = max(highest, pitch)
        groups.code[count] = <uint8_t>highest
    groups.count = count


cdef void end_track(Sketch *sketch, bint has_several) noexcept nogil:
    """Add the grams of the groups of a track, and the groups to those of all tracks."""
    cdef Groups *groups = &sketch.groups
    cdef int32_t frame = 0
    cdef int i
    add_pitched_grams(sketch)
    if has_several:
        for i in range(1, groups.count + 1):
            frame = groups.start[i]
            sketch.codes[frame] = max(sketch.codes[frame], groups.code[i])
            sketch.has_onset[frame >> 6] |= <uint64_t>1 << (frame & 63)
        sketch.last_frame = max(sketch.last_frame, frame)
    start_groups(groups)


cdef void add_short(Sketch *sketch, const Notes *notes, const TempoMap *map) noexcept nogil:
    """Add the grams of the single notes of a short sequence: group by group, from the lowest pitch, each pitch of a group once."""
    cdef Groups *groups = &sketch.groups
    cdef uint32_t *found = sketch.short_notes
    cdef const uint8_t *sounds
    cdef size_t row = 0, n, i
    cdef uint32_t frame, start = 0
    cdef int count = 0
    while row < notes.columns.count:
        n = min(notes.columns.count - row, <size_t>SKETCH_BLOCK)
        find_frames(sketch, notes, map, row, n)
        sounds = notes.columns.sound + row
        for i in range(n):
            if not sounds[i] & 1:
                if count == MAX_SHORT:
                    return
                found[count] = <uint32_t>sketch.frames[i] << 8 | sounds[i] >> 1
                count += 1
        row += n
    sort_notes(found, count)
    for i in range(<size_t>count):
        frame = found[i] >> 8
        if i == 0 or frame - start >= MIN_GROUP_FRAMES:
            start = frame
        found[i] = start << 8 | found[i] & 0xFF
    sort_notes(found, count)
    groups.count = 0
    for i in range(<size_t>count):
        if i == 0 or found[i] != found[i - 1]:
            groups.count += 1
            groups.code[groups.count] = <uint8_t>found[i]
    add_pitched_grams(sketch)
    start_groups(groups)


cdef void sort_notes(uint32_t *notes, int count) noexcept nogil:
    """Shell's sort (1959), with the gaps of M. Ciura (2001): few notes, which mostly are in order."""
    cdef uint32_t note
    cdef int gap, i, j, k
    for k in range(GAPS):
        gap = SORT_GAPS[k]
        for i in range(gap, count):
            note = notes[i]
            j = i
            while j >= gap and notes[j - gap] > note:
                notes[j] = notes[j - gap]
                j -= gap
            notes[j] = note


cdef void place_drums(Sketch *sketch, const Notes *notes, const TempoMap *map) noexcept nogil:
    """Set the classes of the drums of each frame."""
    cdef const uint8_t *sounds
    cdef size_t row = 0, n, i
    cdef int32_t frame
    while row < notes.columns.count:
        n = min(notes.columns.count - row, <size_t>SKETCH_BLOCK)
        find_frames(sketch, notes, map, row, n)
        sounds = notes.columns.sound + row
        for i in range(n):
            if sounds[i] & 1:
                frame = sketch.frames[i]
                sketch.codes[frame] |= CLASSES[sounds[i] >> 1]
                sketch.has_onset[frame >> 6] |= <uint64_t>1 << (frame & 63)
                sketch.last_frame = max(sketch.last_frame, frame)
        row += n


cdef void join_frames(Sketch *sketch, bint are_drums) noexcept nogil:
    """Make groups of the frames, and clear them."""
    cdef Groups *groups = &sketch.groups
    cdef uint64_t bits
    cdef uint8_t code
    cdef int word, frame, start = -MIN_GROUP_FRAMES, count = 0
    for word in range(min(sketch.last_frame >> 6, SKETCH_WORDS - 1) + 1):
        bits = sketch.has_onset[word]
        sketch.has_onset[word] = 0
        while bits:
            frame = 64 * word + trailing_zeros(bits)
            bits &= bits - 1
            code = sketch.codes[frame]
            sketch.codes[frame] = 0
            if frame - start >= MIN_GROUP_FRAMES:
                count = min(count + 1, MAX_GROUPS)
                groups.start[count] = start = frame
                groups.code[count] = code
            else:
                groups.code[count] = groups.code[count] | code if are_drums else max(groups.code[count], code)
    sketch.codes[SKETCH_FRAMES] = 0
    sketch.has_onset[SKETCH_WORDS] = 0
    sketch.last_frame = 0
    groups.count = count


cdef void add_pitched_grams(Sketch *sketch) noexcept nogil:
    """Add the grams of MAX_GRAM steps between the pitches of groups."""
    cdef const uint8_t *pitches
    cdef uint8_t *steps = sketch.steps
    cdef uint8_t *moves = sketch.moves
    cdef int i, n, at = 0, grams = sketch.groups.count - MAX_GRAM
    while at < grams:
        n = min(grams - at, <int>SKETCH_BLOCK)
        pitches = sketch.groups.code + 1 + at
        for i in range(n + MAX_GRAM - 1):
            steps[i] = <uint8_t>(pitches[i + 1] - pitches[i])
        for i in range(n + MAX_GRAM - 1):
            moves[i] = steps[i] != 0
        for i in range(n):
            sketch.low[i] = (
                <uint32_t>steps[i] | <uint32_t>steps[i + 1] << 8 | <uint32_t>steps[i + 2] << 16 | <uint32_t>steps[i + 3] << 24
            )
            sketch.high[i] = <uint32_t>steps[i + 4] | <uint32_t>steps[i + 5] << 8 | <uint32_t>steps[i + 6] << 16
        for i in range(n):
            moves[i] = <uint8_t>(
                moves[i] + moves[i + 1] + moves[i + 2] + moves[i + 3] + moves[i + 4] + moves[i + 5] + moves[i + 6] >= MIN_MOVES
            )
        keep_greatest(sketch, n, sketch.pitched)
        at += n


cdef void add_drum_grams(Sketch *sketch) noexcept nogil:
    """Add the grams of DRUM_GROUPS groups of drums that are not all alike, with the gaps between them."""
    cdef const int32_t *start
    cdef const uint8_t *code
    cdef uint32_t gaps
    cdef int i, j, n, at = 0, grams = sketch.groups.count - DRUM_GROUPS + 1
    while at < grams:
        n = min(grams - at, <int>SKETCH_BLOCK)
        for i in range(n):
            start = sketch.groups.start + 1 + at + i
            code = sketch.groups.code + 1 + at + i
            gaps = 0
            for j in range(DRUM_GROUPS - 1):
                gaps = gaps << 4 | min((start[j + 1] - start[j] + FRAMES_PER_SIXTEENTH // 2) // FRAMES_PER_SIXTEENTH, MAX_SIXTEENTHS)
            sketch.low[i] = <uint32_t>code[0] | <uint32_t>code[1] << 8 | <uint32_t>code[2] << 16 | <uint32_t>code[3] << 24
            sketch.high[i] = <uint32_t>1 << 24 | gaps << 8 | code[4]  # the first bit: no gram of pitches is equal
            sketch.moves[i] = code[1] != code[0] or code[2] != code[0] or code[3] != code[0] or code[4] != code[0]
        keep_greatest(sketch, n, sketch.drums)
        at += n


cdef void keep_greatest(Sketch *sketch, int n, uint32_t *values) noexcept nogil:
    """Hash a block of grams, and keep the greatest hash of each value; a gram with `moves` 0 is left out."""
    cdef uint32_t *hashes = sketch.hashes
    cdef uint32_t multiplier_1 = MULTIPLIER_1, multiplier_2 = MULTIPLIER_2, multiplier_3 = MULTIPLIER_3, hash
    cdef int i
    for i in range(n):
        hash = sketch.low[i] * multiplier_1
        hash = ((hash ^ hash >> 15) + sketch.high[i]) * multiplier_2
        hash = (hash ^ hash >> 13) * multiplier_3
        hash ^= hash >> 16
        hashes[i] = hash >> (32 - HASH_BITS) if sketch.moves[i] else 0
    for i in range(n):
        hash = hashes[i]
        values[hash >> VALUE_SHIFT] = max(values[hash >> VALUE_SHIFT], hash)
