"""Bytes to one row of facts, in memory that is kept between files."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t
from libc.stdlib cimport free
from libc.string cimport memcpy

from midiopt import limits

from midiopt.core.analysis cimport analyze_file
from midiopt.core.facts cimport TrackFacts
from midiopt.core.harmony.chords cimport Chords
from midiopt.core.harmony.chroma cimport Chroma
from midiopt.core.harmony.key_evidence cimport KeyEvidence
from midiopt.core.harmony.progression cimport Progression
from midiopt.core.memory cimport allocate_zeroed, release, trim
from midiopt.core.notes.types cimport Notes
from midiopt.core.rhythm.onsets cimport Onsets
from midiopt.core.rhythm.performance_beats cimport PerformanceBeats
from midiopt.core.smf.midi cimport MAX_EVENTS_CAP, Status
from midiopt.core.smf.parser cimport raise_status
from midiopt.core.structure.drums cimport Drums
from midiopt.core.structure.sections cimport Sections
from midiopt.core.structure.sketch cimport Sketch
from midiopt.core.structure.track_facts cimport TrackTable


cdef class Analyzer:
    """Analyses one file after another in the same memory; one per thread is enough.

    The lock of the interpreter is released meanwhile, unless the bytes may change: those of a buffer that can be written. A file of
    more than ``max_events`` events (at most MAX_EVENTS_CAP of limits.py) is refused.
    """

    def __cinit__(self, size_t max_events=limits.MAX_EVENTS):
        cdef Workspace *w = &self.work
        if max_events > MAX_EVENTS_CAP:
            raise ValueError(f"max_events is at most {MAX_EVENTS_CAP:,}")
        w.max_events = max_events
        w.notes = <Notes *>allocate_zeroed(sizeof(Notes))
        w.chords = <Chords *>allocate_zeroed(sizeof(Chords))
        w.progression = <Progression *>allocate_zeroed(sizeof(Progression))
        w.drums = <Drums *>allocate_zeroed(sizeof(Drums))
        w.chroma = <Chroma *>allocate_zeroed(sizeof(Chroma))
        w.evidence = <KeyEvidence *>allocate_zeroed(sizeof(KeyEvidence))
        w.onsets = <Onsets *>allocate_zeroed(sizeof(Onsets))
        w.sketch = <Sketch *>allocate_zeroed(sizeof(Sketch))
        w.sections = <Sections *>allocate_zeroed(sizeof(Sections))
        w.played = <PerformanceBeats *>allocate_zeroed(sizeof(PerformanceBeats))
        kernels = w.notes and w.chords and w.progression and w.drums and w.chroma and w.evidence and w.onsets
        if not (kernels and w.sketch and w.sections and w.played):
            raise MemoryError()
        w.arena.scratch = &w.scratch
        w.map.scratch = &w.scratch
        w.signatures.scratch = &w.scratch
        w.notes.scratch = &w.scratch
        w.notes.counts_notes = True
        w.heap.scratch = &w.scratch

    def __dealloc__(self):
        cdef Workspace *w = &self.work
        release(&w.scratch)
        free(w.notes)
        free(w.chords)
        free(w.progression)
        free(w.drums)
        free(w.chroma)
        free(w.evidence)
        free(w.onsets)
        free(w.sketch)
        free(w.sections)
        free(w.played)
        free(w.tracks)

    def analyze(
        self, data, bytes content_hash not None, int version, bytearray rows not None, bytearray heap not None, bytearray tracks=None
    ):
        """Analyse the bytes of a MIDI file (any buffer), and append its row to ``rows``, those of its tracks to ``tracks``, if
        given, and its text to ``heap``.

        Returns (issues, first repair, offset): the issue bits, the issue bit of the first fault that was repaired (0 for
        none) and its byte offset. Raises NotMidi, Malformed or TooLarge, and then appends nothing; RuntimeError while another
        thread uses the analyzer.
        """
        cdef Workspace *w = &self.work
        cdef Py_buffer view
        cdef Status status
        cdef size_t reason_at = 0
        if PyBytes_GET_SIZE(content_hash) != 16:
            raise ValueError("a content hash has 16 bytes")
        if self.is_busy:
            raise RuntimeError("another thread is using this analyzer: each needs one of its own")
        w.has_tracks = tracks is not None
        if w.has_tracks and w.tracks == NULL:
            w.tracks = <TrackTable *>allocate_zeroed(sizeof(TrackTable))
            if w.tracks == NULL:
                raise MemoryError()
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        self.is_busy = True
        try:
            if view.readonly:
                with nogil:
                    status = analyze_file(w, <const uint8_t *>view.buf, view.len, &reason_at)
            else:
                status = analyze_file(w, <const uint8_t *>view.buf, view.len, &reason_at)
        finally:
            self.is_busy = False
            PyBuffer_Release(&view)
        first_repair, offset = w.arena.header.first_repair, w.arena.header.first_repair_at
        if status:
            trim(&w.scratch)
            raise_status(status, reason_at, w.max_events)
        memcpy(w.facts.content_hash, PyBytes_AS_STRING(content_hash), 16)
        w.facts.analyzer_version = version
        if w.has_tracks:
            self.append_tracks(tracks, PyByteArray_GET_SIZE(heap))
        self.append_row(rows, heap)
        trim(&w.scratch)
        return w.facts.issues, first_repair, offset

    cdef append_row(self, bytearray rows, bytearray heap):
        """Append the row and its text; offsets of texts count from the start of ``heap``."""
        cdef Workspace *w = &self.work
        cdef Py_ssize_t row = PyByteArray_GET_SIZE(rows)
        cdef Py_ssize_t base = PyByteArray_GET_SIZE(heap)
        w.facts.time_signature.offset += base
        w.facts.chord_progression.offset += base
        w.facts.chord_symbols.offset += base
        w.facts.title.offset += base
        w.facts.track_names.offset += base
        w.facts.sections.offset += base
        PyByteArray_Resize(heap, base + w.heap.size)
        if w.heap.size:
            memcpy(PyByteArray_AS_STRING(heap) + base, w.heap.bytes, w.heap.size)
        PyByteArray_Resize(rows, row + sizeof(w.facts))
        memcpy(PyByteArray_AS_STRING(rows) + row, &w.facts, sizeof(w.facts))

    cdef append_tracks(self, bytearray tracks, Py_ssize_t base):
        """Append the rows of the tracks; their names are in the text of the file, which will begin at ``base``."""
        cdef Workspace *w = &self.work
        cdef Py_ssize_t end = PyByteArray_GET_SIZE(tracks), size = w.tracks.count * sizeof(TrackFacts)
        cdef TrackFacts *row
        cdef size_t i
        for i in range(w.tracks.count):
            row = &w.tracks.rows[i]
            memcpy(row.content_hash, w.facts.content_hash, sizeof(row.content_hash))
            row.analyzer_version = w.facts.analyzer_version
            row.name.offset += base
        PyByteArray_Resize(tracks, end + size)
        memcpy(PyByteArray_AS_STRING(tracks) + end, w.tracks.rows, size)
