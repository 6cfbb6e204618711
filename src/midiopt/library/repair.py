"""Repairing files: what midiopt reads of a damaged one, written anew as docs/policy.md says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from midiopt.api.one_file import analyze, parse
from midiopt.schema import ALL_REPAIRS, ISSUE_BITS, UNUSUAL, issue_names

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

MENDED = ALL_REPAIRS | ISSUE_BITS["running_status_crossed"]  # issues of files that are written anew
LEFT_OUT = ("rmid", "trailing_bytes", "joined_songs")  # beside


@dataclass(frozen=True, slots=True)
class Repaired:
    """A file as it is written anew."""

    data: bytes
    mended: list[str]
    """Names of the issues that the new file no longer has."""
    left: list[str]
    """Names of those that it still has, since no file can be without them."""
    sentence: str
    """What was mended and what is left out, for people."""

    @property
    def suffix(self) -> str | None:
        """The suffix of the new file where it has another format."""
        return ".mid" if "rmid" in self.mended else None


def repair(content: Buffer) -> Repaired | None:
    """The repaired file; None if there is nothing to mend. Raises MidiError for unusable content."""
    data = bytes(memoryview(content))
    facts = analyze(data)
    if facts.issues & MENDED == 0:
        return None
    written = parse(data).to_bytes()
    left = parse(written).issues & MENDED
    gone = facts.issues & ~left
    mended = issue_names(gone & MENDED) + [name for name in LEFT_OUT if gone & ISSUE_BITS[name]]
    crossed = [UNUSUAL["running_status_crossed"]] if gone & ISSUE_BITS["running_status_crossed"] else []
    left_out = [f"left out: {UNUSUAL[name]}" for name in LEFT_OUT if gone & ISSUE_BITS[name]]
    return Repaired(written, mended, issue_names(left), "; ".join([*filter(None, [facts.error]), *crossed, *left_out]))
