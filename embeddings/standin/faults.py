"""Faults as scripts: what goes wrong, and when."""

import math
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from embeddings.standin import wire
from embeddings.standin.wire import Reply

#: Every fault by name, and what the caller sees.
FAULTS = {
    "429_minute": "429: texts per minute exceeded, retry in 33 s",
    "429_tokens": "429: tokens per minute exceeded, retry in 33 s",
    "429_day": "429: texts per day exceeded",
    "429_zero": "429: the model's limit is 0 for this key",
    "429_bare": "429 without details",
    "400": "400: an invalid argument, not said which",
    "413": "413: the request is too large",
    "key_invalid": "400: the API key is not valid",
    "key_leaked": "403: the API key was reported as leaked",
    "401": "401: no valid credentials",
    "403": "403: no permission",
    "404": "404: no such model",
    "failed_precondition": "400 FAILED_PRECONDITION: not available in this country",
    "408": "408: the request timed out",
    "409": "409: aborted",
    "499": "499: cancelled",
    "500": "500: an internal error",
    "503": "503: the model is overloaded",
    "504": "504: the deadline expired",
    "html_502": "502 with a page of HTML, from a proxy",
    "reset": "the connection is reset",
    "close": "the connection is closed without an answer",
    "truncate": "the answer stops in the middle",
    "trickle": "the answer comes a byte at a time",
    "timeout": "no answer at all, until the caller gives up",
    "bad_json": "200 with broken JSON",
    "html_200": "200 with a page of HTML",
    "no_embeddings": "200 without a list of embeddings",
    "wrong_count": "200 with one vector fewer than texts",
    "wrong_count_more": "200 with one vector more than texts",
    "nan": "200, one vector holds NaN",
    "null": "200, one vector holds null",
    "empty_vector": "200, one vector is an empty list",
    "zero_vector": "200, one vector is all zeros",
    "wrong_dimensions": "200, one vector has twice the dimensions",
    "blocked_prompt": "generateContent: the prompt is refused",
    "blocked_answer": "generateContent: the answer is withheld (SAFETY)",
    "cut_answer": "generateContent: the answer is cut (MAX_TOKENS)",
}

#: Faults that name an exceeded quota, by that quota, its limit, and the seconds to wait unless the rule says otherwise.
_EXCEEDED = {
    "429_minute": (wire.REQUESTS_PER_MINUTE, 100, 33.384105706),
    "429_tokens": (wire.TOKENS_PER_MINUTE, 100, 33.384105706),
    "429_day": (wire.REQUESTS_PER_DAY, 1000, 34.0),
    "429_zero": (wire.REQUESTS_PER_MINUTE, 0, 34.0),
}

#: Faults that are an answer in place of the real one.
REPLIES = {
    **{name: reply for name, reply in wire.ERRORS.items() if name in FAULTS},
    **{name: wire.quota_exceeded(*exceeded) for name, exceeded in _EXCEEDED.items()},
}

#: Faults that can say in how many seconds to try again.
WITH_DELAY = frozenset({*_EXCEEDED, "429_bare", "500", "503", "504"})


class InvalidRule(ValueError):
    """A rule that can't be followed; the message says why."""


@dataclass(kw_only=True)
class Rule:
    """When a fault happens.

    `fault` is a name of `FAULTS`, or several to draw from. It strikes the next `calls` calls (None: until taken back;
    1 unless `probability` or `marker` is given), after `after` calls went through, with a `probability` drawn from
    `seed`, and only calls with a text that contains `marker`. `retry_after` is the delay in seconds that RetryInfo asks
    for, with those of the faults that can carry one (`WITH_DELAY`).
    """

    fault: str | list[str]
    calls: int | None = None
    after: int = 0
    probability: float | None = None
    seed: int = 0
    marker: str = ""
    retry_after: float | None = None
    struck: int = field(default=0)

    def __post_init__(self) -> None:
        names = [self.fault] if isinstance(self.fault, str) else self.fault
        unknown = [str(name) for name in names if name not in FAULTS]
        if unknown or not names:
            raise InvalidRule(f"fault {', '.join(unknown)!r} is not one of {', '.join(FAULTS)}")
        if self.probability is not None and not 0 <= self.probability <= 1:
            raise InvalidRule("probability is not between 0 and 1")
        if (self.calls or 0) < 0 or self.after < 0:
            raise InvalidRule("calls and after are not negative")
        if self.retry_after is not None:
            if not (math.isfinite(self.retry_after) and self.retry_after >= 0):
                raise InvalidRule("retry_after is not a number of seconds from 0 on")
            if WITH_DELAY.isdisjoint(names):
                raise InvalidRule(f"retry_after goes with none but {', '.join(sorted(WITH_DELAY))}")
        if self.calls is None and self.probability is None and not self.marker:
            self.calls = 1
        self._names = names
        self._random = random.Random(self.seed)  # noqa: S311

    @classmethod
    def parsed(cls, given: Mapping[str, Any]) -> "Rule":
        """Make a rule of a JSON object. Raises `InvalidRule`."""
        types = {
            "fault": str | list, "calls": int | None, "after": int, "probability": int | float | None, "seed": int,
            "marker": str, "retry_after": int | float | None,
        }  # fmt: skip
        for name, value in given.items():
            if name not in types or not isinstance(value, types[name]) or isinstance(value, bool):
                raise InvalidRule(f"{name}={value!r} is not understood; a rule has {', '.join(types)}")
        if "fault" not in given:
            raise InvalidRule("a rule needs a fault")
        return cls(**given)

    def strike(self, texts: Sequence[str]) -> str | None:
        """Decide on one call: the fault that it meets, or None."""
        if self.spent or not any(self.marker in text for text in texts):
            return None
        if self.after > 0:
            self.after -= 1
            return None
        if self.probability is not None and self._random.random() >= self.probability:
            return None
        if self.calls is not None:
            self.calls -= 1
        self.struck += 1
        return self._random.choice(self._names)

    @property
    def spent(self) -> bool:
        """Whether this rule will never strike again."""
        return self.calls == 0


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that a call met, and which of its texts it is about."""

    fault: str
    places: frozenset[int]
    retry_after: float | None = None

    @property
    def reply(self) -> Reply | None:
        """The answer that takes the place of the real one; None for a fault that does something else."""
        if self.retry_after is None or self.fault not in WITH_DELAY:
            return REPLIES.get(self.fault)
        if self.fault in _EXCEEDED:
            quota, limit, _ = _EXCEEDED[self.fault]
            return wire.quota_exceeded(quota, limit, self.retry_after)
        return wire.with_retry_info(REPLIES[self.fault], self.retry_after)


class Faults:
    """The rules in force, in order; the first that strikes decides. Safe for threads."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, rule: Rule) -> None:
        """Put a rule behind the others."""
        with self._lock:
            self._rules.append(rule)

    def clear(self) -> None:
        """Take all rules back."""
        with self._lock:
            self._rules.clear()

    def strike(self, texts: Sequence[str]) -> Strike | None:
        """Decide on one call. A fault of one vector is about the texts with the rule's marker, else about the first."""
        with self._lock:
            for rule in self._rules:
                fault = rule.strike(texts)
                if fault is not None:
                    marked = (place for place, text in enumerate(texts) if rule.marker and rule.marker in text)
                    return Strike(fault, frozenset(marked) or frozenset({0}), rule.retry_after)
        return None

    def described(self) -> list[dict[str, Any]]:
        """The rules as JSON objects, with how often each struck."""
        with self._lock:
            return [asdict(rule) for rule in self._rules]
