"""The title and the track names, from the texts of a file."""

from __future__ import annotations

import re

from reference.code_pages import best_code_page, total_costs
from reference.sequence import Facts
from reference.text import RawText, decode, read_text, utf8_cost
from reference.tracks import Message, Track

MAX_NAMES = 1000
MAX_EVIDENCE_BYTES = 1024  # of texts that are tried in each code page
ATTRIBUTES = {"text": "text", "lyrics": "text", "track_name": "name", "copyright": "text", "instrument_name": "name"}  # of mido's messages
OTHER_TEXTS = ("text", "copyright", "instrument_name", "lyrics")  # that tell the code page of the names
SONG_INFORMATION = re.compile(rb"\{#([^}]*)\}")
NO_TITLES = (b"soft karaoke", b"karaoke", b"lyrics", b"words")
ABSENT = RawText(b"", "utf-8")


def bytes_of(message: Message) -> bytes:
    """The bytes of a text event, which mido has read as Latin-1."""
    data: str = getattr(message, ATTRIBUTES[message.type])
    return data.encode("latin1")


def first_name(track: Track) -> RawText:
    """The first name of a track that is not blank."""
    names = (read_text(bytes_of(m)) for _, m in track if m.type == "track_name")
    return next((name for name in names if name.data), ABSENT)


def title_of_line(message: Message) -> RawText:
    """A title in a text (@T of karaoke, or song information) or a lyric (song information)."""
    data = bytes_of(message)
    raw = read_text(data)
    if message.type == "text" and data.startswith(b"@T"):
        return RawText(raw.data[2:].lstrip(b" "), raw.charset, raw.maybe_cut)
    songs = [item[6:] for item in SONG_INFORMATION.findall(raw.data) if item[:6].lower() == b"title=" and item[6:]]
    if songs and data.startswith(b"{"):
        return RawText(songs[0].lstrip(b" "), raw.charset, raw.maybe_cut)
    return ABSENT


def has_only_metas(track: Track) -> bool:
    """Whether a track has neither channel messages nor system-exclusive events."""
    return all(m.is_meta for _, m in track)


def is_title(name: RawText) -> bool:
    """Whether a name has a letter or digit, and is none of a track with lyrics."""
    return bool(re.search(rb"[0-9A-Za-z\x80-\xff]", name.data)) and name.data.lower() not in NO_TITLES


def charset_of(texts: list[RawText], titles: list[RawText], messages: list[Message]) -> str:
    """Decide which texts are cut UTF-8, and return the charset of the others: of the first language tag, or the most likely one."""
    has_utf8 = any(t.charset == "utf-8" and not t.maybe_cut and not t.data.isascii() for t in texts)
    room = MAX_EVIDENCE_BYTES
    for text in [*texts, *titles]:
        if text.maybe_cut:
            if not has_utf8 and len(text.data) <= room:
                room -= len(text.data)
                has_utf8 = utf8_cost(text.data) < min(total_costs([text.data]).values())
            text.charset, text.maybe_cut = "utf-8" if has_utf8 else None, False
    for message in messages:
        data = bytes_of(message) if message.type in ("text", "lyrics", "track_name") else b""
        if data.startswith(b"{"):
            charset = read_text(data).charset
            if charset in ("cp1252", "cp932"):
                return charset
    others = [bytes_of(m) for m in messages if m.type in OTHER_TEXTS]
    evidence, room = [], MAX_EVIDENCE_BYTES
    for text in [*texts[:MAX_NAMES], *titles, *map(read_text, others)]:
        if text.charset is None and text.data and room:
            evidence.append(text.data[:room])
            room -= len(evidence[-1])
    return best_code_page(evidence)


def decoded_names(tracks: list[Track]) -> tuple[list[str | None], list[str | None]]:
    """The name of each track, and what may be the title. (mido reads no RMID container, whose name comes second.)"""
    names = [first_name(track) for track in tracks]
    messages = [m for track in tracks for _, m in track]
    lines = (title_of_line(m) for m in messages if m.type in ("text", "lyrics"))
    line = next((text for text in lines if text.data), ABSENT)
    conductor = next((n for n, t in zip(names[1:], tracks[1:], strict=True) if is_title(n) and has_only_metas(t)), ABSENT)
    charset = charset_of(names, [line], messages)
    return [decode(name, charset) for name in names], [decode(text, charset) for text in (names[0], line, conductor)]


def name_facts(tracks: list[Track]) -> Facts:
    """title and track_names, each name once."""
    names, titles = decoded_names(tracks)
    listed = [name for name, track in zip(names, tracks, strict=True) if first_name(track).data][:MAX_NAMES]
    return {"title": next((t for t in titles if t), None), "track_names": list(dict.fromkeys(name for name in listed if name))}
