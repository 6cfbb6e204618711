"""The level of x86-64 that this processor and the operating system support; "" on other architectures.

A portable build compiles this module for any x86-64, since it says what the others may be compiled for.
"""

cdef extern from *:
    """
    static const char *supported_level(void) {
    #if defined(__x86_64__)
        __builtin_cpu_init();
        if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
        if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
        if (__builtin_cpu_supports("x86-64-v2")) return "x86-64-v2";
        return "x86-64";
    #else
        return "";
    #endif
    }
    """
    const char *supported_level() noexcept nogil

level = supported_level().decode()
