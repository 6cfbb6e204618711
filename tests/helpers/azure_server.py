"""Azurite, the server that Microsoft wrote for tests of Azure's storage: npm install --prefix build/azurite azurite."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.object_store import free_port, wait_for

PROJECT = Path(__file__).parents[2]
AZURITE = shutil.which("azurite-blob", path=PROJECT / "build" / "azurite" / "node_modules" / ".bin")
# Of every Azurite, from Microsoft's documentation of it.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@contextlib.contextmanager
def azure_server(folder: Path, container: Path) -> Iterator[dict[str, str]]:
    """Serve a copy of the files below ``container`` in a container of its name. Returns the environment in which clients find it."""
    from azure.storage.blob import BlobServiceClient

    assert AZURITE is not None
    address = f"127.0.0.1:{free_port()}"
    # An interface that is newer than the server's is refused without the option.
    options = ["--blobPort", address.partition(":")[2], "--location", folder, "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    server = subprocess.Popen([AZURITE, *options], stdout=subprocess.DEVNULL)
    try:
        wait_for(address)
        account = {"account_name": ACCOUNT, "account_key": KEY}
        client = BlobServiceClient(f"http://{address}/{ACCOUNT}", account).create_container(container.name)
        for path in sorted(path for path in container.rglob("*") if path.is_file()):
            client.upload_blob(str(path.relative_to(container)), path.read_bytes())
        yield {"AZURE_STORAGE_USE_EMULATOR": "true", "AZURITE_BLOB_STORAGE_URL": f"http://{address}"}
    finally:
        server.kill()
        server.wait()
