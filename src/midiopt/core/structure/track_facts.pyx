"""Facts of each track. A track has a range of the rows in the columns of its sequence, so the kernels of a file serve for it, too."""

from libc.math cimport NAN
from libc.stdint cimport int32_t, uint32_t
from libc.string cimport memcpy, memset

from midiopt.core.facts cimport NULL_ENUM, NULL_INT16, NULL_TEXT
from midiopt.core.memory cimport PART_SHAPE_BLOCK, RELEASE_BLOCK, TRACK_BOUNDARY_BLOCK, TRACK_FACTS_BLOCK, reserve_block
from midiopt.core.notes.columns cimport columns_of
from midiopt.core.notes.notes cimport add_note_seconds, clear_counts, write_note_facts
from midiopt.core.notes.notes_hash cimport add_notes_hash, put_notes_hash
from midiopt.core.notes.polyphony cimport measure_polyphony
from midiopt.core.notes.types cimport CHANNEL_SHIFT, PROGRAM_SHIFT, VELOCITY_SHIFT, NoteColumns, NoteCounts, length_of, onset_of
from midiopt.core.smf.midi cimport MAX_EVENTS_CAP, MAX_TRACKS, NO_MEMORY, USABLE
from midiopt.core.structure.form cimport count_simultaneous, role_of
from midiopt.core.structure.main_parts cimport PartShape, describe_part, name_main_parts
from midiopt.core.timeline.timed_values cimport add_timed_value, clear_timed_values, sort_timed_values

# What is left of a sequence while its tracks are taken one by one.
cdef struct Remaining:
    size_t run  # of boundaries: each track with pitched notes has one, in the order of the tracks
    size_t stuck  # of the stuck notes, which are in the order of the tracks


cdef Status start_tracks(TrackTable *table, const Arena *arena) noexcept nogil:
    """Start a file: a row per track, without notes."""
    cdef TrackFacts *row
    cdef size_t i
    table.count = arena.track_count
    table.rows = <TrackFacts *>reserve_block(
        arena.scratch, TRACK_FACTS_BLOCK, table.count, sizeof(TrackFacts), MAX_TRACKS, False
    )
    table.shapes = <PartShape *>reserve_block(
        arena.scratch, PART_SHAPE_BLOCK, table.count, sizeof(PartShape), MAX_TRACKS, False
    )
    if table.rows == NULL or table.shapes == NULL:
        return NO_MEMORY
    memset(table.rows, 0, table.count * sizeof(TrackFacts))
    for i in range(table.count):
        row = &table.rows[i]
        row.track = i
        row.name.length = NULL_TEXT
        row.first_onset_s = row.last_onset_s = row.velocity_mean = NAN
        row.program = row.pitch_min = row.pitch_max = NULL_INT16
        row.role = row.main_part = NULL_ENUM
    return USABLE


cdef Status add_tracks(TrackTable *table, const Notes *notes, const TempoMap *map) noexcept nogil:
    """Set the rows of the tracks of a sequence, whose boundaries must not have been sorted yet."""
    cdef const NoteColumns *all_notes = &notes.columns
    cdef Remaining remaining
    cdef size_t i, first = 0, end
    table.notes.scratch = notes.scratch
    table.shape_count = 0
    remaining.run = remaining.stuck = 0
    while first < all_notes.count:
        i = all_notes.track[first]
        end = first + 1
        while end < all_notes.count and all_notes.track[end] == i:
            end += 1
        table.notes.columns = columns_of(all_notes, first, end - first)
        count_notes(&table.notes)
        if take_boundaries(&table.notes, notes, i, &remaining):
            return NO_MEMORY
        if write_track(table, map, &table.rows[i]):
            return NO_MEMORY
        first = end
    if table.shape_count:
        name_main_parts(table.shapes, table.shape_count)
    return USABLE


cdef void count_notes(Notes *notes) noexcept nogil:
    """Set the counts that pairing makes for a file."""
    cdef const NoteColumns *c = &notes.columns
    cdef NoteCounts *counts = &notes.counts
    cdef uint32_t traits
    cdef size_t i
    clear_counts(counts)
    counts.first_onset = onset_of(c, 0)
    for i in range(c.count):
        traits = c.traits[i]
        counts.pitches[traits & 0xFF] += 1
        counts.velocities[traits >> VELOCITY_SHIFT & 0x7F] += 1
        counts.channels[traits >> CHANNEL_SHIFT & 0x0F] += 1
        if traits & 1:
            counts.drums += 1
        else:
            counts.programs[traits >> PROGRAM_SHIFT] += 1
        counts.last_end = max(counts.last_end, onset_of(c, i) + length_of(c, i))


