from .midi cimport Status
from .notes cimport Notes
from .tempo cimport TempoMap

cdef Status measure_polyphony(Notes *notes, const TempoMap *map) noexcept nogil
