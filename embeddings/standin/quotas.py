"""Quotas that the stand-in enforces, counted as Google counts: every text of a batch is one request."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from time import time
from zoneinfo import ZoneInfo

from embeddings.standin.wire import REQUESTS_PER_DAY, REQUESTS_PER_MINUTE, TOKENS_PER_MINUTE, Reply, quota_exceeded

#: Length of the sliding window of the per-minute quotas, in seconds.
MINUTE = 60.0
#: Where Google's quota days begin at midnight.
PACIFIC = ZoneInfo("America/Los_Angeles")


def tokens_of(text: str) -> int:
    """Estimate a text's tokens: one for every four bytes begun, so one for two Cyrillic letters."""
    return (len(text.encode()) + 3) // 4


class Quotas:
    """Texts per minute, tokens per minute and texts per day; None means unlimited. Safe for threads.

    The per-minute quotas hold for every span of 60 seconds, which is the strictest reading: a client that passes here
    passes everywhere. A refused call uses up nothing.
    """

    def __init__(
        self,
        *,
        rpm: int | None = None,
        tpm: int | None = None,
        rpd: int | None = None,
        clock: Callable[[], float] = time,
    ) -> None:
        self.rpm, self.tpm, self.rpd = rpm, tpm, rpd
        self._clock = clock
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Count from zero again; the limits stay."""
        with self._lock:
            self._spent: deque[tuple[float, int, int]] = deque()
            self._day = self._today()
            self._today_texts = 0

    def used(self) -> dict[str, int]:
        """What the current minute and day have used up."""
        with self._lock:
            self._expire()
            return {
                "texts_this_minute": sum(texts for _, texts, _ in self._spent),
                "tokens_this_minute": sum(tokens for _, _, tokens in self._spent),
                "texts_today": self._today_texts,
            }

    def refusal(self, texts: Sequence[str]) -> Reply | None:
        """Count a call and return None, or return the 429 that it meets."""
        requests, tokens = len(texts), sum(map(tokens_of, texts))
        with self._lock:
            self._expire()
            if self.rpd is not None and self._today_texts + requests > self.rpd:
                return quota_exceeded(REQUESTS_PER_DAY, self.rpd, 34.0)
            for quota, limit, cost, place in (
                (REQUESTS_PER_MINUTE, self.rpm, requests, 1),
                (TOKENS_PER_MINUTE, self.tpm, tokens, 2),
            ):
                if limit is not None and (wait := self._wait(limit - cost, place)) is not None:
                    return quota_exceeded(quota, limit, wait)
            self._spent.append((self._clock(), requests, tokens))
            self._today_texts += requests
            return None

    def _wait(self, room: int, place: int) -> float | None:
        """Seconds until no more than `room` of a minute's quota is used, None when that is so now."""
        used = sum(spent[place] for spent in self._spent)
        if used <= room:
            return None
        for spent in self._spent:
            used -= spent[place]
            if used <= room:
                return spent[0] + MINUTE - self._clock()
        return MINUTE

    def _expire(self) -> None:
        """Drop what is older than a minute, and yesterday's count."""
        while self._spent and self._spent[0][0] <= self._clock() - MINUTE:
            self._spent.popleft()
        if self._today() != self._day:
            self._day, self._today_texts = self._today(), 0

    def _today(self) -> str:
        """The quota day: the date in California."""
        moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=self._clock())
        return moment.astimezone(PACIFIC).date().isoformat()
