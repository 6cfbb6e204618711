from typing import Self

from typing_extensions import Buffer, disjoint_base

@disjoint_base
class Analyzer:
    def __new__(cls, max_events: int = ...) -> Self: ...
    def analyze(
        self, data: Buffer, content_hash: bytes, version: int, rows: bytearray, heap: bytearray, tracks: bytearray | None = None
    ) -> tuple[int, int, int]: ...
