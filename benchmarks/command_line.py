"""What the programs of this folder have in common: optional dependencies and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import NoReturn


def need(module: str, alternative: str = "") -> ModuleType:
    """Import a module that only benchmarks use; SystemExit with the remedy if it is missing."""
    try:
        return import_module(module)
    except ImportError:
        program = os.path.basename(sys.argv[0])
        raise SystemExit(f"{program}: {module} is not installed; pip install 'midiopt[dev]'{alternative}") from None


def run_program(main: Callable[[], int | None]) -> NoReturn:
    """Exit with the result of ``main``, and with 130 after Ctrl-C."""
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
