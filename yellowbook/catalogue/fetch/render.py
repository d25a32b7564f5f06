"""Renders a page that needs JavaScript, in Chromium through Playwright, where both are installed.

Chromium gets no network: whatever a page asks for is fetched by our own `Fetcher`, so every rule about addresses,
redirects, sizes and robots.txt holds for scripts too, and Chromium's own DNS never matters. What slips past the routes
(WebRTC, prefetching) meets a proxy that does not exist.
"""

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from yellowbook.catalogue.fetch.answers import Fetched
from yellowbook.catalogue.fetch.client import Fetcher
from yellowbook.catalogue.fetch.errors import RenderingMissing, TooLarge

#: Names of Chromium on the PATH, as distributions have them.
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str | None:
    """Return the path of a Chromium on the PATH; None leaves it to Playwright's own download."""
    return next((found for name in _BROWSERS if (found := shutil.which(name))), None)


def render(url: str, fetcher: Fetcher, *, browser: str | None = None, sandbox: bool = True) -> Fetched:
    """Return the page at `url` as it is once its scripts have run, as HTML in UTF-8, within the fetcher's limits.

    `status`, `url`, `redirects` and the headers are those of the document itself; what is not HTML is returned without
    a browser. The time limit holds for fetching the document and again for rendering it. `browser` is a path; `sandbox`
    off is for containers in which Chromium has no right to its own. Raises `RenderingMissing`, `TooSlow`, `TooLarge`,
    `Unreachable`, and for the document itself what `Fetcher.fetch` does. Starts a browser for each page.
    """
    document = fetcher.fetch(url)
    if document.content_type and "html" not in document.content_type.lower():
        return document
    try:
        # Here, since Playwright is an extra: whoever renders nothing need not have it.
        from yellowbook.catalogue.fetch.chromium import Visit
    except ModuleNotFoundError:
        raise RenderingMissing(
            "Pages of this source need JavaScript: install the extra, `pip install yellowbook[rendering]`."
        ) from None
    visit = Visit(document, fetcher, browser or find_browser(), sandbox)
    # In a thread of its own: Playwright wants an event loop, and Django refuses the database to threads that have one.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="render") as pool:
        html = pool.submit(lambda: asyncio.run(visit.run())).result()
    body = html.encode("utf-8", "replace")
    if len(body) > fetcher.limits.max_bytes:
        raise TooLarge(f"The rendered page is larger than the {fetcher.limits.max_bytes:,} bytes that are read.")
    return replace(document, body=body, content_type="text/html; charset=utf-8", charset="utf-8")