cdef Status take_boundaries(Notes *notes, const Notes *sequence, size_t track, Remaining *remaining) noexcept nogil:
    """Set the boundaries of a track: its run, and the ends of its stuck notes, which are in runs of several tracks."""
    cdef size_t start, stuck = remaining.stuck, tick_bytes = 8 if notes.columns.wide else 4
    notes.boundary_count = notes.run_count = 0
    if notes.counts.drums < notes.columns.count:
        start = sequence.run_ends[remaining.run - 1] if remaining.run else 0
        notes.boundaries = <char *>sequence.boundaries + start * tick_bytes
        notes.boundary_count = sequence.run_ends[remaining.run] - start
        notes.run_ends[0] = <uint32_t>notes.boundary_count
        notes.run_count = 1
        remaining.run += 1
    clear_timed_values(&notes.releases)
    while remaining.stuck < sequence.stuck_count and sequence.stuck[remaining.stuck].track == track:
        remaining.stuck += 1
    return add_stuck_ends(notes, sequence, stuck, remaining.stuck) if stuck < remaining.stuck else USABLE


cdef Status add_stuck_ends(Notes *notes, const Notes *sequence, size_t first, size_t end) noexcept nogil:
    """Copy the boundaries of a track, and append the ends of its pitched stuck notes as another run."""
    cdef size_t i, note, tick_bytes = 8 if notes.columns.wide else 4
    cdef const NoteColumns *c = &sequence.columns
    cdef void *copy
    for i in range(first, end):
        note = sequence.stuck[i].note
        if not c.traits[note] & 1:
            if add_timed_value(&notes.releases, notes.scratch, RELEASE_BLOCK, onset_of(c, note) + length_of(c, note), i, 0):
                return NO_MEMORY
    if notes.releases.count == 0:
        return USABLE
    sort_timed_values(&notes.releases)
    copy = reserve_block(
        notes.scratch, TRACK_BOUNDARY_BLOCK, notes.boundary_count + notes.releases.count, sizeof(int64_t), 2 * MAX_EVENTS_CAP, False
    )
    if copy == NULL:
        return NO_MEMORY
    memcpy(copy, notes.boundaries, notes.boundary_count * tick_bytes)
    notes.boundaries = copy
    for i in range(notes.releases.count):
        if notes.columns.wide:
            (<int64_t *>copy)[notes.boundary_count] = notes.releases.items[i].tick << 1
        else:
            (<int32_t *>copy)[notes.boundary_count] = <int32_t>(notes.releases.items[i].tick << 1)
        notes.boundary_count += 1
    notes.run_ends[1] = <uint32_t>notes.boundary_count
    notes.run_count = 2
    return USABLE


cdef Status write_track(TrackTable *table, const TempoMap *map, TrackFacts *row) noexcept nogil:
    """The facts of a track that has notes, by the definitions of a file's."""
    cdef Notes *notes = &table.notes
    cdef Facts *facts = &table.facts
    cdef int64_t simultaneous
    add_note_seconds(notes, map)
    add_notes_hash(notes, map)
    if measure_polyphony(notes, map):
        return NO_MEMORY
    simultaneous = count_simultaneous(notes, <int64_t>map.ticks_per_quarter >> 4)
    write_note_facts(notes, facts)
    memcpy(row.channels, facts.channels, sizeof(row.channels))
    row.program = facts.primary_program
    row.note_count = facts.note_count
    row.first_onset_s = notes.columns.onset_s[0]
    row.last_onset_s = notes.columns.onset_s[notes.columns.count - 1]
    row.pitch_min = facts.pitch_min
    row.pitch_max = facts.pitch_max
    row.polyphony_max = facts.polyphony_max
    row.polyphony_mean = facts.polyphony_mean
    row.velocity_mean = facts.velocity_mean
    row.role = role_of(notes, simultaneous, facts)
    put_notes_hash(row.notes_hash, notes.counts.notes_hash)
    if notes.counts.drums < notes.columns.count:
        describe_part(&table.shapes[table.shape_count], notes, row)
        table.shape_count += 1
    return USABLE
