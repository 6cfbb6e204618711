"""What ``import midiopt`` gives."""

from __future__ import annotations

import pytest

import midiopt


@pytest.mark.parametrize("name", midiopt.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(midiopt, name).__doc__
