"""Database URLs: which database one names, and how it may be shown."""

from __future__ import annotations

import re

from midiopt.errors import SinkError


def is_postgres(url: str) -> bool:
    return url.startswith(("postgresql://", "postgres://"))


def sqlite_path(url: str) -> str:
    """The file that a URL of SQLite names; SinkError for one of another database."""
    scheme, colon, rest = url.partition("://")
    if colon and scheme == "sqlite" and rest[:1] == "/":
        return rest[1:]
    if colon:
        raise SinkError(f"{scheme}:// is not a database midiopt knows; use a path, sqlite:///path or postgresql://...")
    return url


def without_password(url: str) -> str:
    """A database URL that may be shown."""
    url = re.sub(r"(://[^/@]*?):[^/]*@", r"\1@", url)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", url)
