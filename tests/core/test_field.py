"""Songs as the field has them, beside the corpus of real files: each has the facts that its table says are right."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import midiopt
from accuracy.corpus import CORPUS

FIELD = CORPUS.parent / "field"
VALUE = r'(\w+) (\[.*?\]|"(?:[^"\\]|\\.)*"|-?[\d.]+|null)(?:,|$)'  # name and JSON value
TOLERANCE = 0.006  # the table has two or three digits behind the point


def songs() -> list[tuple[str, str]]:
    """(file, what is right) of each song in the tables; none where they are absent."""
    table = FIELD / "README.md"
    lines = table.read_text().splitlines() if table.exists() else []
    rows = [re.match(r"\| `?([^|`]+\.(?:mid|rmi))`? \| (.*?) \|", line, re.IGNORECASE) for line in lines]
    return [(row[1], row[2]) for row in rows if row]


def place(name: str) -> Path:
    """A file named after the corpus, or one beside the table."""
    return CORPUS / name.removeprefix("corpus/") if name.startswith("corpus/") else FIELD / name


@pytest.mark.skipif(not songs(), reason="the files of the field are absent")
@pytest.mark.parametrize(("name", "right"), songs() or [("", "")])
def test_right_values(name, right):
    facts = midiopt.analyze(place(name))
    values = {fact: json.loads(value) for fact, value in re.findall(VALUE, right)}
    assert values or right.startswith("no ")
    for fact, value in values.items():
        found = getattr(facts, fact)
        assert found == (pytest.approx(value, abs=TOLERANCE) if isinstance(value, float) else value), fact
    if right.startswith("no "):  # issues
        assert not set(facts.issue_names) & set(re.findall(r"\w+", right[3:]))
