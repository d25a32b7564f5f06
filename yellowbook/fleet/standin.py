"""A stand-in for Google's API as a process of its own, steered and read over its control API."""

import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from yellowbook.fleet.waiting import until
from yellowbook.local.errors import LocalError
from yellowbook.local.options import ROOT
from yellowbook.local.process import start

_URL = re.compile(r"GEMINI_BASE_URL=(\S+)")


class StandIn:
    """`manage.py gemini_standin`; a context manager."""

    def __init__(self, environment: Mapping[str, str], log: Path, options: Sequence[str] = ()) -> None:
        self._environment = environment
        self._log = log
        self._command = [sys.executable, "manage.py", "gemini_standin", *options]
        self.url = ""

    def __enter__(self) -> Self:
        # An earlier one told another address there.
        self._log.unlink(missing_ok=True)
        self._child = start("The stand-in", self._command, log=self._log, environment=self._environment, directory=ROOT)
        try:
            self.url = until(self._address, "the stand-in says where it listens")
            self._http = httpx2.Client(base_url=f"{self.url}/_standin/", trust_env=False, timeout=30)
        except BaseException:
            self._child.stop(grace=0)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()
        self._child.stop(signal.SIGTERM, grace=5)

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a system that takes it for Google, with no quota of its own."""
        quotas = {f"EMBEDDING_{budget}": "0" for budget in ("RPM", "TPM", "RPD")}
        return {"EMBEDDING_PROVIDER": "gemini", "GEMINI_API_KEY": "standin", "GEMINI_BASE_URL": self.url, **quotas}

    def steer(self, method: str, path: str, body: Any = None) -> Any:
        """Do something of its control API; return the answer."""
        answer = self._http.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()

    def _address(self) -> str:
        if self._child.poll() is not None:
            raise LocalError(self._child.failure())
        found = _URL.search(self._log.read_text(encoding="utf-8")) if self._log.exists() else None
        return found[1] if found else ""
