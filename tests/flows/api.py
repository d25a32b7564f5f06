"""The HTTP API as a client program uses it."""

from collections.abc import Sequence
from typing import Any

import httpx2


class Api:
    """Calls with a token of the administrator. Safe for threads."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token
        self.http = httpx2.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60
        )

    def another(self) -> "Api":
        """Return another client of the same system, with connections of its own; the caller closes it."""
        return Api(self._url, self._token)

    def ready(self) -> bool:
        """Tell whether saves and reads work."""
        try:
            return self.http.get("/health/ready").status_code == 200
        except httpx2.TransportError:
            return False

    def create(self, **values: Any) -> dict[str, Any]:
        """Add a business; what is not given is made up."""
        filled = {"name": "Номин ресторан", "category": "Ресторан", "address": "Энхтайваны өргөн чөлөө 12", **values}
        return self._ask("POST", "/api/yellow-books", 201, filled)

    def change(self, business_id: str, **values: Any) -> dict[str, Any]:
        """Change fields of a business."""
        return self._ask("PATCH", f"/api/yellow-books/{business_id}", 200, values)

    def delete(self, business_id: str) -> None:
        """Delete a business."""
        answer = self.http.delete(f"/api/yellow-books/{business_id}")
        assert answer.status_code == 204, answer.text

    def bulk(self, business_ids: Sequence[str], priority: str = "normal") -> dict[str, Any]:
        """Ask for the embeddings of many businesses."""
        body = {"business_ids": list(business_ids), "priority": priority}
        return self._ask("POST", "/api/admin/embeddings/bulk", 202, body)

    def job(self, job_id: str) -> dict[str, Any]:
        """Show a job."""
        return self._ask("GET", f"/api/admin/jobs/{job_id}", 200)

    def stats(self) -> dict[str, Any]:
        """Show the coverage."""
        return self._ask("GET", "/api/admin/embeddings/stats", 200)

    def similar(self, business_id: str) -> list[str]:
        """Return the names of what is similar to a business."""
        found = self._ask("GET", f"/api/yellow-books/{business_id}/similar", 200)
        return [each["business"]["name"] for each in found["results"]]

    def listed(self, path: str) -> list[dict[str, Any]]:
        """Return the rows of a list, of all its pages."""
        rows: list[dict[str, Any]] = []
        following: str | None = path
        while following:
            page = self._ask("GET", following, 200)
            rows += page["results"]
            following = page["next"]
        return rows

    def _ask(self, method: str, path: str, expected: int, body: Any = None) -> dict[str, Any]:
        answer = self.http.request(method, path, json=body)
        assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        return found
