"""Rendering in a real Chromium that has no network but ours."""

import builtins
import shutil
from typing import Any

import pytest

from yellowbook.catalogue.fetch.client import Fetcher
from yellowbook.catalogue.fetch.errors import RenderingMissing, TooSlow
from yellowbook.catalogue.fetch.limits import Limits
from yellowbook.catalogue.fetch.render import find_browser, render

needs_chromium = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="there is no chromium on the PATH: apt-get install chromium"
)
#: What a page asks for once its scripts run: data of its own, a form's POST, a picture, another host, a socket.
PAGE = """<!doctype html><body><script src="/app.js"></script><img src="/photo.png">
<script>
fetch("/post", {method: "POST"}).catch(() => null);
fetch("http://10.0.0.1:8080/secret").catch(() => {document.body.dataset.refused = "yes"});
new WebSocket("ws://" + location.host + "/socket");
</script></body>"""
SCRIPT = b"""fetch("/data.json").then(answer => answer.json()).then(data => {
  const name = document.createElement("h1"); name.textContent = data.name; document.body.append(name);
});"""


@pytest.mark.browser
@needs_chromium
def test_a_page_is_returned_as_its_scripts_leave_it_and_they_reach_nothing_that_we_do_not(site):
    site.redirect("/", "/shop/")
    site.serve("/shop/", PAGE.encode())
    site.serve("/app.js", SCRIPT, content_type="text/javascript")
    site.serve("/data.json", '{"name": "Ресторан Хаан"}'.encode(), content_type="application/json")
    wanted: list[str] = []

    with Fetcher(allow_private=True, before=refusing_others(site.url, wanted), limits=Limits(seconds=60)) as fetcher:
        got = render(site.url + "/", fetcher, sandbox=False)

    assert "<h1>Ресторан Хаан</h1>" in got.body.decode()
    assert 'data-refused="yes"' in got.body.decode()
    assert (got.url, got.redirects, got.charset) == (site.url + "/shop/", (site.url + "/",), "utf-8")
    assert sorted(site.paths()) == ["/", "/app.js", "/data.json", "/shop/"]
    assert "http://10.0.0.1:8080/secret" in wanted


def refusing_others(url: str, wanted: list[str]):
    """Note what is asked for, and refuse what is not of the site, as the address rules would."""
    from yellowbook.catalogue.fetch.errors import Refused

    def before(asked: str) -> None:
        wanted.append(asked)
        if not asked.startswith(url):
            raise Refused(asked)

    return before


@pytest.mark.browser
@needs_chromium
def test_a_page_whose_script_never_ends_is_given_up(site):
    site.serve("/", b"<script>setTimeout(() => {for (;;);}, 0)</script>")

    with Fetcher(allow_private=True, limits=Limits(seconds=2.0)) as fetcher, pytest.raises(TooSlow):
        render(site.url + "/", fetcher, sandbox=False)


def test_what_is_no_page_needs_no_browser(site, fetcher):
    site.serve("/", b"{}", content_type="application/json")

    assert render(site.url + "/", fetcher, browser="/nowhere").body == b"{}"


def test_without_chromium_the_error_says_so(site, fetcher):
    site.serve("/", b"<p>")

    with pytest.raises(RenderingMissing, match="Chromium does not start"):
        render(site.url + "/", fetcher, browser="/nowhere/chromium")


def test_without_playwright_the_error_says_what_to_install(site, fetcher, monkeypatch):
    site.serve("/", b"<p>")
    real = builtins.__import__

    def missing(name: str, *args: Any, **options: Any) -> Any:
        if name == "yellowbook.catalogue.fetch.chromium":
            raise ModuleNotFoundError(name="playwright")
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", missing)

    with pytest.raises(RenderingMissing, match=r"yellowbook\[rendering\]"):
        render(site.url + "/", fetcher)


def test_a_browser_of_the_distribution_is_found_on_the_path(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name == "chromium-browser" else None)

    assert find_browser() == "/usr/bin/chromium-browser"
