"""Bytes to facts, compiled.

On x86-64 a portable build has the modules of this package once per level of the architecture, each set in its own folder below
``levels``, and a process uses one set: the highest level that the processor supports, or the one that ``MIDIOPT_LEVEL`` names.
The modules call each other's functions by address, so the choice is made here, before the first of them is imported.
"""

import os

_LEVELS = os.path.join(__path__[0], "levels")


def choose_level(levels: list[str], supported: str, wanted: str | None) -> str:
    """The level to import: the highest of ``levels`` up to ``supported``, the processor's, or else ``wanted``.

    Levels are names like "x86-64-v3", which sort by what they require. Raises ImportError for a level that cannot be used:
    its first instruction of another level would kill the process.
    """
    usable = sorted(level for level in levels if level <= supported)
    if not usable:
        raise ImportError(
            f"this build of midiopt needs a processor of {min(levels)}, and this one is {supported}; compile midiopt for it:"
            " MIDIOPT_BUILD=release pip install --no-binary midiopt midiopt"
        )
    if wanted and wanted not in usable:
        raise ImportError(f"MIDIOPT_LEVEL={wanted} cannot be used: this build and this processor ({supported}) offer {', '.join(usable)}")
    return wanted or usable[-1]


if os.path.isdir(_LEVELS):
    from midiopt.core import processor

    __path__ = [os.path.join(_LEVELS, choose_level(os.listdir(_LEVELS), processor.level, os.environ.get("MIDIOPT_LEVEL")))]
