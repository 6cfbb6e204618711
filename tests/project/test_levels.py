"""A portable build has core once per level of x86-64: which level a process uses, and that all of them give equal rows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import midiopt
from benchmarks import builds
from midiopt.core import build, choose_level, processor

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
LEVELS = ["x86-64-v2", "x86-64-v3", "x86-64-v4"]
PRINT_BUILD = (
    "import midiopt, midiopt.core.analyzer as a; print(midiopt.build_info()['level'], a.__file__.split('/levels/')[-1].split('/')[0])"
)
FLAGS = {  # of /proc/cpuinfo
    "x86-64-v2": {"cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"},
    "x86-64-v3": {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"},
    "x86-64-v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
}


@pytest.mark.parametrize(
    ("supported", "wanted", "expected"),
    [
        ("x86-64-v4", None, "x86-64-v4"),
        ("x86-64-v3", None, "x86-64-v3"),
        ("x86-64-v2", "", "x86-64-v2"),
        ("x86-64-v4", "x86-64-v2", "x86-64-v2"),
        ("x86-64-v4", "x86-64-v3", "x86-64-v3"),
    ],
)
def test_the_highest_level_of_the_processor_is_used_unless_another_is_wanted(supported, wanted, expected):
    assert choose_level([*reversed(LEVELS)], supported, wanted) == expected


def test_a_level_beyond_the_processor_is_refused():
    with pytest.raises(ImportError, match=re.escape("MIDIOPT_LEVEL=x86-64-v4 cannot be used") + ".*offer x86-64-v2, x86-64-v3$"):
        choose_level(LEVELS, "x86-64-v3", "x86-64-v4")


def test_a_level_that_does_not_exist_is_refused():
    with pytest.raises(ImportError, match=r"MIDIOPT_LEVEL=fast cannot be used"):
        choose_level(LEVELS, "x86-64-v4", "fast")


def test_a_processor_below_the_lowest_level_is_told_what_to_do():
    with pytest.raises(ImportError, match=r"needs a processor of x86-64-v2, and this one is x86-64;.*MIDIOPT_BUILD=release pip install"):
        choose_level(LEVELS, "x86-64", None)


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="needs Linux")
def test_the_level_of_the_processor_is_what_linux_says():
    match = re.search(r"^flags\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    flags, expected = set(match[1].split()) if match else set(), "x86-64"
    for level, needed in FLAGS.items():
        if not needed <= flags:
            break
        expected = level
    assert processor.level == (expected if os.uname().machine == "x86_64" else "")


def test_the_build_under_test_has_no_levels():
    """A level that an earlier build left in the sources would be used instead of what was compiled last."""
    assert midiopt.build_info()["level"] == build.level == ""
    assert not (SRC / "midiopt" / "core" / "levels").exists()


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_gives_the_same_rows(level, monkeypatch):
    if not builds.is_current("portable"):
        pytest.skip("no portable build of these sources: python -m benchmarks.builds portable compiles one, make wheel tests another")
    if level > processor.level:
        pytest.skip(f"this processor is {processor.level}")
    expected = builds.rows(SRC)
    monkeypatch.setenv("MIDIOPT_LEVEL", level)
    folder = builds.BUILD / "portable" / "src"
    run = subprocess.run([sys.executable, "-P", "-c", PRINT_BUILD], env=builds.environment(folder), capture_output=True, text=True)
    assert run.stdout.split() == [level, level], run.stderr
    assert builds.rows(folder) == expected


def test_without_a_compiler_the_build_says_what_to_install(tmp_path):
    """At once: before the sources are translated."""
    command = [sys.executable, "setup.py", "build_ext", "--build-lib", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"MIDIOPT_BUILD": "portable", "CC": "no-such-compiler"}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "No such file or directory: no-such-compiler\nInstall gcc" in done.stderr and "apt install gcc" in done.stderr


def test_a_compiler_without_the_levels_is_quoted(tmp_path):
    compiler = tmp_path / "old-gcc"
    compiler.write_text("#!/bin/sh\necho \"error: bad value 'x86-64-v4' for '-march=' switch\" >&2\nexit 1\n")
    compiler.chmod(0o755)
    command = [sys.executable, "setup.py", "build_ext", "--build-lib", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"MIDIOPT_BUILD": "portable", "CC": str(compiler)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "error: bad value 'x86-64-v4'" in done.stderr and "Install gcc 11 or later" in done.stderr
