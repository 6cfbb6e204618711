"""What ``import midiopt`` gives, and what type checkers know about it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import midiopt
from docs import generate_analysis
from midiopt.schema import ANALYSES

PACKAGE = Path(midiopt.__file__).parent


@pytest.mark.parametrize("name", midiopt.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(midiopt, name).__doc__


def test_the_type_of_the_facts_is_current() -> None:
    """``python -m docs.generate_analysis`` writes it again."""
    assert (PACKAGE / "_analysis.py").read_text() == generate_analysis.source()


def test_facts_cannot_be_changed() -> None:
    facts = midiopt.analyze(b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0")
    assert [name for name in facts.__slots__ if name not in ("status", "error")] == [column.name for column in ANALYSES]
    with pytest.raises(AttributeError, match="cannot assign to field 'bpm'"):
        facts.bpm = 120.0  # type: ignore[misc]


def test_importing_the_package_and_analyzing_need_no_numpy() -> None:
    code = "import sys, midiopt; midiopt.analyze; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_type_checkers_know_the_facts(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import midiopt\n"
        "facts = midiopt.analyze('a.mid')\n"
        "reveal_type(facts.bpm)\n"
        "reveal_type(facts.track_names)\n"
        "facts.bpm = 120.0\n"
        "facts.nonsense\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(tmp_path), str(program)]
    found = subprocess.run(command, cwd=tmp_path, env={"MYPYPATH": str(PACKAGE.parent)}, capture_output=True, text=True).stdout
    assert [line.partition("program.py:")[2] for line in found.splitlines()[:-1]] == [
        '3: note: Revealed type is "float | None"',
        '4: note: Revealed type is "list[str]"',
        '5: error: Property "bpm" defined in "Analysis" is read-only  [misc]',
        '6: error: "Analysis" has no attribute "nonsense"  [attr-defined]',
    ]
