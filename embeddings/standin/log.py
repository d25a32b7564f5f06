"""What was asked of the stand-in, and what it answered."""

import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from time import time
from typing import Any

#: Calls kept; the totals count all of them.
KEPT = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call. `status` is None where no answer was sent; `key` holds the last four characters of the API key."""

    number: int
    at: float
    seconds: float
    method: str
    model: str
    texts: int
    sha256: list[str]
    text: list[str] | None
    key: str
    status: int | None
    fault: str | None


class CallLog:
    """Keeps the last calls and counts all of them. Safe for threads.

    With `with_texts` the log holds the texts themselves besides their hashes.
    """

    def __init__(self, *, with_texts: bool = False) -> None:
        self._with_texts = with_texts
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Start again with an empty log and totals of zero."""
        with self._lock:
            self._calls: deque[Call] = deque(maxlen=KEPT)
            self._number = 0
            self._texts = 0
            self._largest = 0
            self._statuses: Counter[str] = Counter()
            self._embedded: Counter[str] = Counter()

    def add(
        self,
        *,
        began: float,
        method: str,
        model: str,
        texts: Sequence[str],
        embedded: Sequence[str],
        key: str,
        status: int | None,
        fault: str | None,
    ) -> None:
        """Write down a call that began at `began` (seconds since the epoch); `embedded` are texts with good vectors."""
        hashes = [sha256(text.encode()).hexdigest() for text in texts]
        with self._lock:
            self._number += 1
            self._texts += len(texts)
            self._largest = max(self._largest, len(texts))
            self._statuses[str(status or fault)] += 1
            self._embedded.update(embedded)
            self._calls.append(
                Call(
                    number=self._number,
                    at=began,
                    seconds=time() - began,
                    method=method,
                    model=model,
                    texts=len(texts),
                    sha256=hashes,
                    text=list(texts) if self._with_texts else None,
                    key=key[-4:],
                    status=status,
                    fault=fault,
                )
            )

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """Calls with a number above `since`, oldest first."""
        with self._lock:
            return [asdict(call) for call in self._calls if call.number > since]

    def totals(self) -> dict[str, Any]:
        """Counts of everything since the start."""
        with self._lock:
            return {
                "calls": self._number,
                "texts": self._texts,
                "largest_call": self._largest,
                "texts_embedded": self._embedded.total(),
                "distinct_texts_embedded": len(self._embedded),
                "texts_embedded_more_than_once": sum(count > 1 for count in self._embedded.values()),
                "by_status": dict(self._statuses),
            }
