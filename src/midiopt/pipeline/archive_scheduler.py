"""The archives in work, as the parent sees them: what of each to deal next, and to whom.

Nobody knows how many members an archive has before it was read to its end. So pieces are dealt until a
worker says that there is no more; one dealt too many comes back empty. Of a file or a zip, which can be
read anywhere, pieces go to any worker. A compressed stream is read by the worker that began it.
When all pieces are answered a last one closes the archive, so that its row is never written before
those of its members.
"""

from __future__ import annotations

from dataclasses import dataclass

from midiopt.pipeline.tasks import PIECE, Note, Piece
from midiopt.schema import CRASHED, OPENED, REJECTED


@dataclass
class _Archive:
    first: Piece
    hand: object = None  # that answered its first piece; of a stream it gets all others
    out: int = 1  # pieces dealt and not answered
    next: int = PIECE  # the first member not yet dealt
    note: Note | None = None  # about the first piece that was answered
    ended: bool = False
    settled: bool = False  # its row is written
    lost: int = 0  # members that killed their workers
    trouble: str = ""
    closing: bool = False

    def can_go_to(self, hand: object) -> bool:
        if self.note is None or self.settled:
            return False
        if not self.ended:
            return not self.note.is_stream or hand is self.hand
        return not self.out and not self.closing

    def deal(self) -> Piece:
        assert self.note
        self.out += 1
        same = self.first._replace(size=self.note.size, mtime_ns=self.note.mtime_ns)
        if self.ended:
            self.closing = True
            if self.lost:
                return same._replace(first=0, last=0, part=CRASHED, closing=f"{self.lost:,} of its members ended as crashed")
            return same._replace(first=0, last=0, part=REJECTED if self.trouble else OPENED, closing=self.trouble)
        self.next += PIECE
        return same._replace(first=self.next - PIECE, last=self.next)


class Unpacking:
    """What to deal of the archives in work."""

    def __init__(self) -> None:
        self.archives: dict[bytes, _Archive] = {}

    def begin(self, item: bytes) -> None:
        """The first piece of an archive was dealt."""
        piece = Piece.decode(item)
        self.archives[piece.path] = _Archive(piece)

    def is_shared(self) -> bool:
        """Whether there is something for any worker."""
        return any(archive.can_go_to(None) for archive in self.archives.values())

    def take(self, hand: object) -> bytes | None:
        """A piece for this worker."""
        for archive in self.archives.values():
            if archive.can_go_to(hand):
                return archive.deal().encode()
        return None

    def moved(self, old: object, new: object) -> None:
        """A worker died; its streams begin anew with the one that takes its place."""
        for archive in self.archives.values():
            if archive.hand is old:
                archive.hand = new

    def answered(self, item: bytes, note: Note | None, hand: object = None) -> None:
        """A piece came back; without a note it was given up, and its row says so."""
        piece = Piece.decode(item)
        archive = self.archives[piece.path]
        archive.out -= 1
        if note:
            if not archive.note:
                archive.note, archive.hand = note, hand
            archive.ended |= note.ended
            archive.settled |= note.settled
            archive.trouble = archive.trouble or note.trouble
        elif piece.is_one:
            archive.lost += 1
        else:
            archive.settled = True
        if archive.settled and not archive.out:
            del self.archives[piece.path]

    def split(self, item: bytes, pieces: int) -> None:
        """A piece is dealt again as so many."""
        self.archives[Piece.decode(item).path].out += pieces - 1
