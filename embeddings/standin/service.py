"""The stand-in's behaviour, without HTTP: from a request to an outcome."""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from embeddings.standin import wire
from embeddings.standin.damage import OF_VECTORS, embedding_reply
from embeddings.standin.faults import Faults, Strike
from embeddings.standin.keys import Keys
from embeddings.standin.log import CallLog
from embeddings.standin.quotas import Quotas, tokens_of
from embeddings.standin.vectors import DEFAULT_DIMENSIONS, Vectors
from embeddings.standin.wire import ERRORS, Reply

#: Names of models that exist.
MODELS = re.compile(r"(gemini|text-embedding|embedding)-[\w.-]+")
#: Faults that the server plays on the connection.
ON_CONNECTION = frozenset({"reset", "close", "truncate", "trickle", "timeout"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A POST as it came: `method` is what stands behind the colon of the path."""

    method: str
    model: str
    key: str
    deadline: str
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What to answer. `fault` is what was done to it, `embedded` are the texts that get good vectors."""

    reply: Reply
    texts: Sequence[str] = ()
    embedded: Sequence[str] = ()
    fault: str | None = None


@dataclass(kw_only=True)
class StandIn:
    """Everything that can be steered while it runs."""

    faults: Faults = field(default_factory=Faults)
    quotas: Quotas = field(default_factory=Quotas)
    keys: Keys = field(default_factory=Keys)
    log: CallLog = field(default_factory=CallLog)
    #: Seconds that an answer takes.
    latency: float = 0.0
    #: Seconds between two bytes of an answer that trickles.
    trickle: float = 0.5
    #: Texts that `generateContent` answers to prompts with a marker; the first that is found counts.
    answers: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._vectors = Vectors()
        self.stopping = threading.Event()

    def reset(self) -> None:
        """Take back all faults, scripted answers and revocations, and count from zero; latency and quotas stay."""
        self.faults.clear()
        self.quotas.forget()
        self.keys.restore(["*"])
        self.log.forget()
        self.answers = []

    def outcome(self, request: Request) -> Outcome:
        """Decide on a call: fault, key, deadline, model, input, quota, in this order."""
        try:
            payload = orjson.loads(request.body)
            requests = payload["requests"] if request.method == "batchEmbedContents" else [payload]
            texts = [_text(each) for each in requests]
        except (ValueError, KeyError, TypeError, AttributeError):
            return Outcome(reply=ERRORS["not_json"])
        strike = self.faults.strike(texts)
        fault = strike.fault if strike else None
        instead = strike.reply if strike else None
        if instead:
            return Outcome(reply=instead, texts=texts, fault=fault)
        refusal = self._refusal(request, texts)
        if refusal:
            return Outcome(reply=refusal, texts=texts, fault=fault if fault in ON_CONNECTION else None)
        if request.method == "generateContent":
            return Outcome(reply=self._generated(texts[0], fault), texts=texts, fault=fault)
        return self._embedded(request, requests, texts, strike)

    def _refusal(self, request: Request, texts: Sequence[str]) -> Reply | None:
        """The error that a call meets without any fault."""
        refusal = self.keys.refusal(request.key)
        if refusal:
            return refusal
        if request.deadline.isdigit() and float(request.deadline) < wire.SHORTEST_DEADLINE:
            return ERRORS["short_deadline"]
        if not MODELS.fullmatch(request.model):
            return wire.unknown_model(request.model)
        if len(texts) > wire.MAX_REQUESTS:
            return ERRORS["too_many"]
        if not texts or not all(text.strip() for text in texts):
            return ERRORS["empty_text"]
        return self.quotas.refusal(texts)

    def _embedded(
        self, request: Request, requests: Sequence[dict[str, Any]], texts: Sequence[str], strike: Strike | None
    ) -> Outcome:
        """The answer with the vectors, with what a fault does to it."""
        dimensions = requests[0].get("outputDimensionality") or DEFAULT_DIMENSIONS
        vectors = self._vectors.of(texts, request.model, dimensions)
        reply = embedding_reply(vectors, strike, batch=request.method == "batchEmbedContents")
        if strike is None:
            return Outcome(reply=reply, texts=texts, embedded=texts)
        spared = strike.fault in OF_VECTORS
        embedded = [text for place, text in enumerate(texts) if spared and place not in strike.places]
        return Outcome(reply=reply, texts=texts, embedded=embedded, fault=strike.fault)

    def _generated(self, prompt: str, fault: str | None) -> Reply:
        """The answer of `generateContent`: the scripted text whose marker the prompt holds, else a short echo."""
        tokens = tokens_of(prompt)
        if fault == "blocked_prompt":
            return wire.blocked("PROHIBITED_CONTENT", tokens)
        finish_reason = {"blocked_answer": "SAFETY", "cut_answer": "MAX_TOKENS"}.get(fault or "", "STOP")
        scripted = (text for marker, text in self.answers if marker in prompt)
        text = next(scripted, f"The stand-in has read: {prompt[:80]}")
        if fault == "blocked_answer":
            text = ""
        elif fault in {"cut_answer", "bad_json"}:
            text = text[: len(text) // 2]
        return wire.generated(text, tokens, finish_reason=finish_reason)


def _text(request: dict[str, Any]) -> str:
    """The text of one request: that of all its parts."""
    contents = request.get("contents") or [request.get("content") or {}]
    return "".join(str(part.get("text", "")) for content in contents for part in content.get("parts", ()))
