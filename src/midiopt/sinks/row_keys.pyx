"""Keys of rows, compared without Python objects: which rows of a batch are the last with their key, which hashes are absent, and which
analysis each file has.

A hash table of row numbers with linear probing, at most half full. Texts are mixed eight bytes at a time; whoever makes paths that
collide slows down one batch of some thousand rows to some million comparisons, a few milliseconds.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy

from midiopt.rows.layout cimport load_int32, read_text

cdef enum:
    HASH_BYTES = 16
    UNKNOWN = -1


cdef struct Key:
    const char *start
    Py_ssize_t length

cdef struct Keys:
    const char *rows
    Py_ssize_t count
    Py_ssize_t width   # bytes from one row to the next
    Py_ssize_t offset  # of the key in a row
    Py_ssize_t size    # of the key, if it is no text
    const char *heap   # of texts; NULL if the key is none


cdef inline Key key_of(const Keys *keys, Py_ssize_t i) noexcept nogil:
    cdef const char *p = keys.rows + i * keys.width + keys.offset
    if keys.heap == NULL:
        return Key(p, keys.size)
    return Key(keys.heap + <uint32_t>load_int32(p), <uint32_t>load_int32(p + 4))


cdef inline uint64_t mixed(Key key) noexcept nogil:
    cdef uint64_t hash = key.length, word
    cdef Py_ssize_t i
    for i in range(0, key.length - 7, 8):
        memcpy(&word, key.start + i, 8)
        hash = (hash ^ word) * 0x9E3779B97F4A7C15U
        hash ^= hash >> 32
    word = 0
    memcpy(&word, key.start + (key.length & ~7), key.length & 7)
    hash = (hash ^ word) * 0x9E3779B97F4A7C15U
    return hash ^ hash >> 32


cdef int32_t *new_table(Py_ssize_t count, uint64_t *mask) noexcept nogil:
    """Slots for so many rows, each 0 or the number of a row plus one; NULL without memory."""
    mask[0] = 15
    while mask[0] < 2 * <uint64_t>count:
        mask[0] = 2 * mask[0] + 1
    return <int32_t *>calloc(mask[0] + 1, sizeof(int32_t))


cdef Py_ssize_t find(int32_t *table, uint64_t mask, const Keys *keys, Key key) noexcept nogil:
    """The slot of the row with this key, or the free slot where it belongs."""
    cdef uint64_t at = mixed(key) & mask
    cdef Key other
    while table[at]:
        other = key_of(keys, table[at] - 1)
        if other.length == key.length and memcmp(other.start, key.start, key.length) == 0:
            break
        at = (at + 1) & mask
    return at


def last_rows(rows, Py_ssize_t offset, Py_ssize_t size, bytes heap not None):
    """Of rows (a contiguous structured array) with the same key the number of the last one, in order; None if all keys differ.

    The key lies at `offset` in a row and has `size` bytes, or is a text in the heap if `size` is 0. Raises ValueError for a text
    outside the heap.
    """
    cdef const unsigned char[::1] data = rows.view("u1")
    cdef Keys keys = Keys(NULL, len(rows), rows.dtype.itemsize, offset, size, NULL)
    cdef uint64_t mask
    cdef Py_ssize_t i, at, kept = 0
    cdef int32_t *table
    if keys.count:
        keys.rows = <const char *>&data[0]
    if size == 0:
        keys.heap = heap
        for i in range(keys.count):
            read_text(keys.rows + i * keys.width + offset, keys.heap, len(heap))
    table = new_table(keys.count, &mask)
    if table == NULL:
        raise MemoryError
    for i in range(keys.count):
        at = find(table, mask, &keys, key_of(&keys, i))
        kept += table[at] == 0
        table[at] = <int32_t>i + 1
    result = None if kept == keys.count else sorted([table[at] - 1 for at in range(<Py_ssize_t>mask + 1) if table[at]])
    free(table)
    return result


def absent(bytes wanted not None, bytes known not None):
    """The hashes in `wanted` that are not in `known`, as a set; both are hashes of HASH_BYTES each, joined."""
    cdef Keys keys = Keys(known, len(known) // HASH_BYTES, HASH_BYTES, 0, HASH_BYTES, NULL)
    cdef const char *start = wanted
    cdef uint64_t mask
    cdef Py_ssize_t i
    cdef int32_t *table = new_table(keys.count, &mask)
    if table == NULL:
        raise MemoryError
    for i in range(keys.count):
        table[find(table, mask, &keys, key_of(&keys, i))] = <int32_t>i + 1
    found = set()
    for i in range(len(wanted) // HASH_BYTES):
        if table[find(table, mask, &keys, Key(start + i * HASH_BYTES, HASH_BYTES))] == 0:
            found.add(PyBytes_FromStringAndSize(start + i * HASH_BYTES, HASH_BYTES))
    free(table)
    return found


def analysis_ids(
    files, Py_ssize_t hash_at, Py_ssize_t status_at, uint64_t analysed,
    analyses, Py_ssize_t key_at, const int64_t[::1] ids not None,
):
    """The id of each file's analysis as 64-bit integers: 0 for a file that has none, UNKNOWN if it is not among `ids`.

    `ids` are those of the rows of `analyses`, 0 if not known. Both tables are contiguous structured arrays, in which the hashes and
    the status lie at these places. A file has an analysis if the bit of its status is set in `analysed`. `files` may also be tracks,
    which have no status (`status_at` is -1) and all have an analysis: those of a content follow one another.

    A worker sends files and their analyses in the same order, so the one after the last that was found is looked at first: without
    copies in the batch nothing is hashed, 10 instead of 100 ns per file.
    """
    cdef const unsigned char[::1] data = files.view("u1")
    cdef const unsigned char[::1] known = analyses.view("u1")
    cdef Keys keys = Keys(NULL, len(ids), analyses.dtype.itemsize, key_at, HASH_BYTES, NULL)
    cdef Py_ssize_t count = len(files), width = files.dtype.itemsize, i
    cdef bytearray result = PyByteArray_FromStringAndSize(NULL, count * <Py_ssize_t>sizeof(int64_t))
    cdef int64_t *found = <int64_t *>PyByteArray_AS_STRING(result)
    cdef const char *digest
    cdef Py_ssize_t next = 0
    cdef uint64_t mask = 0, at
    cdef int32_t *table = NULL
    if keys.count:
        keys.rows = <const char *>&known[0]
    for i in range(count):
        digest = <const char *>&data[i * width + hash_at]
        if status_at < 0:
            if i and memcmp(digest, digest - width, HASH_BYTES) == 0:
                found[i] = found[i - 1]
                continue
        elif data[i * width + status_at] >= 64 or not analysed >> data[i * width + status_at] & 1:
            found[i] = 0
            continue
        if next < keys.count and ids[next] and memcmp(digest, key_of(&keys, next).start, HASH_BYTES) == 0:
            found[i] = ids[next]
            next += 1
            continue
        if table == NULL:
            table = table_of_inserted(&keys, ids, &mask)
            if table == NULL:
                raise MemoryError
        at = find(table, mask, &keys, Key(digest, HASH_BYTES))
        found[i] = UNKNOWN
        if table[at]:
            found[i] = ids[table[at] - 1]
            next = table[at]
    free(table)
    return result


cdef int32_t *table_of_inserted(const Keys *keys, const int64_t[::1] ids, uint64_t *mask) noexcept:
    """The rows with an id, by their key."""
    cdef int32_t *table = new_table(keys.count, mask)
    cdef Py_ssize_t i
    if table != NULL:
        for i in range(keys.count):
            if ids[i]:
                table[find(table, mask[0], keys, key_of(keys, i))] = <int32_t>i + 1
    return table
