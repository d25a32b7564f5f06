"""What a visitor sees and does on the public pages, in a real browser."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.flows.browser.conftest import Visitor
from tests.flows.browser.test_accessibility import SERIOUS
from tests.flows.conftest import Start
from tests.flows.system import System

pytestmark = [pytest.mark.flow, pytest.mark.browser]

#: Widths of a phone and of a desk, in CSS pixels.
WIDTHS = (390, 1280)
#: The sum of the moves of what was on the page already, from its first paint on (the browser's own measure).
_SHIFTS = """() => new Promise(done => {
  let sum = 0;
  const add = entries => entries.forEach(entry => { sum += entry.value; });
  const observer = new PerformanceObserver(list => add(list.getEntries()));
  observer.observe({type: "layout-shift", buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => { add(observer.takeRecords()); done(sum); }));
})"""

#: Opens a browser for somebody who is not logged in.
Come = Callable[..., Visitor]


@pytest.fixture
def come(chromium: Browser) -> Iterator[Come]:
    """Have visitors come; at the end nothing may have gone wrong in their browsers."""
    visitors: list[Visitor] = []
    with ExitStack() as stack:

        def came(system: System, **options: Any) -> Visitor:
            context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en", **options})
            stack.callback(context.close)
            visitors.append(Visitor(context, system.house.url))
            return visitors[-1]

        yield came
        complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    assert complaints == []


@pytest.fixture
def system(start: Start) -> System:
    """A system with a few businesses, which are embedded."""
    system = start()
    system.api.create(
        name="Хатгал Кэмп",
        category="Жуулчны бааз",
        city="Хатгал",
        description="Нуурын эрэг дээрх гэр буудал " + "урт" * 60,
        phone="+976 9246-8095",
        latitude=50.44121,
        longitude=100.15858,
        price_level=2,
        website="https://camp.example",
    )
    system.api.create(name="Smile Dental", category="Dentist", city="Ulaanbaatar", description="Fillings and crowns")
    system.await_success(2)
    return system


@pytest.mark.timeout(300)
def test_a_visitor_finds_a_business_in_spite_of_a_slip_and_reads_on_in_mongolian_by_keyboard_alone(
    system: System, come: Come
) -> None:
    visitor = come(system)
    page = visitor.page
    visitor.open("/")
    expect(page.locator(".numbers")).to_contain_text("2 businesses")

    # The first key leads past the top; "/" leads to the search box.
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("Smlie Dentla")
    page.keyboard.press("Enter")

    first = page.locator(".entries > li").first
    expect(first.get_by_role("heading")).to_have_text("Smile Dental")
    expect(first.locator("mark").first).to_have_text("Smile")
    expect(first).to_contain_text("Spelling close to “Smile Dental”")
    _tab_to(page, first.get_by_role("link", name="Smile Dental"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/business/*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Smile Dental")
    address = page.url

    _tab_to(page, page.get_by_role("button", name="Монгол"))
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "mn")
    assert page.url == address
    expect(page.get_by_role("heading", name="Холбоо барих")).to_be_visible()
    visitor.open("/search")
    expect(page.get_by_role("heading", level=1)).to_have_text("Бүх байгууллага")


def _tab_to(page: Page, wanted: Any) -> None:
    """Press Tab until something has the focus, and shows it."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            assert wanted.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
            return
    raise AssertionError(f"{wanted} can't be reached by Tab.")


@pytest.mark.timeout(300)
def test_pages_are_readable_for_everybody_in_light_and_dark_on_a_phone_and_a_desk(system: System, come: Come) -> None:
    business = system.api.listed("/api/yellow-books")[0]["id"]
    paths = ["/", "/search?q=Хатгал", "/search?city=Nowhere", f"/business/{business}"]
    found = []
    for scheme, width, language in (("light", WIDTHS[0], "en"), ("dark", WIDTHS[1], "mn")):
        visitor = come(
            system,
            color_scheme=scheme,
            locale=language,
            viewport={"width": width, "height": 844},
            reduced_motion="reduce",
        )
        for path in paths:
            visitor.open(path)
            assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert visitor.page.evaluate(_SHIFTS) == 0, path
            for violation in Axe().run(visitor.page).response["violations"]:
                if violation["impact"] in SERIOUS:
                    where = [node["html"][:160] for node in violation["nodes"][:3]]
                    found.append(f"{path} {scheme}: {violation['id']}: {violation['help']}: {where}")
    assert found == []


@pytest.mark.timeout(300)
def test_everything_works_without_a_script(system: System, come: Come) -> None:
    visitor = come(system, java_script_enabled=False)
    page = visitor.page
    visitor.open("/")
    page.get_by_role("searchbox").fill("crowns")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Smile Dental").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Smile Dental")
    page.get_by_role("button", name="Монгол").click()
    expect(page.locator("html")).to_have_attribute("lang", "mn")
