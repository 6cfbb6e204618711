"""Writing the page: whole or not at all, and over no file but an older report."""

from __future__ import annotations

import contextlib
import os

from midiopt.errors import MidioptError
from midiopt.library.part_files import open_part, part_name, remove_left_parts
from midiopt.report.page import GENERATOR

HEAD_BYTES = 4096  # in which a report names its generator


def check_output(path: str) -> None:
    """Raise MidioptError if the file cannot be written, or is there and no report of midiopt."""
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path) or path.endswith("/"):
        raise MidioptError(f"{path} is a folder; name a file with -o")
    if not os.path.isdir(folder):
        raise MidioptError(f"there is no folder {os.path.dirname(path)}")
    if not os.path.exists(path):
        return
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES) if os.path.isfile(path) else b"?"
    except OSError as problem:
        raise MidioptError(f"{path}: {problem.strerror}") from problem
    if head and GENERATOR.encode() not in head:
        raise MidioptError(f"{path} is there and no report of midiopt; name another file with -o")


def write_page(path: str, page: str) -> None:
    """Write a file beside it and give it the name; what a killed report has left there is deleted. Raises MidioptError."""
    check_output(path)
    path = os.path.realpath(path)
    remove_left_parts(*os.path.split(path))
    part = part_name(path)
    try:
        with open(open_part(part), "w", encoding="utf-8", newline="\n") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())  # a share may say only then that it is full
            os.replace(part, path)
    except OSError as problem:
        raise MidioptError(f"{path}: {problem.strerror}") from problem
    finally:
        with contextlib.suppress(OSError):
            os.unlink(part)
