"""How much one fetch may take of anything."""

from dataclasses import dataclass
from typing import Final

#: Decompressed bytes below which no ratio counts: short pages of blanks compress a thousandfold, harmlessly.
RATIO_FLOOR: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of one fetch, redirects included. Every one of them ends the fetch with an error of its own."""

    #: Seconds for everything together, from looking the name up to the last byte.
    seconds: float = 30.0
    #: Seconds for any one operation on the network.
    read_seconds: float = 10.0
    #: Bytes of the body, decompressed. Large enough for a feed of 10,000 businesses of 1 kB.
    max_bytes: int = 10 * 1024 * 1024
    #: Decompressed bytes per byte received, once there are more than `RATIO_FLOOR`. Text reaches 10 to 30, gzip's most
    #: is 1,032.
    max_ratio: int = 200
    #: Redirects that are followed.
    max_redirects: int = 5
