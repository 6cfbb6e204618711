"""Reading ahead: the same content, states and errors as reading one file after another, within bounds, and only while it pays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midiopt.errors import TooLarge
from midiopt.sources.read_ahead import ReadAhead
from midiopt.sources.reader import Reader

MAX_BYTES = 100_000


def outcome(reader: Reader, path: bytes) -> tuple:
    """What a reader does with a path."""
    try:
        reader.read(path)
    except (OSError, TooLarge) as problem:
        return str(problem), reader.size_bytes, reader.mtime_ns
    return bytes(memoryview(reader)), reader.size_bytes, reader.mtime_ns


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> list[bytes]:
    """Files of all sizes, and everything that is none."""
    folder = tmp_path_factory.mktemp("files")
    for i in range(300):
        (folder / f"{i:03}").write_bytes(bytes([i % 256]) * (i * 37 % 5000))
    (folder / "large").write_bytes(b"x" * MAX_BYTES)
    (folder / "too large").write_bytes(b"x" * (MAX_BYTES + 1))
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "link").symlink_to(folder / "001")
    os.mkfifo(folder / "pipe")
    names = [*sorted(os.listdir(folder)), "missing", "003", "no/such", "002\0hidden", ""]
    return [os.fsencode(folder / name) for name in names] + [b"/sys/devices/system/cpu/online"]


def test_files_read_ahead_are_those_read_one_after_another(paths):
    plain, ahead = Reader(MAX_BYTES), ReadAhead(MAX_BYTES, always=True)
    for _ in range(3):
        ahead.expect(paths)
        assert [outcome(ahead, path) for path in paths] == [outcome(plain, path) for path in paths]
    assert (ahead.files_ahead, ahead.bytes_ahead) == (0, 0)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["expect", "read", "read another"]), st.integers(0, 400))))
def test_any_order_of_calls_gives_the_right_files(paths, calls):
    """Also files that nobody announced, between those that were."""
    plain, ahead, announced = Reader(MAX_BYTES), ReadAhead(MAX_BYTES, always=True), []
    for call, number in calls:
        path = paths[number % len(paths)]
        if call == "expect":
            ahead.expect(paths[:number])
            announced += paths[:number]
            continue
        if call == "read" and announced:
            path = announced[0]
        assert outcome(ahead, path) == outcome(plain, path)
        if announced and path == announced[0]:
            announced.pop(0)


def test_the_files_ahead_are_bounded_in_number_and_bytes(tmp_path):
    paths = []
    for i in range(300):
        paths.append(os.fsencode(tmp_path / f"{i:03}"))
        Path(tmp_path / f"{i:03}").write_bytes(b"%03d" % i)
        os.truncate(paths[-1], 1 << 20)
    reader = ReadAhead(always=True)
    reader.expect(paths)
    for i, path in enumerate(paths):
        reader.read(path)
        assert reader.files_ahead <= 128 and reader.bytes_ahead <= 16 << 20
        assert bytes(memoryview(reader)[:3]) == b"%03d" % i
    assert (reader.files_ahead, reader.bytes_ahead) == (0, 0)


def test_the_last_buffer_is_kept_while_it_is_in_use(paths):
    reader = ReadAhead(always=True)
    reader.expect(paths[:9])
    reader.read(paths[0])
    with memoryview(reader) as view:
        content = bytes(view)
        with pytest.raises(BufferError):
            reader.read(paths[1])
        assert bytes(view) == content
    reader.read(paths[1])
    assert bytes(memoryview(reader)) == Path(os.fsdecode(paths[1])).read_bytes()


def test_a_reader_with_files_ahead_can_be_dropped(paths):
    for _ in range(50):
        reader = ReadAhead(always=True)
        reader.expect(paths)
        reader.read(paths[0])
        assert reader.files_ahead > 0


COUNT_THREADS = """
import os, resource, sys
from midiopt.sources.read_ahead import ReadAhead
from midiopt.sources.walk import iter_paths
if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]),) * 2)
reader, size = ReadAhead(), 0
for source in sys.argv[1].split(":"):
    paths = list(iter_paths([source]))
    reader.expect(paths)
    for path in paths:
        reader.read(path)
        size += reader.size_bytes
    print(len(paths), size, len(os.listdir("/proc/self/task")) - 1, reader.files_ahead)
    reader.expect(paths)
    reader.read(paths[0])
    print(reader.files_ahead)
    for path in paths[1:]:
        reader.read(path)
