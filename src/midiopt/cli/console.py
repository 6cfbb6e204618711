"""Output on a terminal: text from files must not control it, and a closed pipe is not an error worth a traceback."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from typing import Protocol

from midiopt.wording import printable_text

UNWRITTEN = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
TOO_MANY_FILES = {errno.EMFILE, errno.ENFILE}
NOTHING_FOUND = "no MIDI files found (.mid .midi .smf .kar .rmi, and archives)"


class WhatWasPassed(Protocol):
    """What a run or a dry run has found in folders, and left where it was."""

    links: int
    unread_archives: int


def passed(found: WhatWasPassed) -> Iterator[str]:
    """The sentences about symbolic links that were not followed, and about archives of formats that are not read."""
    if found.links:
        links, them = ("link was", "it") if found.links == 1 else ("links were", "them")
        yield f"{found.links:,} symbolic {links} passed; --follow-links follows {them}"
    if found.unread_archives:
        archives, their = ("archive was", "its format is") if found.unread_archives == 1 else ("archives were", "their formats are")
        yield f"{found.unread_archives:,} {archives} passed, as {their} not read (.rar, .7z, .lzh and others); unpack before the run"


def print_error(problem: object) -> None:
    """Print what went wrong as one line on standard error."""
    print(f"midiopt: {printable_text(str(problem))}", file=sys.stderr)


def run_command(command: Callable[[], int]) -> int:
    """Run a command and return its exit code.

    It is 1 when standard output is closed early (`| head`), a disk is full, or the process may not open more files.
    Characters that the encoding of standard output lacks are escaped.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            return command()
        finally:  # also after SystemExit, with which argparse ends when it has printed --help or --version
            sys.stdout.flush()
    except OSError as problem:
        if problem.errno in TOO_MANY_FILES:
            print_error(f"{problem.strerror}: raise the limit, such as with ulimit -n 256")
            return 1
        if problem.errno not in UNWRITTEN:
            raise
        if problem.errno != errno.EPIPE:
            print_error(f"cannot write: {problem.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
