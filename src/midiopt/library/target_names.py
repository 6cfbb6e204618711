"""Names of copied files: a template filled with the facts of a file, safe on every file system and never outside the folder."""

from __future__ import annotations

import datetime as dt
import os
import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

from midiopt.errors import QueryError
from midiopt.library.search import COLUMNS, Found
from midiopt.library.search_values import nearest
from midiopt.schema import MEMBER_SEPARATOR
from midiopt.sources.content import STANDARD_INPUT
from midiopt.sources.filetypes import SUFFIXES, without_compression

MAX_BYTES = 200  # of a component: most file systems take 255, of which a number and the suffix take some
UNKNOWN = "unknown"
_FORBIDDEN = re.compile(r'\\x[0-9a-f]{2}|[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)  # on Windows


class _Unknown:
    """A fact that a file does not have, in whatever format it is asked for."""

    def __format__(self, spec: str) -> str:
        return UNKNOWN


class _Safe(string.Formatter):
    """Formats facts without attributes or indexes, and no fact can add a folder."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The fact of this name."""
        if field_name not in kwargs:
            raise QueryError(f"there is no fact {{{field_name}}} for a name{nearest(field_name, kwargs)}")
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        """The fact as text in which nothing separates folders."""
        return _harmless(format(value, format_spec))


def check_template(template: str) -> None:
    """Raise QueryError unless the template can be filled with facts of their kinds."""
    values: dict[str, object] = {"str": "", "int": 1, "float": 1.0, "bool": True, "datetime": dt.datetime.min}
    facts = {column.name: values.get(column.kind.python, "") for column in COLUMNS} | {"issues": ""}  # by name, as in the facts
    try:
        _Safe().vformat(template, (), facts | dict.fromkeys(("meter", "name", "folder"), ""))
    except (ValueError, IndexError) as problem:
        raise problem if isinstance(problem, QueryError) else QueryError(f"the name {template!r} cannot be filled: {problem}") from None


def target_name(template: str, found: Found) -> list[str]:
    """The folders and the name below the folder of copies, without a number and without the suffix, which comes last."""
    stem, suffix = stem_and_suffix(found.path)
    folder = found.path.replace(MEMBER_SEPARATOR, "/").rpartition("/")[0].rpartition("/")[2]
    facts = found.facts() | {"meter": found.meter, "name": stem, "folder": folder}
    facts |= {name: " ".join(map(str, value)) for name, value in facts.items() if isinstance(value, list)}
    facts |= {name: value.hex() for name, value in facts.items() if isinstance(value, bytes)}
    facts["title"] = found.title or stem
    filled = {name: _Unknown() if value is None or value == "" else value for name, value in facts.items()}
    text = _Safe().vformat(template, (), filled)
    parts = [component(part) for part in text.split("/") if part.strip(" .")] or [UNKNOWN]
    return [*parts, suffix]


def numbered(name: str, suffix: str, number: int) -> str:
    """The name of the file, with a number from the second one on."""
    return f"{name} ({number}){suffix}" if number > 1 else name + suffix


def component(text: str) -> str:
    """The text as the name of a file or folder."""
    text = _harmless(text).strip(" ").rstrip(" .").lstrip(" ")
    text = text.encode()[:MAX_BYTES].decode(errors="ignore").rstrip(" .")
    if _RESERVED.fullmatch(text) or text.startswith("."):
        text = "_" + text
    return text or UNKNOWN


def _harmless(text: str) -> str:
    """The text with _ for what separates folders, and for each character that is not printable and no space."""
    text = _FORBIDDEN.sub("_", text)
    return text if text.isprintable() else "".join(c if c.isprintable() or c.isspace() else "_" for c in text)


def file_name(argument: str) -> str:
    """The name of a file that a user names, also of one from a pipe."""
    return "standard input.mid" if argument == STANDARD_INPUT else argument


def stem_and_suffix(path: str) -> tuple[str, str]:
    """Of a file or member: its name without the suffixes of compression and of MIDI files, and the latter."""
    name = path.replace(MEMBER_SEPARATOR, "/").rpartition("/")[2]
    stem, suffix = os.path.splitext(without_compression(name))
    if suffix.lower().encode(errors="replace") in SUFFIXES:
        return stem, suffix
    return name, ".mid"
