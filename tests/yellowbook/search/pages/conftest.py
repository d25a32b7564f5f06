"""Reading pages as programs do."""

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client


@dataclass
class Read(HTMLParser):
    """A page taken apart: its elements by tag, its text, and what it tells search engines."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent = tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        """Return the attributes of the elements of a tag that have these."""
        return [found for name, found in self.tags if name == tag and attributes.items() <= found.items()]

    def links(self) -> list[str]:
        """Return where the page's links lead."""
        return [found["href"] for found in self.all("a")]


@dataclass
class Page:
    """An answer and what is in it."""

    status: int
    html: str
    headers: Any

    @property
    def read(self) -> Read:
        reader = Read()
        reader.feed(self.html)
        return reader

    @property
    def text(self) -> str:
        """What a person reads, with single spaces."""
        return " ".join(self.read.text.split())

    @property
    def names(self) -> list[str]:
        """The names of the businesses in the list."""
        found = re.findall(r"<h2><a href=[^>]*>(.*?)</a></h2>", self.html)
        return [re.sub("<.*?>", "", name) for name in found]

    @property
    def structured(self) -> dict[str, Any]:
        """The page's JSON-LD."""
        (found,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', self.html, re.DOTALL)
        told: dict[str, Any] = json.loads(found)
        return told


class Visitor:
    """Somebody who reads the public pages."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def see(self, path: str, language: str = "en", **parameters: Any) -> Page:
        """Open a page."""
        answer = self.client.get(path, parameters, headers={"Accept-Language": language})
        return Page(answer.status_code, answer.content.decode(), answer.headers)


@pytest.fixture
def visitor(client: Client) -> Visitor:
    return Visitor(client)
