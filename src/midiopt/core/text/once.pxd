# A flag that says that a table, filled once per process, is complete. Threads read it without the lock of the interpreter.

cdef extern from *:
    """
    static inline int midiopt_is_done(const int *flag) { return __atomic_load_n(flag, __ATOMIC_ACQUIRE); }
    static inline void midiopt_set_done(int *flag) { __atomic_store_n(flag, 1, __ATOMIC_RELEASE); }
    """
    bint is_done "midiopt_is_done"(const int *flag) noexcept nogil
    void set_done "midiopt_set_done"(int *flag) noexcept nogil
