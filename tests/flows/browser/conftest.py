"""A real browser, and people who use it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.flows.system import System

#: Debian's browser is driven without a sandbox, a graphics card, and what it would like to tell its maker.
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
#: Milliseconds within which a page has to show what is expected of it.
PATIENCE = 20_000


class Visitor:
    """Somebody with a browser: every page is watched for errors and for requests to other hosts."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.complaints: list[str] = []
        self._host = urlsplit(url).netloc
        context.set_default_timeout(PATIENCE)
        self.page: Page = context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def _asked(self, request: Request) -> None:
        target = urlsplit(request.url)
        if target.scheme in {"http", "https"} and target.netloc != self._host:
            self.complaints.append(f"a request to {request.url}")

    def open(self, path: str) -> None:
        """Go to a page of the system."""
        answer = self.page.goto(self.url + path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"

    def log_in(self, name: str, password: str) -> None:
        """Log in to the admin."""
        self.open("/admin/login/?next=/admin/")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", password)
        self.page.press("input[name=password]", "Enter")
        self.page.wait_for_url("**/admin/")


#: Opens a browser for one of a group of operators, who is logged in.
Arrive = Callable[..., Visitor]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. Closed with the module: while it is open, Django takes the thread for asynchronous."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium on the PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def arrive(chromium: Browser) -> Iterator[Arrive]:
    """Have people come; at the end nothing may have gone wrong in their browsers."""
    visitors: list[Visitor] = []
    with ExitStack() as stack:

        def arrived(system: System, group: str, **options: Any) -> Visitor:
            context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
            stack.callback(context.close)
            visitor = Visitor(context, system.house.url)
            visitors.append(visitor)
            name = "".join(letter for letter in group.lower() if letter.isalpha())
            visitor.log_in(name, system.house.enter_user(name, group))
            return visitor

        yield arrived
        complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    assert complaints == []
