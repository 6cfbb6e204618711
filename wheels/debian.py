"""Programs of another Debian, unpacked below a folder: no root, and the system's packages stay as they are.

apt believes that nothing is installed there, so it downloads everything a package needs, down to the C library.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCE = "deb [signed-by={keyring}] http://deb.debian.org/debian {suite} main\n"
CONFIGURATION = """Dir::Etc::sourcelist "{folder}/sources.list"; Dir::Etc::sourceparts "-";
Dir::State "{folder}/state"; Dir::State::status "{folder}/status"; Dir::Cache "{folder}/cache"; APT::Sandbox::User "";
APT::Architecture "{architecture}"; APT::Architectures {{ "{architecture}"; }}; APT::Install-Recommends "false"; Dir::Log "{folder}";
"""


class Unavailable(Exception):
    """What was asked for cannot be had, and why."""


def unpack(root: Path, suite: str, architecture: str, packages: list[str]) -> Path:
    """The folder ``root`` with these packages and all that they need; unpacked if it does not exist yet."""
    done = root / "packages"
    wanted = f"{suite} {architecture} {' '.join(packages)}"
    if done.exists() and done.read_text() == wanted:
        return root
    if not KEYRING.exists():
        raise Unavailable("this is not Debian")
    apt = (root / "apt").resolve()
    for folder in (apt / "state" / "lists" / "partial", apt / "cache" / "archives" / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    (apt / "sources.list").write_text(SOURCE.format(keyring=KEYRING, suite=suite))
    (apt / "status").touch()
    (apt / "apt.conf").write_text(CONFIGURATION.format(folder=apt, architecture=architecture))
    environment = os.environ | {"APT_CONFIG": str(apt / "apt.conf")}
    for command in (["update"], ["install", "--yes", "--download-only", *packages]):
        done_command = subprocess.run(["apt-get", "--quiet=2", *command], env=environment, capture_output=True, text=True)
        if done_command.returncode:
            raise Unavailable(done_command.stderr.strip().rpartition("\n")[2])
    for package in sorted((apt / "cache" / "archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", str(package), str(root)], check=True)
        package.unlink()
    done.write_text(wanted)
    return root


def make_runnable(program: Path, root: Path) -> None:
    """Let a program below ``root`` find its C library and all others there, wherever it is started from."""
    [loader] = (root / "usr" / "lib").glob("*/ld-linux-*.so.*")
    libraries = loader.parent
    subprocess.run(["patchelf", "--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries, program], check=True)
