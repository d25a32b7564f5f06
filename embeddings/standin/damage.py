"""What faults do to a good answer of an embedding call."""

from collections.abc import Sequence

from embeddings.standin.faults import Strike
from embeddings.standin.wire import HTML, Reply

#: Faults of single vectors; the others of the same answer stay good.
OF_VECTORS = frozenset({"nan", "null", "empty_vector", "zero_vector", "wrong_dimensions"})


def embedding_reply(vectors: Sequence[bytes], strike: Strike | None, *, batch: bool) -> Reply:
    """The answer of `batchEmbedContents`, or with `batch=False` of `embedContent`, with what a fault does to it.

    `vectors` are JSON arrays.
    """
    values = list(vectors)
    fault = strike.fault if strike else None
    if strike and fault in OF_VECTORS:
        values = [_damaged(value, fault) if place in strike.places else value for place, value in enumerate(values)]
    elif fault == "wrong_count":
        values.pop()
    elif fault == "wrong_count_more":
        values.append(values[-1])
    elif fault == "no_embeddings":
        return Reply(200, b"{}")
    elif fault == "html_200":
        return Reply(200, b"<!DOCTYPE html><html><title>Sign in to the network</title></html>", HTML)
    if batch:
        body = b'{"embeddings": [' + b", ".join(b'{"values": %b}' % value for value in values) + b"]}"
    else:
        body = b'{"embedding": {"values": %b}}' % (values[0] if values else b"[]")
    return Reply(200, body[: len(body) // 2] if fault == "bad_json" else body)


def _damaged(value: bytes, fault: str) -> bytes:
    """One JSON array, damaged."""
    rest = value[value.index(b",") :]
    if fault == "nan":
        return b"[NaN" + rest
    if fault == "null":
        return b"[null" + rest
    if fault == "empty_vector":
        return b"[]"
    if fault == "zero_vector":
        return b"[" + b",".join([b"0"] * (value.count(b",") + 1)) + b"]"
    return value[:-1] + b"," + value[1:]
