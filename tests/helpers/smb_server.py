"""Samba, a server of Windows shares: apt-get install samba."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.object_store import SECRET, free_port, wait_for

SMBD = shutil.which("smbd", path=f"{os.environ.get('PATH')}:/usr/sbin")
CONFIGURATION = """
[global]
  server role = standalone server
  interfaces = 127.0.0.1
  bind interfaces only = yes
  smb ports = {port}
  disable netbios = yes
  load printers = no
  passdb backend = tdbsam:{state}/passdb.tdb
  log file = {state}/log
  pid directory = {state}
  lock directory = {state}
  state directory = {state}
  cache directory = {state}
  private dir = {state}
  ncalrpc dir = {state}/ncalrpc
[{share}]
  path = {folder}
"""


@contextlib.contextmanager
def smb_server(folder: Path) -> Iterator[tuple[str, str]]:
    """Share a folder with this user, whose password is SECRET. Returns the URL without both, and the name of the user."""
    assert SMBD is not None
    state, port, user = folder.parent / "samba", free_port(), getpass.getuser()
    state.mkdir()
    (state / "smb.conf").write_text(CONFIGURATION.format(port=port, state=state, share=folder.name, folder=folder))
    added = ["smbpasswd", "-c", state / "smb.conf", "-s", "-a", user]
    subprocess.run(added, input=f"{SECRET}\n{SECRET}\n", text=True, check=True, capture_output=True)
    # A session of its own, since it ends its process group with itself.
    server = subprocess.Popen(
        [SMBD, "-F", "--no-process-group", "-s", state / "smb.conf"], stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for(f"127.0.0.1:{port}")
        yield f"smb://127.0.0.1:{port}/{folder.name}", user
    finally:
        server.terminate()
        server.wait()
