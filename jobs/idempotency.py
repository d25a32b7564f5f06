"""Requests that clients send again: the second one gets the first one's answer and does nothing.

The answer is stored in the transaction of the request's own effect, so there is no moment at which one exists without
the other: a request that failed, or whose process died, may simply be sent again. A second request that comes while the
first is under way waits for it on the unique index.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from jobs.models import IdempotentRequest

#: Seconds for which an answer is kept.
KEEP: Final = 24 * 3600
#: Seconds that a request waits for one with the same key that is under way.
PATIENCE: Final = 20


class OtherContent(Exception):
    """The key was used before, for a request with other content."""


class UnderWay(Exception):
    """A request with the same key is still under way."""


@dataclass(slots=True)
class Answer:
    """What a request was answered, or is to be: `replayed` tells which."""

    row: IdempotentRequest = field(repr=False)
    replayed: bool

    def keep(self, *, status_code: int, body: str, location: str) -> None:
        """Store the answer; call it inside the block."""
        IdempotentRequest.objects.filter(pk=self.row.pk).update(status_code=status_code, body=body, location=location)


_BEGIN = """
INSERT INTO jobs_idempotentrequest AS old (caller, path, key, content_hash)
VALUES (%(caller)s, %(path)s, %(key)s, %(content_hash)s)
    ON CONFLICT (caller, path, key) DO UPDATE
   SET content_hash = excluded.content_hash, status_code = 0, body = '', location = '',
       created_at = statement_timestamp()
 WHERE old.created_at <= statement_timestamp() - %(keep)s * interval '1 second'
RETURNING id
"""


@contextmanager
def once(*, caller: str, path: str, key: str, content_hash: str) -> Iterator[Answer]:
    """Run the block in a transaction, unless the same request took effect before: then `replayed` is True.

    The block calls `Answer.keep` when it succeeds and raises when it does not. Raises `OtherContent` and `UnderWay`.
    """
    request = {"caller": caller, "path": path, "key": key}
    with transaction.atomic():
        begun = _begin(request, content_hash)
        row = IdempotentRequest.objects.get(**request)
        if not begun and row.content_hash != content_hash:
            raise OtherContent
        yield Answer(row, replayed=not begun)


def _begin(request: dict[str, str], content_hash: str) -> bool:
    """Take the key; return False when a request that took effect has it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{PATIENCE}s"])
            cursor.execute(_BEGIN, {**request, "content_hash": content_hash, "keep": KEEP})
            begun = cursor.fetchone() is not None
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise UnderWay from None
        raise
    return begun
