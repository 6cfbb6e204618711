"""The pictures of the documentation: runs a command in a terminal and saves what it shows as SVG.

python -m docs.record_terminal docs/run.svg make -s run
python -m docs.record_terminal --columns 80 --rows 24 docs/status-80.svg midiopt status music.db
python -m docs.record_terminal --columns 60 --live docs/progress-60.svg midiopt analyze music      (a line from the middle of the run)
"""

from __future__ import annotations

import argparse
import fcntl
import io
import os
import pty
import re
import shlex
import struct
import termios

from rich.console import Console
from rich.text import Text


def run_in_terminal(command: list[str], columns: int, rows: int) -> str:
    """What a command sends to a terminal of this size."""
    child, fd = pty.fork()
    if not child:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.environ.pop("COLUMNS", None)
        os.environ["TERM"] = "xterm-256color"
        os.execvpe(command[0], command, os.environ)  # not the environment of C, in which readline has set COLUMNS
    sent = bytearray()
    try:
        while data := os.read(fd, 1 << 16):
            sent += data
    except OSError:  # the other end is closed
        pass
    os.waitpid(child, 0)
    return sent.decode()


def last_lines(sent: str) -> list[str]:
    """What is left on the screen; a live line goes up to erase itself."""
    lines: list[str] = []
    for line in sent.replace("\r\n", "\n").rstrip("\n").split("\n"):
        for _ in range(line.count("\x1b[1A")):
            lines.pop()
        lines.append(line.split("\r")[-1])
    return lines


def live_line(sent: str) -> list[str]:
    """The line of progress nearest to the middle of the run."""
    lines = [line for line in re.split(r"\r|\n|\x1b\[2K", sent) if "% " in line]
    percentages = [int(re.findall(r"(\d+)% ", line)[0]) for line in lines]
    return [min(zip(percentages, lines, strict=True), key=lambda found: abs(found[0] - 50))[1]]


def main() -> None:
    """Run the command and save the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=110)
    parser.add_argument("--rows", type=int, default=40)
    parser.add_argument("--live", action="store_true", help="the line of progress in the middle of the run")
    parser.add_argument("picture")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    sent = run_in_terminal(options.command, options.columns, options.rows)
    console = Console(record=True, width=options.columns, file=io.StringIO(), force_terminal=True)
    console.print(f"[bold]$ {shlex.join(options.command)}[/]", highlight=False)
    for line in live_line(sent) if options.live else last_lines(sent):
        console.print(Text.from_ansi(line), soft_wrap=True)
    console.save_svg(options.picture, title="midiopt")


if __name__ == "__main__":
    main()
