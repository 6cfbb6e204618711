"""Passwords in the arguments of the process, which every user of the machine can read (`ps`)."""

from __future__ import annotations

import contextlib
import os

from midiopt.sinks.urls import with_schema, without_password

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from argparse import Namespace


def database_url(options: Namespace) -> str:
    """The URL of the database that the options name, with the schema of --schema. Its password is hidden, see ``hide_argument``."""
    hide_argument(options.db)
    return with_schema(options.db, options.schema) if options.schema else options.db


def hide_argument(url: str) -> None:
    """Overwrite the database URL in the process's arguments by one without its password, if there is one and the system is Linux.

    /proc/self/stat (fields 48 and 49, see proc(5)) tells where the arguments are in memory.
    """
    shown = os.fsencode(without_password(url))
    if shown == os.fsencode(url):
        return
    import ctypes  # which takes 8 ms
    from pathlib import Path

    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = map(int, fields[45:47])  # 48 and 49, counted from 1; two are before the parenthesis
        arguments = ctypes.string_at(start, end - start)
        for prefix in (b"\0", b"\0--db="):
            argument = prefix + os.fsencode(url) + b"\0"
            if (at := arguments.find(argument)) >= 0:
                room = len(argument) - len(prefix) - 1
                ctypes.memmove(start + at + len(prefix), shown[:room].ljust(room), room)
