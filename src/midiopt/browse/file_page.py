"""What the page of one file shows."""

from __future__ import annotations

from dataclasses import dataclass

from midiopt.display.fact_sections import sections
from midiopt.display.fact_values import Fact
from midiopt.library.one_file import OtherFile, StoredFile, same_bytes, same_notes
from midiopt.library.snapshot import Snapshot
from midiopt.schema import ANALYSES, REPAIRS, STATUS_MEANINGS, UNUSUAL, issue_names

MAX_OTHERS = 20  # files of a list


@dataclass(frozen=True)
class ShownFact:
    """A fact with its meaning."""

    fact: Fact
    meaning: str


@dataclass(frozen=True)
class Issue:
    """Something that was repaired, or is unusual."""

    name: str
    meaning: str
    is_repair: bool


@dataclass(frozen=True)
class Others:
    """Some of the files that belong to one, and whether there are more."""

    files: list[OtherFile]
    has_more: bool


def context(library: Snapshot, file: StoredFile) -> dict[str, object]:
    """The values of the template."""
    return {
        "file": file,
        "facts": file.facts,
        "status_meaning": STATUS_MEANINGS[file.status].replace("`", ""),
        "issues": _issues(file),
        "sections": _sections(file),
        "copies": _first(same_bytes(library, file, MAX_OTHERS + 1)),
        "same_notes": _first(same_notes(library, file, MAX_OTHERS + 1)),
        "can_play": file.facts is not None and file.facts.note_count > 0,
    }


def _issues(file: StoredFile) -> list[Issue]:
    if file.facts is None:
        return []
    meanings = REPAIRS | UNUSUAL
    return [Issue(name, meanings[name], name in REPAIRS) for name in issue_names(file.facts.issues)]


def _sections(file: StoredFile) -> list[tuple[str, list[ShownFact]]]:
    """The facts of the terminal, with their meanings; the title and the status stand elsewhere."""
    if file.facts is None:
        return []
    return [
        (title, [ShownFact(fact, ANALYSES[fact.name].description if fact.name else "") for fact in facts if fact.name != "status"])
        for title, facts in sections(file.facts)
    ]


def _first(found: list[OtherFile]) -> Others:
    return Others(found[:MAX_OTHERS], len(found) > MAX_OTHERS)
