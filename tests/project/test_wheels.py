"""What `make wheel` checks: a fault in a wheel is found. Nothing is compiled here."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from wheels import aarch64, build, pythons

X86, ARM = 0x3E, 0xB7


def write_wheel(path: Path, files: dict[str, int]) -> Path:
    """A wheel with these files; each begins like an ELF file for a machine."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, machine in files.items():
            archive.writestr(f"midiopt/{name}", bytes([*b"\x7fELF", *bytes(14), machine, 0]))
    return path


def test_levels_are_whole_sets(tmp_path):
    whole = {f"core/levels/x86-64-v{n}/{name}": X86 for n in (2, 3) for name in ("analysis.so", "smf/parser.so")}
    assert build.levels_of(write_wheel(tmp_path / "whole.whl", whole | {"core/__init__.py": 0})) == ["x86-64-v2", "x86-64-v3"]
    del whole["core/levels/x86-64-v3/smf/parser.so"]
    with pytest.raises(SystemExit, match="its levels differ in their modules"):
        build.levels_of(write_wheel(tmp_path / "part.whl", whole))


def test_a_wheel_for_other_architectures_has_no_levels(tmp_path):
    assert build.levels_of(write_wheel(tmp_path / "arm.whl", {"core/analysis.so": ARM})) == []


def test_a_module_of_the_wrong_architecture_is_found(tmp_path):
    aarch64.check(write_wheel(tmp_path / "arm.whl", {"core/analysis.so": ARM, "core/build.so": ARM}))
    with pytest.raises(SystemExit, match=r"not compiled for aarch64: \['midiopt/core/build.so'\]"):
        aarch64.check(write_wheel(tmp_path / "mixed.whl", {"core/analysis.so": ARM, "core/build.so": X86}))
    with pytest.raises(SystemExit, match="no extension at all"):
        aarch64.check(write_wheel(tmp_path / "empty.whl", {}))


def test_only_a_python_that_starts_is_tried(tmp_path):
    """pyenv puts a placeholder in the search path for every version that it has, and refuses to start those that are not chosen."""
    version = "{}.{}".format(*sys.version_info)
    assert pythons.works(Path(sys.executable), version)
    assert not pythons.works(Path(sys.executable), "3.99")
    placeholder = tmp_path / "python3.12"
    placeholder.write_text("#!/bin/sh\necho 'pyenv: python3.12: command not found' >&2\nexit 127\n")
    placeholder.chmod(0o755)
    assert not pythons.works(placeholder, "3.12")
    assert not pythons.works(tmp_path / "missing", "3.12")
