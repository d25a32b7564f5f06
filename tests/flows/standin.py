"""The stand-in for Google's API as a process of its own, steered and read over its control API."""

import os
import re
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2

from tests.flows.waiting import until
from yellowbook.local.options import ROOT
from yellowbook.local.process import Child, log_tail, start

_URL = re.compile(r"GEMINI_BASE_URL=(\S+)")


class StandIn:
    """`manage.py gemini_standin`; a context manager."""

    def __init__(self, environment: Mapping[str, str], directory: Path, python: str) -> None:
        self._environment = environment
        self._log = directory / "standin.log"
        self._python = python
        self._child: Child | None = None

    def __enter__(self) -> "StandIn":
        command = [self._python, "manage.py", "gemini_standin", "--log-texts"]
        self._child = child = start(
            "The stand-in", command, log=self._log, environment=self._environment, directory=ROOT
        )
        try:
            found = until(self._address, "the stand-in says where it listens", note=lambda: log_tail(self._log))
            self.url = found
            self._http = httpx2.Client(base_url=f"{found}/_standin/", trust_env=False, timeout=30)
        except BaseException:
            child.stop(grace=0)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()
        if self._child is not None:
            self._child.stop(signal.SIGTERM, grace=5)

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a system that takes it for Google, with no quota of its own."""
        return {
            "EMBEDDING_PROVIDER": "gemini",
            "GEMINI_API_KEY": "AIza-of-the-flow-tests",
            "GEMINI_BASE_URL": self.url,
            "EMBEDDING_RPM": "0",
            "EMBEDDING_TPM": "0",
            "EMBEDDING_RPD": "0",
        }

    def reset(self) -> None:
        """Forget everything and answer at once."""
        self._do("POST", "reset", {})
        self.take(0)

    def take(self, seconds: float) -> None:
        """Take so long for every answer; calls under way keep the time that they began with."""
        self._do("POST", "latency", {"seconds": seconds})

    def fail(self, fault: str | list[str], **rule: Any) -> None:
        """Meet calls with a fault; see `embeddings.standin.faults`."""
        self._do("POST", "faults", {"fault": fault, **rule})

    def calls(self, marker: str) -> list[list[str]]:
        """Return the texts of each answered call that had `marker` in one of them."""
        calls = [call["text"] for call in self._do("GET", "log")["calls"]]
        return [texts for texts in calls if any(marker in text for text in texts)]

    def texts(self, marker: str) -> Counter[str]:
        """Return how often each text with `marker` in it was sent."""
        return Counter(text for texts in self.calls(marker) for text in texts if marker in text)

    def say(self, marker: str, text: str) -> None:
        """Answer prompts that hold `marker` with a text."""
        self._do("POST", "answers", [{"marker": marker, "text": text}])

    def _do(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._http.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _address(self) -> str:
        assert self._child is not None
        assert self._child.poll() is None, self._child.failure()
        found = _URL.search(self._log.read_text(encoding="utf-8")) if os.path.exists(self._log) else None
        return found[1] if found else ""
