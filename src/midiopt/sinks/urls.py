"""Database URLs: which database one names, and how to show it."""

from __future__ import annotations

import re

from midiopt.errors import SinkError


def is_postgres(url: str) -> bool:
    """Whether the URL names a PostgreSQL database; all others name an SQLite file."""
    return url.startswith(("postgresql://", "postgres://"))


def sqlite_path(url: str) -> str:
    """The file that a path or an SQLite URL names. Raises SinkError for a URL of another database."""
    scheme, colon, rest = url.partition("://")
    if colon and scheme == "sqlite" and rest[:1] == "/":
        return rest[1:]
    if colon:
        raise SinkError(f"unknown database URL {scheme}://; use a path, sqlite:///path or postgresql://...")
    return url


def without_password(url: str) -> str:
    """The URL with any password removed or replaced by ***."""
    url = re.sub(r"(://[^/@]*?):[^/]*@", r"\1@", url)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", url)
