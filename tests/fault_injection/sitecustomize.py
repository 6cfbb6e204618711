"""Python itself loads this where a test puts the folder on PYTHONPATH: workers whose analyser dies of some files.

A file whose bytes hold ``plant:`` and one of the names below does that to the worker that analyses it;
``plant:spoil`` leaves a value in its row that the column cannot hold.
``plant:hang`` counts its victims in the file that MIDIOPT_PLANT_HUNG names. MIDIOPT_PLANT_STILLBORN=FILE:N
lets the first N workers end before they begin; FILE counts them.
"""

import ctypes
import os
import re
import resource
import signal
import sys


def count(file: str) -> int:
    with open(file, "ab") as counter:
        counter.write(b".")
    return os.path.getsize(file)


def hang() -> None:
    count(os.environ.get("MIDIOPT_PLANT_HUNG", os.devnull))
    while True:
        pass


def starve() -> None:
    """No more address space than there is already, but for a megabyte: the compiled code's malloc fails."""
    with open("/proc/self/statm") as sizes:
        pages = int(sizes.read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 20),) * 2)


def fail() -> None:
    raise RuntimeError("planted")


PLANTS = {
    b"abort": os.abort,
    b"fault": lambda: ctypes.string_at(0),
    b"kill": lambda: os.kill(os.getpid(), signal.SIGKILL),  # as the kernel does when memory runs out
    b"leave": lambda: os._exit(7),
    b"fail": fail,
    b"hang": hang,
    b"starve": starve,
}


def plant() -> None:
    from midiopt.core import analysis, inspection

    class Planted(analysis.Analyzer):
        def analyze(self, data, digest, version, rows, heap):
            found = re.search(rb"plant:(\w+)", data)
            if found and found[1] in PLANTS:
                PLANTS[found[1]]()
            result = super().analyze(data, digest, version, rows, heap)
            if found and found[1] == b"spoil":
                layout, size = inspection.facts_layout()
                rows[len(rows) - size + dict(layout)["bpm_source"]] = 200
            return result

    analysis.Analyzer = Planted


if "midiopt.pipeline.worker" in sys.orig_argv:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if "MIDIOPT_PLANT_STILLBORN" in os.environ:
        counter, most = os.environ["MIDIOPT_PLANT_STILLBORN"].rsplit(":", 1)
        if count(counter) <= int(most):
            os._exit(7)
    plant()
