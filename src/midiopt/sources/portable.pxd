# Calls and fields of C that not every Unix has, or that have another name there; system.py switches the calls off for tests.

from libc.stdint cimport int64_t
from posix.stat cimport struct_stat

cdef extern from *:
    """
    #include <limits.h>
    #include <fcntl.h>
    #include <sys/mman.h>
    #include <sys/resource.h>
    #include <sys/stat.h>

    #ifdef __APPLE__
    #define midiopt_mtime st_mtimespec
    #else
    #define midiopt_mtime st_mtim
    #endif
    static inline __attribute__((unused)) long long midiopt_mtime_ns(const struct stat *s) {
        long long ns;
        if (__builtin_mul_overflow((long long)s->midiopt_mtime.tv_sec, 1000000000LL, &ns)
            || __builtin_add_overflow(ns, (long long)s->midiopt_mtime.tv_nsec, &ns) || ns == LLONG_MIN)
            return s->midiopt_mtime.tv_sec < 0 ? -LLONG_MAX : LLONG_MAX;
        return ns;
    }

    #ifdef MAP_POPULATE
    #define MIDIOPT_MAP_POPULATE MAP_POPULATE
    #else
    #define MIDIOPT_MAP_POPULATE 0
    #endif

    static inline __attribute__((unused)) void midiopt_announce(int fd) {
    #ifdef POSIX_FADV_WILLNEED
        posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
    #else
        (void)fd;
    #endif
    }

    static inline __attribute__((unused)) long midiopt_thread_waits(void) {
    #ifdef RUSAGE_THREAD
        struct rusage usage;
        return getrusage(RUSAGE_THREAD, &usage) ? 0 : usage.ru_nvcsw;
    #else
        return 0;
    #endif
    }
    """
    int64_t mtime_ns_of "midiopt_mtime_ns"(const struct_stat *s) noexcept nogil  # as FileState.from_stat
    int POPULATE "MIDIOPT_MAP_POPULATE"  # a flag of mmap(): all pages at once
    void announce "midiopt_announce"(int fd) noexcept nogil  # that the whole file will be read
    long thread_waits "midiopt_thread_waits"() noexcept nogil  # how often this thread has waited, as for a disk
