"""The entries of a tar archive, from a file or from a stream that is unpacked on the way.

A file is read in large pieces, of which members are slices: one read for many members, where files cost
four calls each. Entries that nobody wants cost one read of their header. Formats: v7, ustar, GNU and
pax (POSIX.1-2001), as far as names, sizes and times go.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.errno cimport EINTR, errno
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memchr, memcmp, memcpy, memmove
from posix.unistd cimport pread

import os

from midiopt.errors import Damaged

cdef enum:
    OTHER = 3  # folders, symbolic links, devices and FIFOs
    BLOCK = 512
    AHEAD = 256 << 10  # bytes read at a time where members are wanted: twenty songs, and it stays in the cache
    MOST_EXTRA = 1 << 20  # bytes of a long name or a pax header; real ones have hundreds

cdef int64_t MOST_SIZE = 1LL << 60  # bytes of an entry, so that sums of offsets fit 64 bits
cdef int64_t MOST_SECONDS = 9_000_000_000  # of a time, so that its nanoseconds do

FILE, HARD_LINK, SPARSE = range(3)


cdef class Tar:
    """Reads entry after entry.

    From a file descriptor (``fd``), or else from a ``stream`` with ``readinto``. ``wanted`` may be set
    to False while entries are only passed over.
    """

    cdef readonly int64_t at  # of the next byte to be taken, from the start of the archive
    cdef public bint wanted
    cdef int fd
    cdef object stream
    cdef bytearray window
    cdef Py_ssize_t first, end  # what of the window was read and not taken
    cdef int64_t left, pad  # bytes of the last entry that were not taken, and those after it up to a whole block
    cdef int64_t size  # of a file

    def __init__(self, int fd=-1, stream=None):
        self.fd = fd
        self.stream = stream
        self.wanted = True
        self.window = bytearray(AHEAD + BLOCK)
        self.size = os.fstat(fd).st_size if fd >= 0 else 0

    def __iter__(self):
        return self

    def __next__(self):
        """(name, bytes, mtime in ns, bytes it takes here, kind) of the next file or hard link. Raises Damaged."""
        entry = self.next()
        while entry[4] == OTHER:
            entry = self.next()
        return entry

    cdef tuple next(self):
        cdef const uint8_t *block
        cdef int64_t size, seconds, start
        cdef bytes name = None, long_name = None
        cdef dict pax = {}
        cdef uint8_t kind
        while True:
            if self.skip(self.left):
                raise Damaged("the archive ends inside an entry", self.at)
            self.skip(self.pad)
            self.left = self.pad = 0
            start = self.at
            if not self.fill(BLOCK):
                if start == 0:
                    raise Damaged("the archive is empty", 0)
                raise Damaged("the end of the archive is missing", start)
            block = self.take(BLOCK)
            if is_zero(block):
                raise StopIteration
            if not checksum_holds(block):
                raise Damaged("no entry where one should be", start)
            size = number(block + 124, 12)
            kind = block[156]
            if kind in b"LKxg":
                if not 0 <= size <= MOST_EXTRA:
                    raise Damaged(f"a header of {size:,} bytes", start)
                name, extra = entry_name(block), self.data(size)
                self.left, self.pad = 0, padding(size)
                if kind == c"L":
                    long_name = bytes(extra).split(b"\0", 1)[0]
                elif kind == c"x":
                    pax = pax_records(bytes(extra), start)
                continue
            seconds = number(block + 136, 12)
            name = entry_name(block) if long_name is None else long_name
            if pax:
                name = pax.get(b"path", name)
                size = whole(pax.get(b"size"), size, start)
                if b"mtime" in pax:
                    seconds = whole(pax[b"mtime"].split(b".")[0], seconds, start)
            if not 0 <= size < MOST_SIZE:
                raise Damaged("an entry without a size", start)
            self.left, self.pad = size, padding(size)
            seconds = max(-MOST_SECONDS, min(seconds, MOST_SECONDS))
            return name, size, seconds * 1_000_000_000, size, kind_of(kind, name, pax)

    def data(self, int64_t size):
        """The bytes of the entry; a view that holds until the next call. Raises Damaged where they end early."""
        cdef int64_t start = self.at
        if not self.fill(size):
            raise Damaged("the archive ends inside an entry", start)
        view = memoryview(self.window)[self.first : self.first + size]
        self.take(size)
        self.left -= size
        return view

    cdef const uint8_t *take(self, Py_ssize_t size):
        cdef const uint8_t *taken = <const uint8_t *>PyByteArray_AS_STRING(self.window) + self.first
        self.first += size
        self.at += size
        return taken

    cdef int64_t skip(self, int64_t size) except -1:
        """Pass over so many bytes, without reading those of a file; how many of them are missing."""
        cdef int64_t step = min(size, self.end - self.first)
        self.take(step)
        size -= step
        if self.fd >= 0:
            step = min(size, max(0, self.size - self.at))
            self.at += step
            return size - step
        while size > 0 and self.fill(min(size, AHEAD)):
            step = min(size, self.end - self.first)
            self.take(step)
            size -= step
        return size

    cdef bint fill(self, Py_ssize_t need) except -1:
        """Have so many bytes in the window; False where the archive ends before."""
        cdef Py_ssize_t got = 0, ahead
        if self.end - self.first >= need:
            return True
        if need > PyByteArray_GET_SIZE(self.window) or need + AHEAD < PyByteArray_GET_SIZE(self.window) - AHEAD:
            fresh = bytearray(max(need, self.end - self.first) + AHEAD)  # a new one: the last may still be looked at
            memcpy(PyByteArray_AS_STRING(fresh), PyByteArray_AS_STRING(self.window) + self.first, self.end - self.first)
            self.window = fresh
        else:
            memmove(PyByteArray_AS_STRING(self.window), PyByteArray_AS_STRING(self.window) + self.first, self.end - self.first)
        self.end -= self.first
        self.first = 0
        ahead = PyByteArray_GET_SIZE(self.window) if self.wanted or self.fd < 0 else need
        while self.end < need:
            if self.fd >= 0:
                got = pread(self.fd, PyByteArray_AS_STRING(self.window) + self.end, ahead - self.end, self.at + self.end)
                if got < 0 and errno == EINTR:
                    continue
                if got < 0:
                    raise OSError(errno, os.strerror(errno))
            else:
                with memoryview(self.window) as view, view[self.end : ahead] as room:
                    got = self.stream.readinto(room)
            if got == 0:
                return False
            self.end += got
        return True


def is_header(bytes head not None):
    """Whether an archive may begin like this."""
    return len(head) >= BLOCK and head[0] != 0 and checksum_holds(head)


cdef inline int64_t padding(int64_t size) noexcept nogil:
    return -size & (BLOCK - 1)


cdef inline bint is_zero(const uint8_t *block) noexcept nogil:
    return block[0] == 0 and memcmp(block, block + 1, BLOCK - 1) == 0


cdef bint checksum_holds(const uint8_t *block) noexcept nogil:
    """The sum of the header's bytes with its own field as blanks; old programs added signed bytes."""
    cdef int said = <int>number(block + 148, 8), plain = 8 * 32, negative = 0
    cdef int i
    for i in range(BLOCK):
        plain += block[i]
        negative += block[i] >> 7
    for i in range(148, 156):
        plain -= block[i]
        negative -= block[i] >> 7
    return said == plain or said == plain - 256 * negative


