"""midiopt completion: what real shells complete, where they are installed, and the man page."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from midiopt.cli import completion
from midiopt.cli.main import COMMANDS, main

SHELL = Path(completion.__file__).parent / "shell"
needs = {name: pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed") for name in ("bash", "zsh", "fish", "man")}


@pytest.mark.parametrize("shell", completion.SCRIPTS)
def test_the_script_is_printed(shell, capsys):
    assert main(["completion", shell]) == 0
    assert capsys.readouterr().out == (SHELL / completion.SCRIPTS[shell]).read_text()


def test_another_shell_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["completion", "bsh"])
    assert "there is no value 'bsh'; did you mean bash?" in capsys.readouterr().err


def completed(*words: str) -> list[str]:
    """What bash's function offers for the last word."""
    script = f'source "{SHELL}/midiopt.bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _midiopt 2>/dev/null; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", *words], capture_output=True, text=True, timeout=20, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@needs["bash"]
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("midiopt ", [*COMMANDS, "--help", "--version"]),
        ("midiopt an", ["analyze"]),
        ("midiopt analyze --wor", ["--workers"]),
        ("midiopt analyze --workers ", ["auto"]),
        ("midiopt analyze --executor ", ["processes", "dask:local"]),
        ("midiopt analyze --executor p", ["processes"]),
        ("midiopt analyze --workers = a", ["auto"]),
        ("midiopt analyze --pru", ["--prune", "--prune=all"]),
        ("midiopt analyze --max-events ", []),
        ("midiopt analyze ", []),  # files, which readline completes
        ("midiopt status --jsonl", ["--jsonl"]),
        ("midiopt completion ", ["bash", "zsh", "fish"]),
        ("midiopt help ver", ["verify"]),
    ],
)
def test_what_bash_offers(line, words):
    assert completed(*line.split(" ")) == words


def typed(command: list[str], start: str, keys: str, until: str, folder: Path) -> str:
    """What a terminal shows after these keys in an interactive shell."""
    pid, fd = pty.fork()
    if not pid:
        os.chdir(folder)
        os.environ.update(PS1="$ ", TERM="dumb", HOME=str(folder), INPUTRC="/dev/null", HISTFILE="/dev/null")
        os.execvp(command[0], command)
    shown, end = "", time.monotonic() + 20
    try:
        for text in (f"{start}; echo 're'ady\n", keys):
            wanted = "ready" if text != keys else until
            os.write(fd, text.encode())
            while wanted not in shown and time.monotonic() < end:
                if select.select([fd], [], [], 0.2)[0]:
                    shown += os.read(fd, 4096).decode(errors="replace")
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(fd)
    return shown


@needs["bash"]
def test_an_interactive_bash(tmp_path):
    """Commands and options by the function, files by readline."""
    (tmp_path / "my song.mid").touch()
    bash = ["bash", "--norc", "--noprofile", "-i"]
    start = f"source {SHELL}/midiopt.bash"
    assert "midiopt status " in typed(bash, start, "midiopt stat\t", "status ", tmp_path)
    assert "--follow-links " in typed(bash, start, "midiopt analyze --fol\t", "--follow-links ", tmp_path)
    for command in ("show", "repair"):  # a file, and a file or a search
        assert "my\\ song.mid " in typed(bash, start, f"midiopt {command} my\t", "song.mid ", tmp_path)


@needs["zsh"]
def test_an_interactive_zsh(tmp_path):
    start = f"autoload -U compinit; compinit -u; source {SHELL}/_midiopt"
    assert "midiopt status " in typed(["zsh", "-f", "-i"], start, "midiopt stat\t", "status ", tmp_path)
    assert "--follow-links" in typed(["zsh", "-f", "-i"], start, "midiopt analyze --fol\t", "--follow-links", tmp_path)


@needs["fish"]
def test_fish():
    def offered(line: str) -> list[str]:
        script = f"source {SHELL}/midiopt.fish; complete -C '{line}'"
        done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, timeout=20, check=True)
        return [line.split("\t")[0] for line in done.stdout.splitlines()]

    assert offered("midiopt stat") == ["status"]
    assert offered("midiopt analyze --fol") == ["--follow-links"]
    assert offered("midiopt analyze --workers a") == ["auto"]
    assert offered("midiopt completion ") == ["bash", "fish", "zsh"]


@needs["man"]
def test_the_man_page():
    """It names every command and option, and groff has nothing to say against it."""
    environment = os.environ | {"MANWIDTH": "80", "LC_ALL": "C.UTF-8", "LD_PRELOAD": ""}  # no sanitizers: groff's own faults
    done = subprocess.run(
        ["man", "--warnings", "-l", str(SHELL / "midiopt.1")], capture_output=True, text=True, env=environment, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")
    shown = re.sub(r".\x08", "", done.stdout)
    for name in COMMANDS:
        assert f"midiopt {name}" in shown
    for option in ("--file-timeout", "--prune", "--jsonl", "MIDIOPT_DB", "sqlite:///path"):
        assert option in shown


def test_a_closed_pipe():
    done = subprocess.run(["bash", "-c", f"{sys.executable} -m midiopt completion bash | true"], capture_output=True, text=True, timeout=20)
    assert done.stderr == ""
