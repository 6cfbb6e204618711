"""The default number of workers: the cores that the scheduler allows, or what a quota of processor time is worth."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from midiopt.pipeline import cores
from midiopt.pipeline.cores import available_cores, quotas

VERSION_2 = "sys/fs/cgroup"
VERSION_1 = "sys/fs/cgroup/cpu"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, []),  # not Linux, or /proc is not mounted
        ({"proc/self/cgroup": "not a line of cgroups(7)"}, []),
        ({"proc/self/cgroup": "0::/\n", f"{VERSION_2}/cpu.max": "max 100000\n"}, []),
        ({"proc/self/cgroup": "0::/\n", f"{VERSION_2}/cpu.max": "150000 100000\n"}, [1.5]),  # a container with its own root
        ({"proc/self/cgroup": "0::/docker/1f\n", f"{VERSION_2}/cpu.max": "200000 100000\n"}, [2.0]),  # one that shows the path of the host
        (
            {
                "proc/self/cgroup": "0::/pods/one\n",
                f"{VERSION_2}/pods/cpu.max": "400000 100000\n",
                f"{VERSION_2}/pods/one/cpu.max": "max 100000\n",
            },
            [4.0],
        ),
        ({"proc/self/cgroup": "0::/\n", f"{VERSION_2}/cpu.max": "none\n"}, []),
        (
            {
                "proc/self/cgroup": "4:memory:/a\n3:cpu,cpuacct:/a\n2:name=systemd:/a\n",
                f"{VERSION_1}/a/cpu.cfs_quota_us": "50000\n",
                f"{VERSION_1}/a/cpu.cfs_period_us": "100000\n",
                f"{VERSION_1}/cpu.cfs_quota_us": "-1\n",
                f"{VERSION_1}/cpu.cfs_period_us": "100000\n",
            },
            [0.5],
        ),
    ],
)
def test_quotas(tmp_path, files, found):
    assert list(quotas(write(tmp_path, files))) == found


@pytest.mark.parametrize(("quota", "workers"), [("max", 64), ("50000", 1), ("150000", 2), ("200000", 2), ("9900000", 64)])
def test_a_quota_limits_the_default_number_of_workers(tmp_path, monkeypatch, quota, workers):
    """`docker run --cpus 2` on a machine of 64 cores: 64 workers took 8.2 s and 959 MB for what two do in 2.7 s with 100 MB."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(64))
    write(tmp_path, {"proc/self/cgroup": "0::/\n", f"{VERSION_2}/cpu.max": f"{quota} 100000\n"})
    monkeypatch.setattr(cores, "ROOT", tmp_path)
    assert available_cores() == workers


def test_this_machine():
    assert 1 <= available_cores() <= len(os.sched_getaffinity(0))
