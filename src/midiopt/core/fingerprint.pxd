from libc.stdint cimport uint64_t

from .midi cimport Status
from .note cimport Notes
from .tempo cimport TempoMap

cdef Status add_fingerprint(Notes *notes, const TempoMap *map) noexcept nogil
