"""The twin of bars, chords, drums, loops and the role: plain Python, exact integers, from the definitions alone.

A unit is 1/64 of a tick: every bar and half bar is a whole number of units, whatever the signature and division.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import groupby, islice, pairwise

import numpy as np

UNIT = 64
MOST_FRAMES, MOST_SPANS, MOST_BARS = 4096, 1024, 4096
LONGEST_NOTE = 64  # frames in which a note is heard after the one it begins in
MAJORS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINORS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
QUALITIES = (("", 4, 7), ("m", 3, 7), ("dim", 3, 6), ("aug", 4, 8), ("sus4", 5, 7), ("sus2", 2, 7))
COMMON = ("", "m")
MOST_WEIGHT = 1 << 20
PHASE = 0.37123456789  # of a weight, added before it is cut
LOOP_BARS = (2, 4, 8, 12)
LOOPS = (1, 2, 4, 8, 12, 16)
KICKS, SNARES = {35, 36}, {37, 38, 39, 40}
COLUMNS = (
    *("chord_progression", "chord_changes_per_bar", "harmonic_rhythm", "drum_density", "drum_pattern"),
    *("bar_count", "is_loop", "loop_bars"),
)


@dataclass(frozen=True)
class Span:
    """Bars under one signature."""

    start: int  # units
    end: float  # units; the last ends never
    numerator: int
    bar: int  # units
    halves: int  # frames in a bar: 2 where half a bar is a dotted quarter or more

    @property
    def frame(self) -> int:
        return self.bar // self.halves


def spans_of(signatures: list[tuple[int, int, int]], quarter: int) -> list[Span]:
    """From (tick, numerator, denominator) in order, each a real change; 4/4 until the first."""
    if not signatures or signatures[0][0] > 0:
        signatures = [(0, 4, 4), *signatures]
    signatures = signatures[:MOST_SPANS]
    ends = [UNIT * tick for tick, _, _ in signatures[1:]] + [math.inf]
    spans = []
    for (tick, numerator, denominator), end in zip(signatures, ends, strict=True):
        bar = 4 * UNIT * quarter * numerator // denominator
        spans.append(Span(UNIT * tick, end, numerator, bar, 2 if numerator % 2 == 0 and bar >= 3 * UNIT * quarter else 1))
    return spans


class Frames:
    """Half bars, or bars where those are not halved, of `bars[i]` bars under each span."""

    def __init__(self, spans: list[Span], bars: list[int]) -> None:
        every = (
            (start, span)
            for span, n in zip(spans, bars, strict=True)
            for start in range(span.start, min(span.end, span.start + n * span.bar), span.frame)
        )
        laid = list(islice(every, MOST_FRAMES))
        self.starts = [start for start, _ in laid]
        self.spans = [span for _, span in laid]
        self.ends = self.starts[1:] + [start + span.frame for start, span in laid[-1:]]
        laid_under = Counter(self.spans)
        self.main = max(spans, key=lambda span: laid_under[span])  # the first, on a tie


# --- chords ------------------------------------------------------------------------------------


def weigh(frames: Frames, notes: list, key: int) -> tuple[list[list[int]], list[int]]:
    """How long each pitch class sounds in each frame, in 1/4096 of a usual one, and the lowest pitch
    that sounds for a third of it, 128 for none. Classes and pitches are counted from the class `key`."""
    weights = [[0] * 12 for _ in frames.starts]
    lowest = [128] * len(weights)
    scale = 4096 / frames.main.frame
    for note in notes:
        on, off = UNIT * note.onset, UNIT * note.end
        first = bisect_right(frames.starts, on) - 1
        for f in range(first, min(first + LONGEST_NOTE + 1, len(weights))):
            heard = min(off, frames.ends[f]) - max(on, frames.starts[f])
            if (f > first and heard <= 0) or on >= frames.ends[f]:
                break
            pc = (note.pitch - key) % 12
            weights[f][pc] = min(weights[f][pc] + int(heard * scale + PHASE), MOST_WEIGHT)
            if 3 * heard >= frames.ends[f] - frames.starts[f]:
                lowest[f] = min(lowest[f], note.pitch - key)
    return weights, lowest


def scores(weights: list[int], bass: int | None) -> list[int]:
    """By quality, then root: the three classes, a sixteenth of all for the bass, a quarter of the seventh, or an eighth of
    all off for what is rare."""
    total = sum(weights)

    def score(quality: str, third: int, fifth: int, root: int) -> int:
        minor, major = weights[(root + 10) % 12], weights[(root + 11) % 12]
        seventh = {"": max(minor, major), "m": minor}.get(quality, 0)
        triad = weights[root] + weights[(root + third) % 12] + weights[(root + fifth) % 12]
        return triad + total // 16 * (root == bass) + seventh // 4 - (0 if quality in COMMON else total // 8)

    return [score(*quality, root) for quality in QUALITIES for root in range(12)]


def chords_of(weights: list[list[int]], lowest: list[int]) -> list[int | None]:
    """A chord for each frame (quality * 12 + root); None before the first."""
    chords: list[int | None] = []
    now = None
    for w, low in zip(weights, lowest, strict=True):
        if sum(x > 0 for x in w) >= 2:
            found = scores(w, low % 12 if low < 128 else None)
            if now is None or found[now] < max(found) - sum(w) // 16:
                now = found.index(max(found))
        chords.append(now)
    return chords


def chord_name(chord: int, key: int) -> str:
    quality, third, _ = QUALITIES[chord // 12]
    return (MINORS if third == 3 else MAJORS)[(chord + key) % 12] + quality


def text_of(window: list[int | None], key: int) -> str:
    """The shortest loop that makes up the window, without repeats."""
    n = len(window)
    period = next(p for p in range(1, n + 1) if n % p == 0 and window[:p] * (n // p) == window)
    return " ".join(chord_name(c, key) for c, _ in groupby(window[:period]) if c is not None)


def loop_of(chords: list[int | None], bar: int, key: int) -> str:
    """The most common loop; `bar` is frames a bar."""
    first = chords.count(None)
    heard = len(chords) - first
    best, answer = 0, chords[first : first + 8 * bar]
    for bars in LOOP_BARS:
        length = bars * bar
        count: Counter[tuple] = Counter()
        free: dict[tuple, int] = {}
        for start in range(0, len(chords) - length + 1, bar):
            window = tuple(chords[start : start + length])
            if start >= first and len(set(window)) > 1 and start >= free.get(window, 0):
                count[window] += 1
                free[window] = start + length
        for window, times in count.items():  # in the order they came
            if times > 1 and times * length > best:
                best, answer = times * length, list(window)
    if heard <= 8 * bar and heard > best:
        answer = chords[first:]
    return text_of(answer, key)


def chord_facts(sequence, spans: list[Span], frames: Frames, quarter: int) -> dict[str, object]:
    if sequence.polyphony()[0] < 2:
        return {}
    key = min(note.pitch for note in sequence.pitched) % 12  # so that a tie is one in every transposition
    chords = chords_of(*weigh(frames, sequence.pitched, key))
    heard = [(chord, span) for chord, span in zip(chords, frames.spans, strict=True) if chord is not None]
    if not heard:
        return {}
    changes = sum(a != b for (a, _), (b, _) in pairwise(heard))
    held = sorted(min(len(list(run)), LONGEST_NOTE) for _, run in groupby(chord for chord, _ in heard))
    median = next(length for length in held if 2 * sum(h for h in held if h <= length) >= sum(held))
    return {
        "chord_progression": loop_of(chords, frames.main.halves, key),
        "chord_changes_per_bar": changes / sum(1 / span.halves for _, span in heard),
        "harmonic_rhythm": median * frames.main.frame / (UNIT * quarter),
    }


# --- drums -------------------------------------------------------------------------------------


def pattern(kick: Counter, snare: Counter, every: Counter, measures: int) -> str:
    """From hits by step, 12 a beat; see core/structure/drums.pyx for the definitions in words."""

    def on_beat(hits: Counter, number: int) -> float:
        """Share of the measures that have a hit on a beat, to within a step."""
        at = 12 * (number - 1)
        return min(hits[(at - 1) % 48] + hits[at] + hits[at + 1], measures) / measures

    def at(hits: Counter, *steps: int) -> int:
        return sum(hits[12 * beat + step] for beat in range(4) for step in steps)

    kicks = {number: on_beat(kick, number) for number in (1, 2, 3, 4)}
    snares = {number: on_beat(snare, number) for number in (1, 2, 3, 4)}
    swung, second, straight = at(every, 7, 8), at(every, 4), at(every, 3, 5, 6, 9)
    if min(kicks.values()) >= 0.75:
        return "four on the floor"
    if swung >= 2 * measures and swung >= 2 * straight and swung >= 2 * second:
        return "shuffle"
    if kicks[1] >= 0.5 and snares[3] >= 0.6 and max(snares[2], snares[4]) <= 0.2:
        return "half time"
    if max(snares[2], snares[4]) >= 0.5 and kicks[3] < 0.5 and at(kick + snare, 2, 3, 4, 8, 9, 10) >= measures:
        return "breakbeat"
    if kicks[1] >= 0.5 and min(snares[2], snares[4]) >= 0.6:
        return "rock backbeat"
    return "none"


def drum_facts(sequence, span: Span, end: int) -> dict[str, object]:
    together = 2 if span.numerator in (2, 6) else 1  # bars in a measure
    per_unit = 48 / (span.bar * together)
    last = min((min(span.end, end) - span.start) // span.bar + 2, MOST_BARS)
    hits = []
    for note in sequence.notes:
        if not note.pitched and span.start <= UNIT * note.onset < span.end:
            step = math.floor((UNIT * note.onset - span.start) * per_unit + 0.5)
            if step * together // 48 < last:
                hits.append((step, note.pitch))
    if not hits:
        return {}
    facts: dict[str, object] = {"drum_density": len(hits) / len({step * together // 48 for step, _ in hits}), "drum_pattern": "none"}
    kick, snare, every = (
        Counter(step % 48 for step, pitch in hits if pitches is None or pitch in pitches) for pitches in (KICKS, SNARES, None)
    )
    measures = len({step // 48 for step, pitch in hits if pitch in KICKS | SNARES})
    if measures and span.numerator in (2, 4, 6, 8, 12, 16):
        facts["drum_pattern"] = pattern(kick, snare, every, measures)
    return facts


# --- bars, loops, roles ------------------------------------------------------------------------


def bars_of(spans: list[Span], end: int) -> list[int]:
    """Bars that have begun before `end`, of each span; the very first always has."""
    begun = [max(0, -((span.start - min(span.end, end)) // span.bar)) for span in spans]
    return [max(1, begun[0]), *begun[1:]]


def loop_facts(sequence, spans: list[Span], bars: int, quarter: int) -> dict[str, object]:
    no = {"is_loop": False, "loop_bars": None}
    bar = spans[0].bar
    if len(spans) > 1 or bars > 64 or UNIT * sequence.duration > bars * bar + UNIT * quarter // 8:
        return no
    contents: list[Counter] = [Counter() for _ in range(bars)]
    for note in sequence.notes:
        on = 3 * UNIT * note.onset + 4 * quarter  # thirds of a unit; 1/24 quarter is 8 * quarter of them
        if on // (3 * bar) >= bars:
            return no
        contents[on // (3 * bar)][on % (3 * bar) // (8 * quarter), note.pitch, note.pitched] += 1
    if not contents[0] or not contents[-1]:
        return no
    for length in LOOPS:
        if bars % length == 0 and all(a == b for a, b in zip(contents, contents[length:], strict=False)):
            return {"is_loop": True, "loop_bars": length}
    return no


def role(sequences: list, quarter: float, polyphony: float) -> str | None:
    """`sequences` are those of the file, of which the first with notes says what is struck together."""
    notes = [n for s in sequences for n in s.notes]
    pitched = [n for s in sequences for n in s.pitched]
    if not notes:
        return None
    if 10 * len(pitched) <= len(notes):
        return "drums"
    if 10 * len(pitched) <= 9 * len(notes):
        return "full"
    one_at_a_time = np.float32(polyphony) <= 1.25
    if all(32 <= n.program <= 39 for n in pitched) or (one_at_a_time and sum(n.pitch for n in pitched) < 50 * len(pitched)):
        return "bass"
    if one_at_a_time:
        return "melody"
    onsets = sorted(n.onset for n in next(s for s in sequences if s.notes).pitched)
    together = sum(b - a <= int(quarter) // 16 for a, b in pairwise(onsets))
    span = max(n.pitch for n in pitched) - min(n.pitch for n in pitched)
    return "chords" if 2 * together >= len(pitched) and span <= 36 else "full"


def form_facts(sequences: list, quarter: int | None) -> dict[str, object]:
    """Everything but the role, of the first sequence that has notes; nothing under an SMPTE division."""
    none = dict.fromkeys(COLUMNS)
    sequence = next((s for s in sequences if s.notes), None)
    if sequence is None or quarter is None:
        return none
    spans = spans_of(sequence.signatures(), quarter)
    end = UNIT * sequence.horizon
    by_span = bars_of(spans, end - UNIT * quarter // 8)  # a note that rings on so little opens no further bar
    frames = Frames(spans, by_span)
    bars = min(sum(by_span), 2**31 - 1)
    return {
        **none,
        **chord_facts(sequence, spans, frames, quarter),
        **drum_facts(sequence, frames.main, end),
        "bar_count": bars,
        **loop_facts(sequence, spans, bars, quarter),
    }
