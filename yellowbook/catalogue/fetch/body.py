"""Reads a body piece by piece and stops at its limits: before the bytes are there, not after."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from yellowbook.catalogue.fetch.errors import TooLarge, Unreachable, Unreadable
from yellowbook.catalogue.fetch.limits import RATIO_FLOOR, Limits

#: What we offer to read. Brotli and zstd would each be one more dependency, for a tenth of the size.
ACCEPT_ENCODING: Final = "gzip, deflate"
#: Bytes that are decompressed at once.
_PIECE: Final = 64 * 1024
#: How zlib is told what to expect: gzip with its header, zlib with its own, bare deflate.
_GZIP, _ZLIB, _BARE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_GZIP_MAGIC: Final = b"\x1f\x8b"


def read_body(pieces: Iterable[bytes], encoding: str, limits: Limits, *, clip: bool = False) -> tuple[bytes, bool]:
    """Return the decoded body, and whether it was cut off at `limits.max_bytes` because `clip` asked for that.

    Raises `TooLarge` for a body beyond the limits (a bomb is one even with `clip`), `Unreadable` for an encoding that
    can't be read, `Unreachable` for a compressed body that ends too early.
    """
    body = bytearray()
    received = _Counter(pieces)
    for piece in _decoded(received, encoding):
        body += piece
        if len(body) > RATIO_FLOOR and len(body) > limits.max_ratio * received.total:
            raise TooLarge(
                f"A body of {received.total:,} bytes unpacks to more than {limits.max_ratio} times that: it is a bomb."
            )
        if len(body) > limits.max_bytes:
            if clip:
                return bytes(body[: limits.max_bytes]), True
            raise TooLarge(f"The body is larger than the {limits.max_bytes:,} bytes that are read.")
    return bytes(body), False


def unpacked(body: bytes, limits: Limits) -> bytes:
    """Return what is in a gzip file that was served as such (`sitemap.xml.gz`); anything else comes back as it is."""
    return read_body([body], "gzip", limits)[0] if body.startswith(_GZIP_MAGIC) else body


class _Counter:
    """Passes pieces on and counts their bytes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.total = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.total += len(piece)
            yield piece


def _decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return iter(pieces)
    if encoding in ("gzip", "x-gzip"):
        return _inflated(pieces, _GZIP)
    if encoding == "deflate":
        return _inflated(pieces, None)
    raise Unreadable(f"The body is encoded as {encoding[:40]!r}, which was not asked for.")


def _inflated(pieces: Iterable[bytes], wbits: int | None) -> Iterator[bytes]:
    """Decompress in bounded steps. `wbits` None: deflate, with or without zlib's header, as servers disagree on it."""
    unpacker = None
    finished = started = False
    try:
        for piece in pieces:
            data = piece
            while data:
                if unpacker is None:
                    if wbits is None:
                        wbits = _ZLIB if data[0] & 0x0F == 8 else _BARE
                    unpacker = zlib.decompressobj(wbits)
                started = True
                made = unpacker.decompress(data, _PIECE)
                data = unpacker.unconsumed_tail
                if made:
                    yield made
                finished = unpacker.eof
                if finished:
                    data = unpacker.unused_data
                    if wbits != _GZIP or not data.startswith(_GZIP_MAGIC):
                        # Rubbish after the end: what came before it is complete.
                        return
                    unpacker = None
    except zlib.error as error:
        raise Unreadable(f"The compressed body is damaged: {error}") from error
    if started and not finished:
        raise Unreachable("The compressed body ends too early.")
