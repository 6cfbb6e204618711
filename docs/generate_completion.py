"""The completion scripts of bash, zsh and fish, made from the argument parser: src/midiopt/cli/shell."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import NamedTuple

from docs.generate_cli import commands
from midiopt.cli.main import COMMANDS
from midiopt.cli.parser import Parser
from midiopt.library.search import SORTS
from midiopt.library.search_terms import TERMS
from midiopt.limits import DASK_LOCAL, PROCESSES

HEADER = "# Completion of midiopt: written by python -m docs.generate.\n"
FILES = {"SOURCE", "FILE", "DIR", "URL", "DATABASE"}  # metavars of paths
FISH_FUNCTION = """function __midiopt_command
    set -l words (commandline -opc)
    test "$words[2]" = "$argv[1]"
end
"""
# Values that are no choices: of an option, or of what a positional argument is called.
WORDS = {
    "--workers": ("auto",),
    "--executor": (PROCESSES, DASK_LOCAL),
    "--sort": tuple(sign + name for name in SORTS for sign in ("", "-")),
    "QUERY": tuple(word for term in TERMS.values() for word in ([f"{term.name}:{value}" for value in term.words] or [f"{term.name}:"])),
}


class Argument(NamedTuple):
    """What can be completed of an argument."""

    options: list[str]  # none of a positional argument
    meaning: str
    metavar: str
    takes_value: bool
    words: tuple[str, ...]
    is_file: bool
    is_repeated: bool


def arguments(parser: Parser) -> Iterator[Argument]:
    """Those of a command. An option whose value needs an equals sign is there with and without it."""
    for action in parser._actions:
        options = list(action.option_strings)
        words = tuple(map(str, action.choices or ())) or WORDS.get(options[-1] if options else str(action.metavar), ())
        is_file = not FILES.isdisjoint(str(action.metavar).split("|"))
        if options and options[-1] in parser.values:
            options.append(f"{options[-1]}={action.metavar}")
        takes_value = action.nargs is None and not isinstance(action, argparse._HelpAction)
        yield Argument(options, _summary(action), str(action.metavar), takes_value, words, is_file, action.nargs in ("+", "*"))


def bash() -> str:
    """Sourced by bash-completion or from ~/.bashrc."""
    cases = []
    for name, parser in commands().items():
        options_by_words: dict[str, list[str]] = {}
        for argument in arguments(parser):
            if argument.options and argument.takes_value and not argument.is_file:
                options_by_words.setdefault(" ".join(argument.words), []).extend(argument.options)
        values = [f"        {'|'.join(options)}) _midiopt_words '{words}'; return ;;" for words, options in options_by_words.items()]
        inner = ["        case $prev in", *values, "        esac"] if values else []
        options = " ".join(option for argument in arguments(parser) for option in argument.options)
        words = " ".join(word for argument in arguments(parser) if not argument.options for word in argument.words)
        takes_files = any(argument.is_file for argument in arguments(parser) if not argument.options)
        rest = f"        [[ $cur == -* ]] && {{ _midiopt_words '{options}'; return; }}"
        rest_files = "        # files, which readline completes" if takes_files else f"        _midiopt_words '{words}'"
        cases.append("\n".join([f"    {name})", *inner, rest, rest_files, "        ;;"]))
    return (
        HEADER
        + """_midiopt_words() {  # complete one of these words, and no files
    compopt +o default +o bashdefault 2>/dev/null
    COMPREPLY=($(compgen -W "$1" -- "$cur"))
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
}

_midiopt() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= i
    [[ $cur == = ]] && cur=
    [[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -* ]] && { command=${COMP_WORDS[i]}; break; }
    done
    case $command in
"""
        + f"    '') _midiopt_words '{' '.join(COMMANDS)} --help --version' ;;\n"
        + "\n".join(cases)
        + "\n    esac\n}\n\ncomplete -o bashdefault -o default -F _midiopt midiopt\n"
    )


def zsh() -> str:
    """Autoloaded as a function from fpath, or sourced."""
    described = "\n".join(f"            {_quoted(f'{name}:{summary}')}" for name, summary in COMMANDS.items())
    cases = "\n".join(
        f"            ({name})\n                _arguments -s -S \\\n"
        + " \\\n".join(f"                    {_zsh_argument(argument)}" for argument in arguments(parser))
        + "\n                ;;"
        for name, parser in commands().items()
    )
    return f"""#compdef midiopt
{HEADER}
_midiopt() {{
    local curcontext=$curcontext state line
    local -a commands
    typeset -A opt_args
    _arguments -C '(- *)'{{-h,--help}}'[show this help]' '(- *)--version[show the version]' '1: :->command' '*:: :->argument'
    case $state in
    (command)
        commands=(
{described}
        )
        _describe -t commands command commands
        ;;
    (argument)
        curcontext=${{curcontext%:*:*}}:midiopt-$line[1]:
        case $line[1] in
{cases}
        esac
        ;;
    esac
}}

if [[ $funcstack[1] == _midiopt ]]; then
    _midiopt "$@"
else
    compdef _midiopt midiopt
fi
"""


def fish() -> str:
    """Read from vendor_completions.d, or sourced."""
    lines = [
        "complete -c midiopt -f",
        "complete -c midiopt -n '__midiopt_command' -s h -l help -d 'show this help'",
        "complete -c midiopt -n '__midiopt_command' -l version -d 'show the version'",
        *(f"complete -c midiopt -n '__midiopt_command' -a {name} -d {_fish_quoted(summary)}" for name, summary in COMMANDS.items()),
    ]
    for name, parser in commands().items():
        start = f"complete -c midiopt -n '__midiopt_command {name}'"
        for argument in arguments(parser):
            lines.append(" ".join([start, *_fish_argument(argument)]))
    return HEADER + FISH_FUNCTION + "\n".join(lines) + "\n"


def _zsh_argument(argument: Argument) -> str:
    what = "_files" if argument.is_file else f"({' '.join(argument.words)})" if argument.words else " "
    if not argument.options:
        return _quoted(f"{'*' if argument.is_repeated else '::'}:{argument.metavar}:{what}".replace(":::", "::"))
    meaning = re.sub(r"([\[\]:])", r"\\\1", argument.meaning)
    if argument.takes_value:
        return _quoted(f"{argument.options[-1]}=[{meaning}]:{argument.metavar}:{what}")
    return " ".join(_quoted(f"{option}[{meaning}]") for option in argument.options)


def _fish_argument(argument: Argument) -> Iterator[str]:
    for option in argument.options:
        yield f"-l {option[2:]}" if option.startswith("--") and "=" not in option else f"-s {option[1:]}" if option[1] != "-" else ""
    if argument.options and argument.takes_value:
        yield "-r"
    if argument.words:
        yield f"-f -a {_fish_quoted(' '.join(argument.words))}"
    elif argument.is_file:
        yield "-F"
    if argument.options:
        yield f"-d {_fish_quoted(argument.meaning)}"


def _summary(action: argparse.Action) -> str:
    """The first clause of the help."""
    return re.split(r"[;:(]| \d", action.help or "")[0].strip().rstrip(",")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
