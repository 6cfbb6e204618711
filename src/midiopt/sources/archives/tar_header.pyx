"""The header of a tar entry, and the records that extend it: v7, ustar, GNU and pax (POSIX.1-2001)."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memchr, memcmp

from midiopt.errors import Damaged
from midiopt.sources.archives.integers import from_decimal

from midiopt.sources.archives.integers cimport parse_tar_field


def is_header(bytes head not None):
    """Whether an archive may begin with these bytes."""
    return len(head) >= BLOCK and head[0] != 0 and has_valid_checksum(head)


cdef bint has_valid_checksum(const uint8_t *block) noexcept nogil:
    """The checksum is the sum of the header's bytes, with blanks in its own field; old programs summed signed bytes.

    A field without digits is no checksum: the signed sum of random bytes is -1, as of no digits, once in 4,000 times.
    """
    cdef int declared = <int>parse_tar_field(block + 148, 8), plain = 8 * 32, negative = 0
    cdef int i
    for i in range(BLOCK):
        plain += block[i]
        negative += block[i] >> 7
    for i in range(148, 156):
        plain -= block[i]
        negative -= block[i] >> 7
    return declared > 0 and (declared == plain or declared == plain - 256 * negative)


cdef bytes field_text(const uint8_t *field, Py_ssize_t width):
    """A field up to its NUL."""
    cdef const void *stop = memchr(field, 0, width)
    return PyBytes_FromStringAndSize(<const char *>field, <const uint8_t *>stop - field if stop != NULL else width)


cdef bytes entry_name(const uint8_t *block):
    """The name in a header, after the prefix that ustar keeps apart."""
    name = field_text(block, 100)
    if block[345] and memcmp(block + 257, b"ustar\0", 6) == 0:
        return field_text(block + 345, 155) + b"/" + name
    return name


cdef int add_sparse_numbers(list numbers, const uint8_t *piece, int count) except -1:
    """Append offset and length of each piece, up to the first empty field."""
    cdef int _
    for _ in range(count):
        if piece[0] == 0:
            break
        numbers.append(parse_tar_field(piece, 12))
        numbers.append(parse_tar_field(piece + 12, 12))
        piece += 24
    return 0


cdef dict pax_records(bytes data, int64_t start):
    """The keys and values of the lines `length key=value`. The map of a sparse file is a list of numbers: format 0.0 has a line for
    each, 0.1 one for all."""
    records = {}
    cdef Py_ssize_t at = 0
    cdef int64_t length
    while at < len(data) and data[at] != 0:
        blank = data.find(b" ", at, at + 20)
        length = pax_integer(data[at:blank] if blank > 0 else b"", start)
        if length <= blank - at + 1 or length > len(data) - at:
            raise Damaged("invalid pax header", start)
        key, _, value = data[blank + 1 : at + length - 1].partition(b"=")
        if key == b"GNU.sparse.offset" or key == b"GNU.sparse.numbytes":
            records.setdefault(b"GNU.sparse.map", []).append(value)
        else:
            records[key] = value.split(b",") if key == b"GNU.sparse.map" and value else value
        at += length
    return records


cdef int64_t pax_integer(bytes digits, int64_t start) except? -1:
    try:
        return from_decimal(digits)
    except ValueError:
        raise Damaged("invalid pax header", start) from None
