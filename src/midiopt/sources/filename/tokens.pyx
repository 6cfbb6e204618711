"""The table of character classes."""


cdef int fill_classes() except -1:
    cdef int byte
    for byte in range(256):
        CLASS[byte] = (
            LETTER * (byte >= 128 or chr(byte).isalpha()) | DIGIT * (48 <= byte < 58) | SPACE * (byte in b" _-") | QUOTE * (byte == 39)
        )
    return 0


fill_classes()
