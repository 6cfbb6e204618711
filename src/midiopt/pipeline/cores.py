"""The number of processor cores that a process may use, also in a container that has only some of those of its machine."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")


def available_cores() -> int:
    """The cores that the scheduler allows, and no more than a quota is worth (of ``docker run --cpus``, Kubernetes, systemd).

    The default number of workers: with 64 on two cores a run takes 3 times as long as with two, and 10 times the memory.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([allowed, *(max(math.ceil(quota), 1) for quota in quotas(ROOT))])


def quotas(root: Path) -> Iterator[float]:
    """The quotas in cores of the control groups (version 2 and 1) that this process is in, as cgroups(7) describes them."""
    with contextlib.suppress(OSError, ValueError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "cpu" not in controllers.split(","):
                continue
            mounted = root / ("sys/fs/cgroup/cpu" if controllers else "sys/fs/cgroup")
            inner = mounted / path.lstrip("/")  # not there in a container that sees its own group as the root
            for group in (inner, *inner.parents[: len(inner.parts) - len(mounted.parts)]):
                with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
                    if controllers:
                        quota, period = ((group / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
                    else:
                        quota, period = (group / "cpu.max").read_text().split()
                    if quota != "max" and int(quota) > 0:  # -1 of version 1: none
                        yield int(quota) / int(period)
