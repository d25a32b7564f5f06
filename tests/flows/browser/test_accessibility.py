"""Pages of the admin for people who don't see them, and on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.flows.browser.conftest import Arrive
from tests.flows.conftest import Start

pytestmark = [pytest.mark.flow, pytest.mark.browser]

#: The dashboard, a list, a form.
PAGES = ["/admin/", "/admin/jobs/jobexecution/", "/admin/jobs/run/start/generate_embedding/"]
#: Impacts that axe-core calls serious or worse.
SERIOUS = {"serious", "critical"}


@pytest.mark.timeout(300)
def test_axe_finds_nothing_serious(start: Start, arrive: Arrive) -> None:
    system = start()
    system.api.create(name=f"Some {system.mark}")
    system.await_success(1)

    found = []
    for scheme in ("light", "dark"):
        visitor = arrive(system, "Operators", color_scheme=scheme)
        for path in PAGES:
            visitor.open(path)
            for violation in Axe().run(visitor.page).response["violations"]:
                if violation["impact"] in SERIOUS:
                    where = [node["html"][:160] for node in violation["nodes"][:3]]
                    found.append(f"{path}, {scheme}: {violation['id']}: {violation['help']}: {where}")
    assert found == []


@pytest.mark.timeout(300)
def test_on_a_phone_nothing_has_to_be_scrolled_sideways(start: Start, arrive: Arrive) -> None:
    system = start()
    visitor = arrive(system, "Operators", viewport={"width": 390, "height": 844})
    for path in PAGES:
        visitor.open(path)
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390, path
