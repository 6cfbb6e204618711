"""Sources that are URLs: objects in a store, or files on a web server. Nothing here needs the network."""

from __future__ import annotations

import re
from collections.abc import Iterable

STORES = (b"s3://", b"gs://", b"az://")
WEB = (b"http://", b"https://")
FILE_SYSTEMS = (b"ftp://", b"hdfs://", b"hf://", b"smb://")
SCHEMES = STORES + WEB + FILE_SYSTEMS
# Parameters that sign or authorise a request: Amazon, Google, Azure's shared access signatures, CloudFront, and keys of other services.
SECRET = re.compile(
    rb"(?i)(?:x-(?:amz|goog)-[^=]*|signature|expires|policy|key-pair-id|awsaccesskeyid|googleaccessid|sig|s[aeikprtv]|spr|sdd|sip|ses"
    rb"|sk(?:oid|tid|t|e|s|v)|(?:access_?)?token|(?:api_?)?key|auth|password|secret)(?:=|\Z)"
)


def is_url(path: bytes) -> bool:
    """Whether the path is a URL that a run can read."""
    return path[:1] != b"/" and path.startswith(SCHEMES)


def may_name_urls(roots: Iterable[bytes]) -> bool:
    """Whether some of the sources of a run are URLs, or lists, which may have some."""
    return any(is_url(root) or root.startswith(b"@") for root in roots)


def public_url(url: bytes) -> bytes:
    """The URL as it may be stored and shown: without user, password, fragment and signature.

    Other parameters of a web server's URL tell files apart; a digest stands for them, since any may be a secret.
    """
    scheme, colon, rest = url.partition(b"://")
    host, slash, key = rest.partition(b"/")
    host = host.rpartition(b"@")[2]
    if scheme.startswith(b"http"):
        whole = (host + slash + key).partition(b"#")[0]
        place, _, query = whole.partition(b"?")
        others = [part for part in query.split(b"&") if part and not SECRET.match(part)]
        return scheme + colon + place + (_digest(others) if others else b"")
    return scheme + colon + host + slash + key


def _digest(parameters: list[bytes]) -> bytes:
    import xxhash

    return b"?query=" + xxhash.xxh3_64_hexdigest(b"&".join(parameters)).encode()
