"""Thirty questions that people ask of a library, in the words of both databases."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """What is asked, as SQL. ``postgres`` is there where its words differ. A full count looks at every row, so it takes its time."""

    words: str
    sql: str
    postgres: str = ""
    is_full_count: bool = False


BASS = "note_count > 0 AND role = 'bass'"
QUESTIONS = (
    Question("What did the last run find?", "SELECT started, outcome, files, ok, repaired, rejected FROM runs ORDER BY id DESC LIMIT 1"),
    Question("What does `status` show?", "SELECT value FROM meta WHERE key = 'status'"),
    Question("How many files are there?", "SELECT count(*) FROM files WHERE missing_since IS NULL", is_full_count=True),
    Question("How many files have each status?", "SELECT status, count(*) FROM files GROUP BY status", is_full_count=True),
    Question("Which files were rejected, and why?", "SELECT path, error FROM library WHERE status = 'rejected' ORDER BY path LIMIT 50"),
    Question("Which files crashed a worker?", "SELECT path, error FROM library WHERE status = 'crashed' ORDER BY path LIMIT 50"),
    Question("What is new?", "SELECT path, analyzed_at FROM library ORDER BY analyzed_at DESC LIMIT 50"),
    Question("What are the facts of this file?", "SELECT * FROM library WHERE path = '{path}'"),
    Question(
        "Which files have the bytes of this one?",
        "SELECT path FROM files WHERE analysis_id = (SELECT analysis_id FROM files WHERE path = '{path}')",
    ),
    Question(
        "Which contents have the most copies?",
        "SELECT analysis_id, count(*) FROM files WHERE analysis_id > 0 GROUP BY analysis_id ORDER BY 2 DESC LIMIT 20",
        is_full_count=True,
    ),
    Question(
        "Which files have the notes of this one, in other bytes?",
        "SELECT path FROM library WHERE note_count > 0 AND notes_hash = (SELECT notes_hash FROM library WHERE path = '{path}')",
    ),
    Question(
        "Which pieces were saved several times?",
        "SELECT lower(nullif(hex(notes_hash), '')) AS notes, count(*) FROM analyses GROUP BY notes HAVING count(*) > 3 LIMIT 20",
        "SELECT encode(notes_hash, 'hex') AS notes, count(*) FROM analyses GROUP BY notes HAVING count(*) > 3 LIMIT 20",
        is_full_count=True,
    ),
    Question("How many contents have each role?", "SELECT role, sum(contents) FROM facets GROUP BY role"),
    Question("How many contents have each role and meter?", "SELECT role, time_signature, sum(contents) FROM facets GROUP BY 1, 2"),
    Question("How many contents are in each key?", "SELECT key, sum(contents) FROM facets GROUP BY key"),
    Question("How many files have each role?", "SELECT role, count(*) FROM library WHERE role > '' GROUP BY role", is_full_count=True),
    Question(
        "What is in A minor, between 118 and 124 BPM?",
        "SELECT path, title, bpm FROM library WHERE key = 'Am' AND bpm BETWEEN 118 AND 124 LIMIT 100",
    ),
    Question("Which files are the fastest?", "SELECT path, bpm FROM library WHERE bpm > 0 ORDER BY bpm DESC LIMIT 50"),
    Question("Which have the most notes?", "SELECT path, note_count FROM library WHERE note_count > 0 ORDER BY note_count DESC LIMIT 50"),
    Question("Which are the longest?", "SELECT path, duration_s FROM library WHERE duration_s > 0 ORDER BY duration_s DESC LIMIT 50"),
    Question("Which bass parts are in 3/4?", "SELECT path, title FROM library WHERE role = 'bass' AND time_signature = '3/4' LIMIT 100"),
    Question(
        "Which bass parts in 3/4 are in E minor?",
        "SELECT path, title FROM library WHERE role = 'bass' AND time_signature = '3/4' AND key = 'Em' LIMIT 100",
    ),
    Question(
        "Which files have a slap bass?",
        "SELECT path FROM analysis_programs p JOIN files f ON f.analysis_id = p.analysis_id WHERE program = 36"
        " AND missing_since IS NULL LIMIT 100",
        "SELECT path FROM library WHERE programs @> ARRAY[36]::smallint[] LIMIT 100",
    ),
    Question(
        "Which have a slap bass and a vibraphone?",
        "SELECT path FROM analysis_programs p JOIN analysis_programs q ON q.analysis_id = p.analysis_id AND q.program = 11"
        " JOIN files f ON f.analysis_id = p.analysis_id WHERE p.program = 36 AND missing_since IS NULL LIMIT 100",
        "SELECT path FROM library WHERE programs @> ARRAY[11, 36]::smallint[] LIMIT 100",
    ),
    Question(
        "Whose main program is a brass instrument?",
        "SELECT path, name FROM library JOIN programs ON number = primary_program WHERE family = 'Brass' LIMIT 100",
    ),
    Question(
        "Which titles have the words waltz and moon?",
        "SELECT path, title FROM library WHERE title > '' AND title LIKE '%Waltz%Moon%'",
        is_full_count=True,
    ),
    Question("Which titles begin with Night?", "SELECT path, title FROM library WHERE title >= 'Night' AND title < 'Nighu' LIMIT 100"),
    Question("What is on page 500 of the files?", "SELECT path, bpm FROM library WHERE path > '{path}' ORDER BY path LIMIT 100"),
    Question(
        "Which files have a stuck note?",
        "SELECT path FROM library_issues WHERE issue = 'stuck_note' LIMIT 100",
    ),
    Question(
        "Which names are wrong about the tempo?",
        "SELECT path, name_bpm, bpm FROM library WHERE name_bpm > 0 AND NOT name_agrees LIMIT 50",
    ),
)
