"""Keep the memory of a process that answers from growing with its threads."""

import ctypes

_TRIM, _MMAP, _ARENAS = -1, -3, -8  # as malloc.h of glibc has them
_LARGE = 128 << 10  # bytes; what is larger is given back at once
_LEFT = 1 << 20  # bytes that may be left unused at the end of the heap


def share_one_heap() -> None:
    """Let all threads allocate from one heap, and give large arrays back at once.

    By default glibc keeps a heap for each thread and holds what was freed in it: the
    arrays of a question, tens of megabytes, stayed in each. Elsewhere this does nothing.
    """
    try:
        option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or none
        return
    for name, value in ((_ARENAS, 1), (_MMAP, _LARGE), (_TRIM, _LEFT)):
        option(name, value)
