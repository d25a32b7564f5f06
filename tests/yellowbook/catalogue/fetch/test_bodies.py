"""Fetching a body: unpacked within limits, in time, and whole."""

import gzip
import zlib
from http.server import BaseHTTPRequestHandler

import pytest

from jobs.errors import ErrorClass
from yellowbook.catalogue.fetch.errors import (
    TooLarge,
    TooSlow,
    Unreachable,
    Unreadable,
)
from yellowbook.catalogue.fetch.limits import Limits

TEXT = "Ресторан Хаан, ".encode() * 500


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("X-GZIP", gzip.compress(TEXT, mtime=0)),
        ("gzip", gzip.compress(TEXT[:100], mtime=0) + gzip.compress(TEXT[100:], mtime=0)),
        ("gzip", gzip.compress(TEXT, mtime=0) + b"rubbish"),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("identity", TEXT),
    ],
)
def test_a_packed_body_is_unpacked(site, fetcher, encoding, packed):
    site.serve("/", packed, Content_Encoding=encoding)

    assert fetcher.fetch(site.url + "/").body == TEXT


@pytest.mark.parametrize(
    ("encoding", "packed", "error"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)[:-20], Unreachable),
        ("gzip", b"this is no gzip", Unreadable),
        ("gzip", gzip.compress(TEXT, mtime=0)[:-8] + bytes(8), Unreadable),
        ("br", b"x", Unreadable),
        ("gzip, gzip", gzip.compress(gzip.compress(TEXT, mtime=0), mtime=0), Unreadable),
    ],
)
def test_a_body_that_can_not_be_unpacked_is_an_error_of_its_own(site, fetcher, encoding, packed, error):
    site.serve("/", packed, Content_Encoding=encoding)

    with pytest.raises(error):
        fetcher.fetch(site.url + "/")


def bomb(megabytes: int) -> bytes:
    """Pack zeros, about a thousandfold."""
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    zeros = bytes(1024 * 1024)
    return b"".join(packer.compress(zeros) for _ in range(megabytes)) + packer.flush()


def test_a_bomb_is_not_unpacked_beyond_the_ratio(site, fetcher, monkeypatch):
    unpacked = counted_unpacking(monkeypatch)
    site.serve("/", bomb(50), Content_Encoding="gzip")

    with pytest.raises(TooLarge, match="bomb"):
        fetcher.fetch(site.url + "/", limits=Limits(max_bytes=10**9))

    assert sum(unpacked) < 30 * 1024 * 1024


def test_a_bomb_is_not_unpacked_beyond_the_size(site, fetcher, monkeypatch):
    unpacked = counted_unpacking(monkeypatch)
    site.serve("/", bomb(50), Content_Encoding="gzip")

    with pytest.raises(TooLarge, match="larger"):
        fetcher.fetch(site.url + "/", limits=Limits(max_bytes=1_000_000))

    assert sum(unpacked) < 1_100_000


def counted_unpacking(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many bytes each step of unpacking made."""
    made: list[int] = []
    real = zlib.decompressobj

    class Counted:
        def __init__(self, wbits: int) -> None:
            self._real = real(wbits)

        def decompress(self, data: bytes, most: int = 0) -> bytes:
            piece = self._real.decompress(data, most)
            made.append(len(piece))
            return piece

        def __getattr__(self, name: str) -> object:
            return getattr(self._real, name)

    monkeypatch.setattr(zlib, "decompressobj", Counted)
    return made


def test_a_body_that_declares_too_much_is_refused_unread(site, fetcher):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(10**12))
        handler.end_headers()
        handler.close_connection = True

    site.answers["/"] = answer

    with pytest.raises(TooLarge):
        fetcher.fetch(site.url + "/")


def endless(site, pause: float = 0.0):
    """Answer with a body that does not end, chunk after chunk."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        piece = b"x" if pause else b"x" * 10_000
        while not site.over.wait(pause):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            handler.wfile.flush()

    return answer


def test_an_endless_body_ends_at_the_limit(site, fetcher):
    site.answers["/"] = endless(site)

    with pytest.raises(TooLarge):
        fetcher.fetch(site.url + "/")


def test_a_body_is_cut_off_at_the_limit_for_who_asks_for_that(site, fetcher):
    site.answers["/"] = endless(site)

    got = fetcher.fetch(site.url + "/", clip=True, limits=Limits(max_bytes=1000))

    assert (got.body, got.clipped) == (b"x" * 1000, True)


def test_a_trickle_ends_at_the_deadline_however_steady(site, fetcher):
    site.answers["/"] = endless(site, pause=0.02)

    with pytest.raises(TooSlow) as caught:
        fetcher.fetch(site.url + "/", limits=Limits(seconds=0.3, read_seconds=5))

    assert caught.value.error_class is ErrorClass.NETWORK


def test_headers_that_trickle_end_at_the_deadline(site, fetcher):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not site.over.wait(0.02):
            handler.wfile.write(b"X-More: and more\r\n")

    site.answers["/"] = answer

    with pytest.raises(TooSlow):
        fetcher.fetch(site.url + "/", limits=Limits(seconds=0.3, read_seconds=5))


def test_silence_ends_at_the_time_for_one_read(site, fetcher):
    site.answers["/"] = lambda handler: site.over.wait(30)

    with pytest.raises(TooSlow):
        fetcher.fetch(site.url + "/", limits=Limits(seconds=10, read_seconds=0.1))


def test_redirects_share_one_deadline(site, fetcher):
    def slow_redirect(number: int):
        def answer(handler: BaseHTTPRequestHandler) -> None:
            site.over.wait(0.15)
            handler.send_response(302)
            handler.send_header("Location", f"/{number + 1}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        return answer

    for number in range(6):
        site.answers[f"/{number}"] = slow_redirect(number)

    with pytest.raises(TooSlow):
        fetcher.fetch(site.url + "/0", limits=Limits(seconds=0.4))


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x16\x03\x01\x00rubbish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_an_answer_that_is_cut_short_or_is_not_http_may_be_whole_next_time(site, fetcher, sent):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(sent)
        handler.close_connection = True

    site.answers["/"] = answer

    with pytest.raises(Unreachable) as caught:
        fetcher.fetch(site.url + "/")

    assert caught.value.error_class is ErrorClass.NETWORK


def test_a_port_where_nobody_listens_is_unreachable(site, fetcher):
    with pytest.raises(Unreachable):
        fetcher.fetch("http://127.0.0.1:1/")
