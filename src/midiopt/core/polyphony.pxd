from .midi cimport Status
from .note cimport Notes
from .tempo cimport TempoMap

cdef Status measure_polyphony(Notes *notes, const TempoMap *map) noexcept nogil
