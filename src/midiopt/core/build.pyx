"""The version of this build and how it was compiled."""

cdef extern from *:
    """
    #ifdef __clang__
    #define MIDIOPT_COMPILER "clang " __clang_version__
    #else
    #define MIDIOPT_COMPILER "gcc " __VERSION__
    #endif
    """
    const char *MIDIOPT_COMPILER
    const char *MIDIOPT_VERSION  # these four are set by setup.py
    const char *MIDIOPT_MODE
    const char *MIDIOPT_LEVEL
    const char *MIDIOPT_FLAGS

version = MIDIOPT_VERSION.decode()
mode = MIDIOPT_MODE.decode()
level = MIDIOPT_LEVEL.decode()
flags = MIDIOPT_FLAGS.decode()
compiler = MIDIOPT_COMPILER.decode()
