"""The picture in the README: runs a command in a terminal and saves what it shows as SVG.

python -m docs.record_terminal docs/run.svg make -s run
"""

from __future__ import annotations

import io
import os
import pty
import shlex
import sys

from rich.console import Console
from rich.text import Text

WIDTH = 110


def main(picture: str, command: list[str]) -> None:
    os.environ.update(COLUMNS=str(WIDTH), TERM="xterm-256color")
    shown = bytearray()

    def read(fd: int) -> bytes:
        data = os.read(fd, 1 << 16)
        shown.extend(data)
        return data

    pty.spawn(command, read)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(f"[bold]$ {shlex.join(command)}[/]")
    for line in shown.decode().replace("\r\n", "\n").split("\n"):
        console.print(Text.from_ansi(line.split("\r")[-1]))
    console.save_svg(picture, title="midiopt")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
