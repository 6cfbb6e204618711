"""Makes workers crash: Python loads this module at start-up where a test puts the folder on PYTHONPATH.

A file that contains ``fault:NAME``, with a name in FAULTS, does that to the worker that analyses it; ``fault:invalid_row`` puts
a value into its row that the column cannot hold. ``fault:hang`` and ``fault:hold`` count their workers in the file
MIDIOPT_FAULT_HANGS; ``fault:hold`` goes on as soon as the file MIDIOPT_FAULT_HOLD is deleted.
MIDIOPT_FAULT_STARTS=FILE:N lets the first N workers exit before they begin, counted in FILE. A count is the size of the file.
MIDIOPT_FAULT_FREEZES=WHEN:FILE:N stops the first N workers by SIGSTOP: before they begin (WHEN is `start`) or in the middle of
their first answer (`answer`).
MIDIOPT_FAULT_READS=OFFSET lets the disk give no bytes from this place of a file, and half of what it is asked for elsewhere.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import resource
import signal
import struct
import sys
import time


def count(file: str) -> int:
    """Add one to the count."""
    with open(file, "ab") as counter:
        counter.write(b".")
    return os.path.getsize(file)


def hang() -> None:
    """Never return."""
    count(os.environ.get("MIDIOPT_FAULT_HANGS", os.devnull))
    while True:
        pass


def hold() -> None:
    """Wait until the test deletes a file."""
    count(os.environ["MIDIOPT_FAULT_HANGS"])
    while os.path.exists(os.environ["MIDIOPT_FAULT_HOLD"]):
        time.sleep(0.01)


def exhaust_memory() -> None:
    """Leave one megabyte of address space, so that malloc fails in compiled code."""
    with open("/proc/self/statm") as sizes:
        pages = int(sizes.read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 20),) * 2)


def raise_error() -> None:
    """An exception that nothing expects."""
    raise RuntimeError("injected")


def freeze_at_start() -> None:
    """Stop until somebody continues or kills the process."""
    os.kill(os.getpid(), signal.SIGSTOP)


def freeze_in_answer() -> None:
    """Let the worker stop after half of what it writes first."""
    from midiopt.pipeline.message_pipe import WorkerPipe

    def send_half(self, data):
        WorkerPipe.send_bytes = whole
        os.write(self.fileno(), struct.pack("!i", len(data)) + data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGSTOP)

    whole, WorkerPipe.send_bytes = WorkerPipe.send_bytes, send_half


def read_badly(place: int) -> None:
    """Let os.pread() fail at this offset, and give less than it is asked for."""

    def pread(fd, size, offset):
        if offset == place:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(fd, size // 2 + 1, offset)

    real, os.pread = os.pread, pread


FAULTS = {
    b"abort": os.abort,
    b"segfault": lambda: ctypes.string_at(0),
    b"kill": lambda: os.kill(os.getpid(), signal.SIGKILL),  # as the kernel does when memory runs out
    b"exit": lambda: os._exit(7),
    b"raise": raise_error,
    b"hang": hang,
    b"hold": hold,
    b"memory": exhaust_memory,
}


def inject() -> None:
    """Replace the analyser by one that looks for faults."""
    from midiopt.core import analyzer
    from midiopt.core.inspection import row_layouts

    class FaultyAnalyzer(analyzer.Analyzer):
        def analyze(self, data, digest, version, rows, heap, tracks=None):
            found = re.search(rb"fault:(\w+)", data)
            if found and found[1] in FAULTS:
                FAULTS[found[1]]()
            result = super().analyze(data, digest, version, rows, heap, tracks)
            if found and found[1] == b"invalid_row":
                fields, size = row_layouts()[0]
                rows[len(rows) - size + dict(fields)["bpm_source"]] = 200
            return result

    analyzer.Analyzer = FaultyAnalyzer


if "midiopt.pipeline.worker" in sys.orig_argv:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if "MIDIOPT_FAULT_STARTS" in os.environ:
        file, starts = os.environ["MIDIOPT_FAULT_STARTS"].rsplit(":", 1)
        if count(file) <= int(starts):
            os._exit(7)
    if "MIDIOPT_FAULT_FREEZES" in os.environ:
        when, file, freezes = os.environ["MIDIOPT_FAULT_FREEZES"].split(":")
        if count(file) <= int(freezes):
            {"start": freeze_at_start, "answer": freeze_in_answer}[when]()
    if "MIDIOPT_FAULT_READS" in os.environ:
        read_badly(int(os.environ["MIDIOPT_FAULT_READS"]))
    inject()
