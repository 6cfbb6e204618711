"""The parser as a libFuzzer target, without Python in the loop.

Each input lies in a buffer of exactly its size. Every 64th is also parsed into an arena that was never used: the events must be
equal, or something of an earlier file was read.
"""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint64_t, uintptr_t
from libc.stdlib cimport abort
from libc.string cimport memcmp, memset

from midiopt.core.memory cimport Scratch, release, trim
from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Event, Status
from midiopt.core.smf.parser cimport parse_smf

cdef enum:
    MAX_EVENTS = 1 << 20
    FRESH_INTERVAL = 64

cdef Scratch scratch
cdef Arena arena
cdef uint64_t executions = 0
use_scratch(&arena, &scratch)


cdef void use_scratch(Arena *target, Scratch *memory) noexcept nogil:
    """Start with an empty arena in empty memory."""
    memset(memory, 0, sizeof(Scratch))
    memset(target, 0, sizeof(Arena))
    target.scratch = memory


cdef int run(const uint8_t *data, size_t size) noexcept nogil:
    global executions
    cdef size_t offset = 0
    cdef Status status = parse_smf(data, size, &arena, MAX_EVENTS, &offset)
    executions += 1
    if offset > size:
        abort()
    if executions % FRESH_INTERVAL == 0:
        compare_with_new_arena(data, size, status)
    trim(&scratch)
    return 0


cdef void compare_with_new_arena(const uint8_t *data, size_t size, Status expected) noexcept nogil:
    cdef Scratch new_scratch
    cdef Arena other
    cdef size_t offset = 0
    use_scratch(&other, &new_scratch)
    if parse_smf(data, size, &other, MAX_EVENTS, &offset) != expected:
        abort()
    if expected == 0 and (
        other.event_count != arena.event_count or other.header.issues != arena.header.issues
        or memcmp(other.events, arena.events, arena.event_count * sizeof(Event)) != 0
    ):
        abort()
    release(&new_scratch)


def address():
    """The address of LLVMFuzzerTestOneInput for this target."""
    return <uintptr_t>&run
