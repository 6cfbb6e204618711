"""The entries of a tar archive, from a file or from a stream that is decompressed meanwhile.

A file is read in large blocks of which members are slices, so one read serves many members, where files cost four system
calls each. Entries that are skipped cost one read of their header. Formats: v7, ustar, GNU and pax (POSIX.1-2001), as
far as names, sizes, times, hard links and sparse files go.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE
from libc.errno cimport EINTR, errno
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy, memmove
from posix.unistd cimport pread

import os

from midiopt.errors import Damaged
from midiopt.sources.archives.integers import MAX_INTEGER as _MAX_INTEGER
from midiopt.sources.archives.tar_types import HardLink, Sparse, sparse_numbers

from midiopt.sources.archives.integers cimport parse_tar_field
from midiopt.sources.archives.tar_header cimport (
    BLOCK, add_sparse_numbers, entry_name, field_text, has_valid_checksum, is_zero, padding, pax_integer, pax_records,
)

cdef enum:
    READ_AHEAD = 256 << 10  # bytes per read where members are wanted: twenty songs, and it stays in the cache
    MAX_HEADER = 1 << 20  # bytes of a long name or pax header; real ones have hundreds
    MAX_SPARSE_NUMBERS = 1 << 16  # of the map of an old GNU sparse file
    MAX_ZEROS = 1 << 20  # bytes behind an archive that are searched for another one; tar fills records of 10 KB

# Types of entries without a file: links, devices, folders and FIFOs; folders of GNU, the rest of a volume, old long names and the label
# of GNU; access lists, attributes and inodes of Solaris and star. POSIX wants any other type to be read as a file, as 0 and 7 are.
cdef bytes NO_FILES = b"23456DMNVAEI"
cdef int64_t MAX_SECONDS = 9_000_000_000  # of a time, so that its nanoseconds fit 64 bits


cdef class Tar:
    """Reads entry after entry, from a file descriptor (`fd`) or from a `stream` with ``readinto``.

    `read_ahead` may be set to False while entries are skipped.
    """

    cdef readonly int64_t offset  # of the next byte to be taken, from the start of the archive
    cdef public bint read_ahead
    cdef int fd
    cdef object stream
    cdef bytearray window
    cdef Py_ssize_t start, end  # of what was read into the window and not taken
    cdef int64_t remaining  # bytes of the last entry that were not taken
    cdef int64_t pad  # bytes after it, up to a whole block
    cdef int64_t file_size

    def __init__(self, int fd=-1, stream=None):
        self.fd = fd
        self.stream = stream
        self.read_ahead = True
        self.window = bytearray(READ_AHEAD + BLOCK)
        self.file_size = os.fstat(fd).st_size if fd >= 0 else 0

    def __iter__(self):
        return self

    def __next__(self):
        """The next file: name, size in bytes, mtime in ns, bytes that it takes here; then None, or a HardLink or Sparse.

        Raises Damaged.
        """
        entry = self.next_entry()
        while entry is None:
            entry = self.next_entry()
        return entry

    cdef tuple next_entry(self):
        """The next entry; None for a folder, symbolic link, device or FIFO."""
        cdef const uint8_t *block
        cdef int64_t size, seconds, start, whole_size
        cdef bytes name = None, long_name = None, link = None, long_link = None
        cdef list numbers
        cdef dict pax = {}
        cdef uint8_t flag
        while True:
            if self.skip(self.remaining):
                raise Damaged("archive truncated inside an entry", self.offset)
            self.skip(self.pad)
            self.remaining = self.pad = 0
            start = self.offset
            if not self.fill(BLOCK):
                if start == 0:
                    raise Damaged("the archive is empty", 0)
                raise Damaged("end-of-archive marker missing", start)
            block = self.take(BLOCK)
            if is_zero(block):
                if not self.is_continued():
                    raise StopIteration
                continue
            if not has_valid_checksum(block):
                raise Damaged("invalid entry header", start)
            size = parse_tar_field(block + 124, 12)
            flag = block[156]
            if flag in b"LKxXg":
                if not 0 <= size <= MAX_HEADER:
                    raise Damaged(f"extended header of {size:,} bytes, over the limit of {MAX_HEADER:,}", start)
                extra = self.data(size)
                self.remaining, self.pad = 0, padding(size)
                if flag == c"L":
                    long_name = bytes(extra).split(b"\0", 1)[0]
                elif flag == c"K":
                    long_link = bytes(extra).split(b"\0", 1)[0]
                elif flag == c"x" or flag == c"X":  # that of Solaris
                    pax = pax_records(bytes(extra), start)
                continue
            seconds = parse_tar_field(block + 136, 12)
            name = entry_name(block) if long_name is None else long_name
            link = field_text(block + 157, 100) if long_link is None else long_link
            whole_size = parse_tar_field(block + 483, 12) if flag == c"S" else size
            numbers = self.old_sparse_numbers(block, start) if flag == c"S" else None  # `block` is not valid beyond this line
            if pax:
                name = pax.get(b"GNU.sparse.name", pax.get(b"path", name))
                link = pax.get(b"linkpath", link)
                if b"GNU.sparse.map" in pax or b"GNU.sparse.size" in pax:  # of 0.1 or 0.0, which may have no piece
                    numbers = sparse_numbers(pax.get(b"GNU.sparse.map", ()))
                if b"size" in pax:
                    size = pax_integer(pax[b"size"], start)
                if b"mtime" in pax:
                    seconds = pax_integer(pax[b"mtime"].split(b".")[0], start)
                for key in (b"GNU.sparse.size", b"GNU.sparse.realsize"):
                    if key in pax:
                        whole_size = pax_integer(pax[key], start)
            if not 0 <= size < _MAX_INTEGER:
                raise Damaged("entry without a valid size", start)
            is_folder = name.endswith(b"/")  # a v7 archive marks folders by the name alone
            if size and (is_folder or flag in b"123456") and self.is_at_header():
                size = 0  # that of what is linked to, or of the folder itself
            self.remaining, self.pad = size, padding(size)
            seconds = max(-MAX_SECONDS, min(seconds, MAX_SECONDS))
            if numbers is not None or (pax and b"GNU.sparse.major" in pax):
                if not 0 <= whole_size < _MAX_INTEGER:
                    raise Damaged("entry without a valid size", start)
                return name, whole_size, seconds * 1_000_000_000, size, Sparse(numbers, size)
            if flag == c"1" and size == 0:
                return name, 0, seconds * 1_000_000_000, 0, HardLink(link, self.offset)
            if is_folder or flag in NO_FILES:
                return None
            return name, size, seconds * 1_000_000_000, size, None

    cdef bint is_at_header(self) except -1:
        """Whether no data comes next: the header of another entry, or the end of the archive."""
        cdef const uint8_t *block
        if not self.fill(BLOCK):
            return True
        block = self.peek()
        return is_zero(block) or has_valid_checksum(block)

    cdef bint is_continued(self) except -1:
        """Skip the zeros at the end of an archive; returns whether another archive comes next, as after `cat a.tar b.tar`."""
        cdef int64_t limit = self.offset + MAX_ZEROS
        while self.offset < limit:
            try:
                if not self.fill(BLOCK):
                    return False
            except Damaged:  # compressed data that is damaged behind the archive
                return False
            if not is_zero(self.peek()):
                return has_valid_checksum(self.peek())
            self.take(BLOCK)
        return False

    cdef list old_sparse_numbers(self, const uint8_t *block, int64_t start):
        """The map of an old GNU sparse file: four pieces in the header, 21 in each block that follows it, which `size` does not count."""
        cdef list numbers = []
        cdef bint is_extended = block[482] != 0
        add_sparse_numbers(numbers, block + 386, 4)
        while is_extended:
            if not self.fill(BLOCK):
                raise Damaged("archive truncated inside an entry", self.offset)
            block = self.take(BLOCK)
            is_extended = block[504] != 0
            add_sparse_numbers(numbers, block, 21)
            if len(numbers) > MAX_SPARSE_NUMBERS:
                raise Damaged("sparse file with too many pieces", start)
        return numbers

    def read_at(self, int64_t offset, int64_t size):
        """Content at an offset that is not before ``self.offset``, as a view that is valid until the next call. Raises Damaged."""
        if self.skip(offset - self.offset):
            raise Damaged("archive truncated inside an entry", self.offset)
        return self.data(size)

    def data(self, int64_t size):
        """The content of the entry, as a view that is valid until the next call. Raises Damaged where it ends early."""
        cdef int64_t start = self.offset
        if not self.fill(size):
            raise Damaged("archive truncated inside an entry", start)
        view = memoryview(self.window)[self.start : self.start + size]
        self.take(size)
        self.remaining -= size
        return view

    cdef const uint8_t *peek(self) noexcept:
        return <const uint8_t *>PyByteArray_AS_STRING(self.window) + self.start

    cdef const uint8_t *take(self, Py_ssize_t size):
        cdef const uint8_t *taken = <const uint8_t *>PyByteArray_AS_STRING(self.window) + self.start
        self.start += size
        self.offset += size
        return taken

    cdef int64_t skip(self, int64_t size) except -1:
        """Skip bytes, without reading those of a file; returns how many of them are missing."""
        cdef int64_t step = min(size, self.end - self.start)
        self.take(step)
        size -= step
        if self.fd >= 0:
            step = min(size, max(0, self.file_size - self.offset))
            self.offset += step
            return size - step
        while size > 0 and self.fill(min(size, READ_AHEAD)):
            step = min(size, self.end - self.start)
            self.take(step)
            size -= step
        return size

    cdef bint fill(self, Py_ssize_t need) except -1:
        """Read until the window holds `need` bytes; False if the archive ends before."""
        cdef Py_ssize_t got = 0, target
        if self.end - self.start >= need:
            return True
        if need > PyByteArray_GET_SIZE(self.window) or need + READ_AHEAD < PyByteArray_GET_SIZE(self.window) - READ_AHEAD:
            fresh = bytearray(max(need, self.end - self.start) + READ_AHEAD)  # a view of the old one may still exist
            memcpy(PyByteArray_AS_STRING(fresh), PyByteArray_AS_STRING(self.window) + self.start, self.end - self.start)
            self.window = fresh
        else:
            memmove(PyByteArray_AS_STRING(self.window), PyByteArray_AS_STRING(self.window) + self.start, self.end - self.start)
        self.end -= self.start
        self.start = 0
        target = PyByteArray_GET_SIZE(self.window) if self.read_ahead or self.fd < 0 else need
        while self.end < need:
            if self.fd >= 0:
                got = pread(self.fd, PyByteArray_AS_STRING(self.window) + self.end, target - self.end, self.offset + self.end)
                if got < 0 and errno == EINTR:
                    continue
                if got < 0:
                    raise OSError(errno, os.strerror(errno))
            else:
                with memoryview(self.window) as view, view[self.end : target] as room:
                    got = self.stream.readinto(room)
            if got == 0:
                return False
            self.end += got
        return True
