"""A look inside the analyser for training, accuracy and tests: nothing in the package needs it."""

from libc.stdint cimport int32_t, int64_t

from midiopt.core.analyzer cimport Analyzer
from midiopt.core.facts cimport NULL_TEXT, Facts, TrackFacts
from midiopt.core.harmony.chord_weights cimport FULL_WEIGHT, ChordWeights
from midiopt.core.harmony.chord_names cimport write_triad
from midiopt.core.harmony.key_evidence cimport EVIDENCE, LOOP_EVIDENCE
from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT


def key_evidence(Analyzer analyzer not None):
    """The evidence for each key of the file analysed last: 24 lists, of C to B major, then minor.

    Each has the values that core/harmony/key.pyx weighs, in the order of the enum of
    key_evidence.pxd. training/key.py fits the weights.
    """
    cdef int k, i
    return [
        [analyzer.work.evidence.values[i][k // 12 * 12 + (k + 12 - analyzer.work.evidence.lowest) % 12] for i in range(EVIDENCE)]
        for k in range(24)
    ]


def loop_evidence(Analyzer analyzer not None):
    """The same for the key of a chord loop, in the order of its enum; None if the file is none."""
    cdef int k, i
    if not analyzer.work.evidence.is_loop:
        return None
    return [
        [analyzer.work.evidence.loop[i][k // 12 * 12 + (k + 12 - analyzer.work.evidence.lowest) % 12] for i in range(LOOP_EVIDENCE)]
        for k in range(24)
    ]


def beat_triads(Analyzer analyzer not None):
    """(tick, triad) of each beat of the file analysed last, from the first one that has a chord."""
    cdef char[12] text
    cdef int i
    if analyzer.work.facts.chord_progression.length == NULL_TEXT:
        return []
    return [
        (
            max(analyzer.work.bars.starts[i] >> SUBTICK_SHIFT, <int64_t>0),
            text[: write_triad(text, analyzer.work.chords.triads[i], analyzer.work.chords.base)].decode(),
        )
        for i in range(analyzer.work.chords.first, analyzer.work.bars.beat_count)
    ]


def beat_weights(Analyzer analyzer not None):
    """(tick, weights, bass) of each beat of the file analysed last, with the pitch classes counted from C: training/chords.py fits the
    scores. The weights are those that chords.pyx adds up; the bass is None in silence.
    """
    cdef const ChordWeights *c = &analyzer.work.chords.weights
    cdef int i, k
    return [
        (
            max(analyzer.work.bars.starts[i] >> SUBTICK_SHIFT, <int64_t>0),
            [min(c.weights[(k + 12 - analyzer.work.chords.base) % 12][i], <int32_t>FULL_WEIGHT) >> 2 for k in range(12)],
            c.lowest[i] % 12 if c.lowest[i] < 128 else None,
        )
        for i in range(analyzer.work.bars.beat_count)
    ]


def quarter_phase(Analyzer analyzer not None):
    """The phase of the quarter of the file analysed last, in 1/192 quarter: accuracy/phase.py compares it with annotations."""
    return analyzer.work.onsets.phase


def memory_of(Analyzer analyzer not None):
    """Bytes of all blocks that grow with a file."""
    return analyzer.work.scratch.bytes


def row_layouts():
    """Of a row of `analyses` and of one of `tracks`: (name, offset) of each field and the size, as the C compiler laid them out."""
    import numpy as np

    cdef Facts[1] row
    cdef Facts[::1] view = row
    cdef TrackFacts[1] track
    cdef TrackFacts[::1] track_view = track
    dtypes = [np.asarray(view).dtype, np.asarray(track_view).dtype]
    return [([(name, dtype.fields[name][1]) for name in dtype.names], dtype.itemsize) for dtype in dtypes]
