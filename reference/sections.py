"""Sections: which bars repeat which, from the definition in docs/accuracy-methods.md.

The bars are described at least cost, from the first to the last: a new bar costs NEW, a copy of the bar `lag` bars before costs
more the less they are alike, and going on with another lag costs CHANGE, and more between fours and eights of bars. Costs are
integers, so that the kernel agrees.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from reference.bar_grid import SUBTICKS, Span, bars_before
from reference.sequence import Sequence

MIN_BARS, MAX_BARS = 8, 512
MIN_LAG, LAG_STEP, MIN_STEP, MAX_SAMPLE, MAX_LAGS = 4, 2, 3, 32, 7
MIN_SECTION = 3
NEW, UNLIKE, COPY, OFF_FOUR, OFF_EIGHT, UNUSUAL = 256, 768, 384, 1024, 256, 512
MULTIPLIER = 0x9E3779B1
MAX_NAMED, MAX_SECTIONS = 26, 64

Ints = npt.NDArray[np.int64]
Section = tuple[int, int, int]  # first bar, end, label


def bar_bits(sequence: Sequence, spans: list[Span], bars: list[int], quarter: int) -> list[int]:
    """A set of 128 bits for each bar: a bit per position (to a sixteenth) and pitch of the notes that begin in it, without drums
    where there are other notes. Bars of rests have one bit, so that they are like each other."""
    bits = [0] * sum(bars)
    for note in sequence.pitched or sequence.notes:
        onset = SUBTICKS * note.onset + SUBTICKS * quarter // 8
        i = max(i for i, span in enumerate(spans) if span.start <= onset)
        bar = sum(bars[:i]) + min((onset - spans[i].start) // spans[i].bar, bars[i] - 1)
        position = (onset - spans[i].start) % spans[i].bar // (SUBTICKS * quarter // 4)
        sound = note.pitch << 1 | (not note.pitched)
        bits[bar] |= 1 << ((position << 8 | sound) * MULTIPLIER % 2**32 >> 25)
    return [of_bar or 1 for of_bar in bits]


def copy_costs(bits: list[int], lag: int) -> Ints:
    """The cost of each bar as a copy of the one `lag` bars before; the first `lag` bars cannot be copies."""
    costs = [2**24] * lag
    for i in range(lag, len(bits)):
        either = (bits[i] | bits[i - lag]).bit_count()
        unlike = (bits[i] ^ bits[i - lag]).bit_count()
        costs.append(int(np.float32(UNLIKE * unlike) / np.float32(either)))
    return np.array(costs)


def useful_lags(bits: list[int]) -> tuple[list[int], list[Ints]]:
    """The lags at which the most bars are cheaper as copies, with the costs of all bars."""
    costs = {lag: copy_costs(bits, lag) for lag in range(MIN_LAG, len(bits), LAG_STEP)}
    alike = {lag: int((cost[lag :: max(len(bits) // MAX_SAMPLE, MIN_STEP)] < NEW).sum()) for lag, cost in costs.items()}
    lags = sorted(lag for lag in costs if alike[lag])
    lags = sorted(sorted(lags, key=lambda lag: -alike[lag])[:MAX_LAGS])
    return lags, [costs[lag] for lag in lags]


def cheapest(costs: Ints, eighth: int) -> tuple[int, list[int]]:
    """The least cost, and which row of `costs` (lags; the first is that of new bars) each bar then has.

    Eights of bars begin with bar `eighth` and every eight bars before and after.
    """
    rows, bars = costs.shape
    total = costs[:, 0].copy()
    stays = np.ones((bars, rows), bool)
    before = [0] * bars
    for i in range(1, bars):
        best = int(total.argmin())
        change = 0 if (i - eighth) % 8 == 0 else OFF_EIGHT if (i - eighth) % 4 == 0 else OFF_FOUR
        changed = total[best] + change + np.where(np.arange(rows) > 0, COPY, 0)
        stays[i] = total <= changed
        total = np.minimum(total, changed) + costs[:, i]
        before[i] = best
    row = int(total.argmin())
    least = int(total[row])
    path = [row]
    for i in range(bars - 1, 0, -1):
        row = row if stays[i, row] else before[i]
        path.append(row)
    return least, path[::-1]


def lags_of(bits: list[int]) -> list[int]:
    """The lag with which each bar is copied, 0 for new ones, in the cheapest of all descriptions."""
    lags, costs = useful_lags(bits)
    table = np.array([np.full(len(bits), NEW), *costs])
    table[1:, 0] = 2**24
    first = int(2 * bits[0].bit_count() <= bits[1].bit_count())  # 1 after an upbeat
    found = [(cheapest(table, eighth), UNUSUAL * (eighth != first)) for eighth in range(8)]
    (_, path), _ = min(found, key=lambda one: one[0][0] + one[1])
    return [[0, *lags][row] for row in path]


def cut(lags: list[int]) -> list[bool]:
    """Where sections begin: where the lag changes, and, of copies and what they copy, where the other one is cut, unless that is
    within a bar of another cut. The last item is the end."""
    bars = len(lags)
    cuts = [i in (0, bars) or lags[i] != lags[i - 1] for i in range(bars + 1)]

    def add(i: int) -> bool:
        if any(cuts[max(i - MIN_SECTION + 1, 0) : i + MIN_SECTION]):
            return False
        cuts[i] = True
        return True

    changed = True
    while changed:
        changed = False
        for i, lag in enumerate(lags):
            if lag:
                if cuts[i]:
                    changed |= add(i - lag)
                elif cuts[i - lag]:
                    changed |= add(i)
                if cuts[i + 1]:
                    changed |= add(i + 1 - lag)
    return cuts


def labelled(lags: list[int], cuts: list[bool]) -> list[Section]:
    """Sections with labels: that which most bars of a section copy, else a new one."""
    edges = [i for i, is_cut in enumerate(cuts) if is_cut]
    of_bar: list[int] = []
    sections: list[Section] = []
    for start, end in pairwise(edges):
        copied: list[int] = []
        label = len({label for _, _, label in sections})
        for i in range(start, end):
            if lags[i] and i - lags[i] < start:
                copied.append(of_bar[i - lags[i]])
        for candidate in sorted(set(copied)):
            if 2 * copied.count(candidate) > end - start:
                label = candidate
        of_bar += [label] * (end - start)
        sections.append((start, end, label))
    return sections


def joined(sections: list[Section]) -> list[Section]:
    """Sections that always follow each other become one; labels are numbered again, in the order of their first sections."""
    found = True
    while found:
        labels = [label for _, _, label in sections]
        after: dict[int, set[int]] = {}
        before: dict[int, set[int]] = {}
        for one, other in zip([-1, *labels], [*labels, -1], strict=True):
            after.setdefault(one, set()).add(other)
            before.setdefault(other, set()).add(one)
        found = False
        for one in labels:
            other = min(after[one])
            if other not in (-1, one) and after[one] == {other} and before[other] == {one}:
                found = True
                ends = {start: end for start, end, label in sections if label == other}
                sections = [(start, ends.get(end, end), label) for start, end, label in sections if label != other]
                break
    names: dict[int, int] = {}
    return [(start, end, names.setdefault(label, len(names))) for start, end, label in sections]


def find_sections(bits: list[int]) -> list[Section]:
    """The sections of bars that have these notes."""
    lags = lags_of(bits)
    return joined(labelled(lags, cut(lags)))


def sections_of(sequence: Sequence, spans: list[Span], quarter: int) -> list[Section]:
    """The sections of a sequence; none of fewer than 8 or more than 512 bars."""
    bars = bars_before(spans, SUBTICKS * sequence.music_end - SUBTICKS * quarter // 8)
    if not MIN_BARS <= sum(bars) <= MAX_BARS:
        return []
    return find_sections(bar_bits(sequence, spans, bars, quarter))


def form_text(sections: list[Section]) -> str | None:
    """The form as the column `sections` has it: None where less than half of the bars repeat."""
    times = Counter(label for _, _, label in sections)
    repeated = sum(end - start for start, end, label in sections if times[label] > 1)
    if not 2 <= len(sections) <= MAX_SECTIONS or len(times) > MAX_NAMED or 2 * repeated < sections[-1][1]:
        return None
    return " ".join(f"{chr(ord('A') + label)}{end - start}" for start, end, label in sections)