"""


@pytest.fixture
def slow_and_fast(tmp_path) -> list[Path]:
    """Two folders of 400 files of ten bytes."""
    folders = [tmp_path / "slow", tmp_path / "fast"]
    for folder in folders:
        folder.mkdir()
        for i in range(400):
            (folder / f"{i:03}.mid").write_bytes(b"0123456789")
    return folders


def counts(*arguments: object, environment: dict[str, str]) -> list[list[int]]:
    command = [sys.executable, "-c", COUNT_THREADS, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [list(map(int, line.split())) for line in done.stdout.splitlines()]


def test_reading_ahead_begins_with_slow_files_and_ends_with_fast_ones(slow_and_fast, slow_disk):
    slow, fast = slow_and_fast
    slow_counts, [slow_ahead], fast_counts, [fast_ahead] = counts(f"{slow}:{fast}", environment=slow_disk(slow, 2))
    assert (slow_counts[:2], fast_counts[:2]) == ([400, 4000], [400, 8000])
    assert 0 < slow_counts[2] <= fast_counts[2] <= 64  # threads: on a busy machine fewer are started
    assert slow_counts[3] == fast_counts[3] == 0
    assert 0 < slow_ahead <= 128 and fast_ahead == 0


def test_files_from_the_page_cache_start_no_thread(slow_and_fast):
    [[files, size, threads, _], [ahead]] = counts(slow_and_fast[1], environment=dict(os.environ))
    assert (files, size, threads, ahead) == (400, 4000, 0, 0)


def test_a_process_that_may_open_few_files_starts_few_threads(slow_and_fast, slow_disk):
    for limit, threads in ((32, 0), (140, 6)):
        lines = counts(slow_and_fast[0], limit, environment=slow_disk(slow_and_fast[0], 1))
        assert lines[0] == [400, 4000, threads, 0]


INTERRUPTED = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
static int opened, told, fd = -1;
int open64(const char *path, int flags, int mode) {
    int (*next)(const char *, int, int) = dlsym(RTLD_NEXT, "open64");
    int is_song = strstr(path, "a.mid") != 0;
    if (is_song && opened++ == 0) { errno = EINTR; return -1; }
    int found = next(path, flags, mode);
    if (is_song) fd = found;
    return found;
}
int fstat64(int number, struct stat64 *info) {
    int (*next)(int, struct stat64 *) = dlsym(RTLD_NEXT, "fstat64");
    if (number == fd && told++ == 0) { errno = EINTR; return -1; }
    return next(number, info);
}
"""
READ = """
import sys
from midiopt.sources.reader import Reader
reader = Reader()
reader.read(sys.argv[1].encode())
print(bytes(memoryview(reader)))
"""


def test_calls_that_a_signal_interrupts_are_made_again(tmp_path):
    """As a network file system mounted with `intr` has them; Python's own open() does so, too (PEP 475)."""
    (tmp_path / "intr.c").write_text(INTERRUPTED)
    (tmp_path / "a.mid").write_bytes(b"0123456789")
    library = tmp_path / "intr.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "intr.c"], check=True)
    environment = os.environ | {"LD_PRELOAD": f"{os.environ.get('LD_PRELOAD', '')} {library}"}
    command = [sys.executable, "-c", READ, tmp_path / "a.mid"]
    assert subprocess.check_output(command, env=environment, text=True) == "b'0123456789'\n"
