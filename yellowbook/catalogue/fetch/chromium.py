"""One page in Chromium, every request of which is answered by our own fetch. Needs Playwright to be imported."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Final

from playwright.async_api import Browser, Error, Page, Playwright, Route, async_playwright
from playwright.async_api import TimeoutError as PageTimeout

from jobs.errors import JobError
from yellowbook.catalogue.fetch.answers import Fetched
from yellowbook.catalogue.fetch.client import Fetcher
from yellowbook.catalogue.fetch.errors import RenderingMissing, TooLarge, TooSlow, Unreachable

#: Requests of one page that are answered; further ones fail for the page.
MOST_REQUESTS: Final = 60
#: Requests of one page that are under way at once.
_AT_ONCE: Final = 2
#: Seconds that Chromium may take to start; a busy machine needs several.
_STARTING: Final = 30.0
#: Seconds that closing the browser may take on top of the time for the page.
_CLOSING: Final = 5.0
#: Seconds that a page has to fall silent: no request for half a second, by Playwright's own measure.
_SETTLING: Final = 5.0
#: What a text has no need of.
_NEEDLESS: Final = frozenset({"image", "media", "font", "texttrack", "stylesheet", "manifest", "ping", "websocket"})
#: Headers of an answer that a page gets to see.
_PASSED_ON: Final = ("content-type", "access-control-allow-origin", "access-control-allow-credentials")
#: Nothing listens there: the discard port of our own host.
_NOWHERE: Final = "http://127.0.0.1:9"
_ARGUMENTS: Final = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--dns-prefetch-disable", "--disable-dev-shm-usage"),
    *("--force-webrtc-ip-handling-policy=disable_non_proxied_udp", "--host-resolver-rules=MAP * ~NOTFOUND"),
)


@dataclass
class Visit:
    """One page in one browser. `document` is what was fetched at its address already."""

    document: Fetched
    fetcher: Fetcher
    browser: str | None
    sandbox: bool
    requests: int = 0
    received: int = 0
    until: float = 0.0
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def run(self) -> str:
        """Return the rendered HTML; raises `RenderingMissing`, `TooSlow`, `TooLarge`, `Unreachable`."""
        seconds = self.fetcher.limits.seconds
        async with async_playwright() as playwright:
            browser = await self._launch(playwright)
            try:
                self.until = monotonic() + seconds
                async with asyncio.timeout(seconds):
                    return await self._read(browser)
            except TimeoutError:
                raise TooSlow(f"The page was not rendered within {seconds:g} s.") from None
            except Error as error:
                raise Unreachable(f"Chromium could not show the page: {error.message[:300]}") from error
            finally:
                with contextlib.suppress(Error, TimeoutError):
                    async with asyncio.timeout(_CLOSING):
                        await browser.close()

    async def _launch(self, playwright: Playwright) -> Browser:
        try:
            return await playwright.chromium.launch(
                executable_path=self.browser,
                args=list(_ARGUMENTS),
                chromium_sandbox=self.sandbox,
                proxy={"server": _NOWHERE, "bypass": "<-loopback>"},
                timeout=_STARTING * 1000,
            )
        except PageTimeout:
            raise TooSlow(f"Chromium did not start within {_STARTING:g} s.") from None
        except Error as error:
            raise RenderingMissing(f"Chromium does not start: {error.message.splitlines()[0][:300]}") from error

    async def _read(self, browser: Browser) -> str:
        context = await browser.new_context(
            service_workers="block", accept_downloads=False, user_agent=self.fetcher.user_agent, locale="mn-MN"
        )
        await context.route("**/*", self._answer)
        await context.route_web_socket("**/*", lambda socket: socket.close())
        page = await context.new_page()
        await page.goto(self.document.url, wait_until="domcontentloaded", timeout=0)
        with contextlib.suppress(PageTimeout):
            # A page that never falls silent is read as it is by then.
            await page.wait_for_load_state("networkidle", timeout=_SETTLING * 1000)
        html = await self._content(page)
        await context.unroute_all(behavior="ignoreErrors")
        return html

    async def _content(self, page: Page) -> str:
        """Return the HTML; asks for its length first, so that a page that grew without end is not copied."""
        length = await page.evaluate("document.documentElement ? document.documentElement.outerHTML.length : 0")
        most = self.fetcher.limits.max_bytes
        if length > most:
            raise TooLarge(f"The rendered page is larger than the {most:,} bytes that are read.")
        return await page.content()

    async def _answer(self, route: Route) -> None:
        """Answer one request of the page from our own fetch, or not at all."""
        with contextlib.suppress(Error):
            # The page may be gone before its answer.
            fetched = await self._fetched(route)
            if fetched is None:
                await route.abort("blockedbyclient")
            else:
                headers = {name: fetched.headers[name] for name in _PASSED_ON if name in fetched.headers}
                await route.fulfill(status=fetched.status, headers=headers, body=fetched.body)

    async def _fetched(self, route: Route) -> Fetched | None:
        request = route.request
        if request.is_navigation_request() and request.url == self.document.url:
            return self.document
        if request.resource_type in _NEEDLESS or request.method != "GET":
            return None
        self.requests += 1
        if self.requests > MOST_REQUESTS or self.received > self.fetcher.limits.max_bytes:
            return None
        async with self.slots:
            limits = replace(self.fetcher.limits, seconds=self.until - monotonic())
            fetched = await _quietly(lambda: self.fetcher.fetch(request.url, limits=limits))
        self.received += len(fetched.body) if fetched else 0
        return fetched


async def _quietly(fetch: Callable[[], Fetched]) -> Fetched | None:
    """Fetch in a thread; what fails, fails for the page and not for us."""
    try:
        return await asyncio.to_thread(fetch)
    except JobError:
        return None
