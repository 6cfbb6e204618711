"""Write docs/how-to/first-song.md, each command with what it prints over the bundled sample: python -m docs.generate_first_song"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from rich.text import Text

from docs.record_terminal import last_lines, run_in_terminal

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "how-to" / "first-song.md"
MUSIC = "Music/midi"  # below the home folder
COLUMNS = 100
DONE = "done."

HEAD = """# From an empty folder to a slap bass in A minor

Five commands, in a terminal that stands in an empty folder. The music here is the sample that comes with midiopt, copied to
`~/Music/midi`; take yours. `python -m docs.generate_first_song` runs the commands and writes this page.

## 1. Install

```sh
pip install ~/src/midiopt'[browse]'
```

This is the folder with the sources, and the extra with which `midiopt browse` serves pages. Its C code is compiled, which takes some
minutes; a wheel needs no compiler.
"""

# Heading, command, and what to know.
STEPS = (
    (
        "Analyse",
        "midiopt analyze ~/Music/midi",
        "Every file has a row in `midiopt.db` now, here in this folder. Run it again when files change.",
    ),
    (
        "Ask",
        'midiopt search key:Am program:"slap bass" bpm:118..124',
        "[Search](../search.md) has all terms.",
    ),
    ("Find more like it", 'midiopt similar ~/Music/midi/band/"slap happy.mid"', "The same file under another name."),
)

TAIL = """## 5. Hear it

```sh
midiopt browse --open
```

The browser opens. Write `key:Am program:"slap bass"` into the field, press `Enter`, `j` for the first file, and `Space` to hear it;
`Enter` opens its page.

![The page of the file while it plays](../browse-file.png)

[Browser](../browse.md) has the other keys. Ctrl-C ends it.
"""


def output(command: str, home: Path) -> str:
    """What a command prints on a terminal, in an empty folder of this home. SystemExit with what it printed if it fails."""
    folder = home / "library"
    folder.mkdir(exist_ok=True)
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    script = f"cd {folder} && {command} && echo {DONE}"
    sent = run_in_terminal(["env", f"HOME={home}", f"PATH={path}", "LANG=C.UTF-8", "NO_COLOR=1", "sh", "-c", script], COLUMNS, 40)
    lines = [Text.from_ansi(line).plain.rstrip().replace(str(home), "/home/me") for line in last_lines(sent)]
    if lines[-1:] != [DONE]:
        raise SystemExit("\n".join([f"{command}:", *lines]))
    return "\n".join(lines[:-1])


def outputs() -> list[str]:
    """What the commands of all steps print."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        shutil.copytree(ROOT / "sample" / "midi", home / MUSIC)
        return [output(command, home) for _, command, _ in STEPS]


def page() -> str:
    """The whole page."""
    sections = [
        f"## {number}. {heading}\n\n```console\n$ {command}\n{printed}\n```\n\n{remark}\n"
        for number, ((heading, command, remark), printed) in enumerate(zip(STEPS, outputs(), strict=True), 2)
    ]
    return "\n".join([HEAD, *sections, TAIL])


if __name__ == "__main__":
    PAGE.write_text(page())
