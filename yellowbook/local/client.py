"""The two questions that the supervisor asks the web server it has started."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Seconds that one answer may take.
TIMEOUT = 2.0
#: What a question ends with while the server is starting, stopping or gone.
FAILURES = (OSError, ValueError, http.client.HTTPException)


@dataclass(frozen=True)
class Coverage:
    """How many businesses there are, and how many of them have their vector."""

    total: int
    embedded: int


class Client:
    """Asks over HTTP, past any proxy."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def not_ready(self) -> str:
        """Return why it can't serve yet, nothing once it can."""
        try:
            self._get("/health/ready")
        except urllib.error.HTTPError as error:
            with error:
                return f"{error.code} {error.read(2000).decode(errors='replace')}"
        except FAILURES as error:
            return str(error)
        return ""

    def is_complete(self) -> bool:
        """Tell whether it can serve and misses nothing, the workers included."""
        try:
            return not self._get("/health/ready")["degraded"]
        except (*FAILURES, KeyError, TypeError):
            return False

    def coverage(self, token: str) -> Coverage | None:
        """Return how far the embedding has come, or None if there is no telling now."""
        try:
            answer = self._get("/api/admin/embeddings/stats", {"Authorization": f"Bearer {token}"})
            return Coverage(int(answer["total"]), int(answer["with_embeddings"]))
        except (*FAILURES, KeyError, TypeError):
            return None

    def _get(self, path: str, headers: Mapping[str, str] | None = None) -> Any:
        request = urllib.request.Request(self.url + path, headers=dict(headers or {}))  # noqa: S310 our own http URL
        with self._opener.open(request, timeout=TIMEOUT) as response:
            return json.load(response)
