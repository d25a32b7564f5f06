"""How the C library hands out memory in a process with many threads."""

import ctypes
from typing import Final

#: `mallopt`'s parameters, from glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
#: Heaps that threads share. glibc would make eight for each core, and each keeps the most that was ever in it.
ARENAS: Final = 2
#: Bytes from which a block is a mapping of its own, which goes back to the system as soon as it is freed; and that the
#: end of a heap may hold unused. glibc starts with these and raises both as it goes: every large answer of a provider
#: would leave a hole in the heap.
LARGE: Final = 128 * 1024


def keep_memory_small() -> None:
    """Have this process give memory back that it has no use for; nothing happens where glibc is not the C library."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)
        mallopt(_M_MMAP_THRESHOLD, LARGE)
        mallopt(_M_TRIM_THRESHOLD, LARGE)