cdef int64_t number(const uint8_t *field, int width) noexcept nogil:
    """Octal digits, or binary with the high bit set (GNU); -1 for neither."""
    cdef int64_t value = 0
    cdef int i = 0
    if field[0] == 0x80:
        for i in range(width - 8):
            if i and field[i]:
                return -1
        for i in range(width - 8, width):
            value = value << 8 | field[i]
        return value if value >= 0 else -1
    if field[0] == 0xFF:
        return -1
    while i < width and field[i] == c" ":
        i += 1
    while i < width and c"0" <= field[i] <= c"7":
        value = value << 3 | (field[i] - c"0")
        i += 1
    return value if i == width or field[i] in (0, c" ") else -1


cdef bytes text(const uint8_t *field, Py_ssize_t width):
    cdef const void *stop = memchr(field, 0, width)
    return PyBytes_FromStringAndSize(<const char *>field, <const uint8_t *>stop - field if stop != NULL else width)


cdef bytes entry_name(const uint8_t *block):
    name = text(block, 100)
    if block[345] and memcmp(block + 257, b"ustar\0", 6) == 0:
        return text(block + 345, 155) + b"/" + name
    return name


cdef int kind_of(uint8_t kind, bytes name, dict pax):
    if kind == c"S" or (pax and (b"GNU.sparse.major" in pax or b"GNU.sparse.map" in pax)):
        return 2
    if kind == c"0" or kind == 0 or kind == c"7":
        return OTHER if name.endswith(b"/") else 0  # a folder, in the first format
    return 1 if kind == c"1" else OTHER


cdef dict pax_records(bytes data, int64_t start):
    """Of lines "length key=value", the keys and values."""
    records = {}
    cdef Py_ssize_t at = 0, length
    while at < len(data) and data[at] != 0:
        blank = data.find(b" ", at, at + 20)
        digits = data[at:blank] if blank > 0 else b""
        length = int(digits) if digits.isdigit() else 0
        if length <= len(digits) + 1 or at + length > len(data):
            raise Damaged("a pax header that cannot be read", start)
        key, _, value = data[blank + 1 : at + length - 1].partition(b"=")
        records[key] = value
        at += length
    return records


cdef int64_t whole(bytes digits, int64_t otherwise, int64_t start) except? -1:
    if digits is None:
        return otherwise
    if not digits.lstrip(b"-").isdigit() or len(digits) > 18:
        raise Damaged("a pax header that cannot be read", start)
    return int(digits)
