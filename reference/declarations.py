"""Tempo, time signature and key as the file declares them, from the first sequence that declares any."""

from __future__ import annotations

import math
from collections import Counter
from itertools import accumulate, pairwise

from reference.sequence import Facts, Sequence, is_valid_time_signature, last_at_each_tick

BPM_TOLERANCE = 0.04  # a segment this close to `bpm` counts as the same tempo


def bpm_from_tempo(tempo: int) -> float:
    """BPM of microseconds per quarter: the integer when the tempo is within a microsecond of it, otherwise the exact quotient."""
    exact = 60e6 / tempo
    integer = math.floor(exact + 0.5)
    return float(integer) if abs(tempo - 60e6 / integer) <= 1 else exact


def weighted_lower_median(weighted: list[tuple[float, int]]) -> float:
    """Of (value, weight) the smallest value that reaches half of the total weight with all below it."""
    weighted = sorted(weighted)
    cumulative = list(accumulate(weight for _, weight in weighted))
    return next(value for (value, _), weight in zip(weighted, cumulative, strict=True) if weight * 2 >= cumulative[-1])


def tempo_facts(sequences: list[Sequence]) -> Facts:
    """The bpm columns from the tempo map, up to the end of the last note.

    `bpm` is the median weighted by ticks, `bpm_mean` the mean over time, `bpm_confidence` the share of time within 4 % of
    `bpm`.
    """
    names = ("bpm", "bpm_mean", "bpm_min", "bpm_max")
    facts: Facts = {**dict.fromkeys(names), "bpm_source": "none", "bpm_confidence": 0.0, "tempo_changes": 0}
    sequence = next((s for s in sequences if s.tempos), None)
    if sequence is None:
        return facts
    segments, end_of_music = sequence.tempo_map.segments, sequence.music_end
    facts["bpm_source"] = "tempo_map"
    facts["tempo_changes"] = sum(before != after for (_, before), (_, after) in pairwise(segments))
    if end_of_music == 0:
        return facts | dict.fromkeys(names, bpm_from_tempo(segments[0][1])) | {"bpm_confidence": 1.0}
    ends = [*(start for start, _ in segments[1:]), end_of_music]
    spans = [  # (bpm, ticks, units) of each segment before the end of the music
        (bpm_from_tempo(tempo), min(end, end_of_music) - start, (min(end, end_of_music) - start) * tempo)
        for (start, tempo), end in zip(segments, ends, strict=True)
        if start < end_of_music
    ]
    bpm = weighted_lower_median([(span_bpm, ticks) for span_bpm, ticks, _ in spans])
    units = sequence.tempo_map.units(end_of_music)
    lowest, highest = min(spans)[0], max(spans)[0]
    return facts | {
        "bpm": bpm,
        "bpm_min": lowest,
        "bpm_max": highest,
        "bpm_mean": lowest if lowest == highest else 60e6 * end_of_music / units,
        "bpm_confidence": sum(span for span_bpm, _, span in spans if abs(span_bpm / bpm - 1) <= BPM_TOLERANCE) / units,
    }


def time_signature_facts(sequences: list[Sequence]) -> Facts:
    """The time signature in force for the most ticks (the first to occur, on a tie), and the number of changes."""
    for s in sequences:
        declared = [
            (tick, f"{m.numerator}/{m.denominator}") for tick, _, m in s.events if m.type == "time_signature" and is_valid_time_signature(m)
        ]
        if declared:
            spans = last_at_each_tick(declared)
            ticks: Counter[str] = Counter()
            for (start, signature), (end, _) in pairwise([*spans, (s.duration, "")]):
                ticks[signature] += end - start
            longest = max(ticks, key=lambda signature: ticks[signature])
            return {"time_signature": longest, "time_signature_changes": sum(a != b for (_, a), (_, b) in pairwise(spans))}
    return {"time_signature": None, "time_signature_changes": 0}


def declared_key(sequences: list[Sequence]) -> str | None:
    """The first key signature; of several at its tick the last."""
    for s in sequences:
        keys: list[tuple[int, str]] = last_at_each_tick((tick, m.key) for tick, _, m in s.events if m.type == "key_signature")
        if keys:
            return keys[0][1]
    return None
