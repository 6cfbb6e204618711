"""What the page of one file shows."""

from __future__ import annotations

from dataclasses import dataclass

from midiopt.display.fact_sections import sections
from midiopt.display.fact_values import Fact
from midiopt.errors import SourceError
from midiopt.library.one_file import StoredFile, same_bytes, same_notes
from midiopt.library.similar import Similar, similar
from midiopt.library.snapshot import Snapshot
from midiopt.schema import ANALYSES, REPAIRS, STATUS_MEANINGS, UNUSUAL, issue_names

MAX_OTHERS = 20  # files of a list
MAX_SIMILAR = 100  # that are looked at: copies and the like are among them


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
class RelatedFile:
    """A file that belongs to the one that is shown."""

    path: str
    title: str | None
    remark: str = ""
    is_missing: bool = False


@dataclass(frozen=True)
class Group:
    """Some of the files that belong to one in the same way, and the search that finds all of them, if one does."""

    heading: str
    meaning: str
    files: list[RelatedFile]
    has_more: bool
    query: str = ""


def context(library: Snapshot, file: StoredFile) -> dict[str, object]:
    """The values of the template."""
    return {
        "file": file,
        "facts": file.facts,
        "status_meaning": STATUS_MEANINGS[file.status].replace("`", ""),
        "members": f'"{file.path}"' if file.status == "opened" and '"' not in file.path else "",  # the search that finds them
        "issues": _issues(file),
        "sections": _sections(file),
        "groups": _shown(_copies(library, file)),
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


def similar_groups(library: Snapshot, file: StoredFile) -> list[Group]:
    """What has much or some of the same music, copies aside: where very many files do, to find them takes seconds."""
    like = [other for other in _similar(library, file) if not {"same bytes", "same notes"}.intersection(other.differs)]
    near, further = (
        [RelatedFile(other.path, other.title, _remark(other)) for other in like if other.is_near is is_near] for is_near in (True, False)
    )
    query = f'like:"{file.path}"' if like and '"' not in file.path else ""
    return _shown(
        [
            _group("Near-duplicates", "nearly the same music", near, "" if further else query),
            _group("Similar files", "some of the same music", further, query),
        ]
    )


def _copies(library: Snapshot, file: StoredFile) -> list[Group]:
    """What has the same bytes, and the same notes."""
    copies = [RelatedFile(other.path, other.title, is_missing=other.is_missing) for other in same_bytes(library, file, MAX_OTHERS + 1)]
    same = [RelatedFile(other.path, other.title, is_missing=other.is_missing) for other in same_notes(library, file, MAX_OTHERS + 1)]
    return [_group("Copies", "the same bytes", copies), _group("Same notes", "the same music, saved differently", same)]


def _shown(groups: list[Group]) -> list[Group]:
    return [group for group in groups if group.files]


def _group(heading: str, meaning: str, files: list[RelatedFile], query: str = "") -> Group:
    return Group(heading, meaning, files[:MAX_OTHERS], len(files) > MAX_OTHERS, query)


def _similar(library: Snapshot, file: StoredFile) -> list[Similar]:
    """None where there are too few notes to compare."""
    if file.facts is None:
        return []
    try:
        return similar(library, file.path, MAX_SIMILAR)
    except SourceError:
        return []


def _remark(other: Similar) -> str:
    return ", ".join((f"{other.score:.0%} alike", *other.differs))
