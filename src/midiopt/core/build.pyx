"""How this very build was compiled."""

cdef extern from *:
    """
    #ifdef __clang__
    #define MIDIOPT_COMPILER "clang " __clang_version__
    #else
    #define MIDIOPT_COMPILER "gcc " __VERSION__
    #endif
    """
    const char *MIDIOPT_COMPILER
    const char *MIDIOPT_MODE  # set by setup.py
    const char *MIDIOPT_FLAGS

mode = MIDIOPT_MODE.decode()
flags = MIDIOPT_FLAGS.decode()
compiler = MIDIOPT_COMPILER.decode()
