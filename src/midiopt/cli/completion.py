"""midiopt completion: the script with which a shell completes command lines of midiopt. docs/generate_completion.py makes it."""

from __future__ import annotations

import argparse

from midiopt.cli.parser import Parser

SCRIPTS = {"bash": "midiopt.bash", "zsh": "_midiopt", "fish": "midiopt.fish"}
DESCRIPTION = (
    "Print the script with which a shell completes commands, options and files of midiopt. An installation by pip puts it below share,"
    " where shells find it if the prefix is /usr, /usr/local or ~/.local; otherwise load it as in the examples."
)
EXAMPLES = (
    ('eval "$(midiopt completion bash)"', "in ~/.bashrc"),
    ("source <(midiopt completion zsh)", "in ~/.zshrc, after compinit"),
    ("midiopt completion fish | source", "in ~/.config/fish/config.fish"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    parser.group("what to print").add_argument("shell", choices=tuple(SCRIPTS), metavar="SHELL", help=" or ".join(SCRIPTS))


def command(options: argparse.Namespace) -> int:
    """Print it on standard output."""
    from pathlib import Path

    print(Path(__file__).parent.joinpath("shell", SCRIPTS[options.shell]).read_text(encoding="utf-8"), end="")
    return 0
