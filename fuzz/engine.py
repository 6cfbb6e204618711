"""Fuzzes one target in this process: `python -m fuzz.engine TARGET [libFuzzer options]`; fuzz/run.py sets the environment."""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Any

from fuzz.libfuzzer import TEST_ONE_INPUT, fuzz


def main() -> None:
    """Fuzz the target that the command line names."""
    name, *options = sys.argv[1:]
    if name == "parser":
        address = importlib.import_module("fuzz.parser_target").address()  # exists in a fuzz build only
        callback: Any = TEST_ONE_INPUT(address)
    else:
        from fuzz.targets import TARGETS, test_one_input

        callback = TEST_ONE_INPUT(test_one_input(TARGETS[name]))
    gc.freeze()  # looking at the objects of all modules again and again took a twentieth of the time
    fuzz(callback, options)


if __name__ == "__main__":
    main()
