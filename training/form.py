"""How often the sections of a folk tune are its written ones: python -m training.form WHEEL

The costs of core/structure/bar_lags.pyx were chosen by this measure, on 320 of these tunes. The wheel is that of music21 (pip download
--no-deps music21). Its tunes are played with their repeats, and the parts between repeat signs are their sections, with an upbeat
before the first one; tunes of which no part is repeated have no known form and are left out.

*Form* means that all letters and lengths are as written. *Pairs* is the F measure of pairs of bars with the same letter (M. Levy and
M. Sandler, 2008). A tune whose parts end alike may be found in halves: `A4 B4 A4 B4 C4 B4 C4 B4` for `A8 A8 B8 B8`.
"""

from __future__ import annotations

import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

import midiopt
from accuracy import markdown
from training.folk_tunes import MIN_NOTES, Tune, parse_head, read_notes, texts, to_midi

MARK = re.compile(r"(::|:\|:|\|:|:\|+|\|\||\|\]|\[\d|\|\d)")
FOLDERS = ("airdsAirs", "oneills1850", "ryansMammoth")  # those with repeats
MIN_BARS, MAX_BARS = 8, 200

Part = tuple[int, str]  # its number, and its ABC


def played(body: str) -> list[Part]:
    """The parts of a body in the order in which they are played."""
    parts: list[Part] = []
    common, number = "", 0
    endings: list[str] = []

    def end(repeats: bool) -> None:
        nonlocal common, endings, number
        if re.search("[A-Ga-g]", common):
            passes = [common + ending for ending in endings] or [common] * (1 + repeats)
            parts.extend((number, text) for text in passes)
            number += 1
        common, endings = "", []

    for text in MARK.split(body):
        if re.fullmatch(r"[\[|]\d", text):
            endings.append("")
        elif text.startswith(":") and len(endings) == 1:
            continue  # the second ending follows
        elif MARK.fullmatch(text):
            end(repeats=text.startswith(":"))
        elif endings:
            endings[-1] += f"{text}|"
        else:
            common += f"{text}|"
    end(repeats=False)
    return parts


def read_parts(head: Tune, parts: list[Part], unit: Fraction) -> tuple[Tune, list[int], list[int]] | None:
    """The notes of all parts, their numbers, and the bar with which each begins, with that of the end; None where bars are not whole."""
    tune, text, edges, is_whole = head, "", [0], False
    for _, part in parts:
        text += part
        tune = replace(head, notes=[])
        is_whole = read_notes(tune, text, unit)
        edges.append(round((tune.end + tune.rest) / tune.bar))
    if edges[1] == 1 and len(parts) > 1:  # an upbeat
        return read_parts(head, [(parts[1][0], parts[0][1] + parts[1][1]), *parts[2:]], unit)
    is_usable = is_whole and MIN_BARS <= edges[-1] <= MAX_BARS and all(a < b for a, b in pairwise(edges))
    return (tune, [number for number, _ in parts], edges) if is_usable and len(tune.notes) >= MIN_NOTES else None


def per_bar(labels: list[int], edges: list[int]) -> list[int]:
    """The label of each bar."""
    return [label for (a, b), label in zip(pairwise(edges), labels, strict=True) for _ in range(a, b)]


def pair_measure(one: list[int], other: list[int]) -> float:
    """The F measure of the pairs of bars with the same label."""
    pairs = np.triu_indices(len(one), 1)
    first, second = (np.equal.outer(labels, labels)[pairs] for labels in (one, other))
    return float(2 * (first & second).sum() / max(first.sum() + second.sum(), 1))


def results(wheel: Path) -> Iterator[tuple[str, str, bool, float]]:
    """(written form, found form, whether that is sure, pairs) of each tune that has a form."""
    for _, text in texts(wheel, FOLDERS):
        head = parse_head(text)
        parts = played(head[1]) if head else []
        read = read_parts(head[0], parts, head[2]) if head and len({number for number, _ in parts}) < len(parts) else None
        if not read:
            continue
        tune, numbers, edges = read
        file = io.BytesIO()
        to_midi(tune).save(file=file)
        found = midiopt.sections(file.getvalue())
        if not len(found) or found.bar[-1] + found.bars[-1] != edges[-1]:
            continue  # the last part ends with a rest of bars
        letters = " ".join(f"{chr(ord('A') + number - numbers[0])}{b - a}" for (a, b), number in zip(pairwise(edges), numbers, strict=True))
        labels = per_bar([found.label.index(label) for label in found.label], [*found.bar.tolist(), edges[-1]])
        is_sure = midiopt.analyze(file.getvalue()).sections is not None
        yield letters, found.form, is_sure, pair_measure(per_bar(numbers, edges), labels)


def main(wheel: Path) -> None:
    """Print the shares, and the most common errors."""
    tunes = list(results(wheel))
    rows = []
    for name, some in (("all", tunes), ("sure", [tune for tune in tunes if tune[2]])):
        right = [written == found for written, found, _, _ in some]
        rows.append([name, len(some), float(np.mean(right)), float(np.mean([tune[3] for tune in some]))])
    print(markdown.table(["tunes", "number", "form", "pairs"], rows) + "\n")
    errors = Counter((written, found) for written, found, _, _ in tunes if written != found)
    print(markdown.table(["written", "found", "tunes"], [[written, found, n] for (written, found), n in errors.most_common(10)]))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
