"""What an operator sees and does in the admin, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.flows.browser.conftest import Arrive
from tests.flows.conftest import Start
from tests.flows.trouble import Google, replace_worker

pytestmark = [pytest.mark.flow, pytest.mark.browser]

OPERATORS, READERS = "Operators", "Operators (read only)"
#: Milliseconds within which the page has to tell of something new.
SOON = 10_000


def panel(page: Page, name: str):
    return page.locator(f"#yb-panel-{name}")


@pytest.mark.timeout(300)
def test_an_operator_sees_what_is_wrong_and_puts_it_right(start: Start, google: Google, arrive: Arrive) -> None:
    system = start(google)
    operator = arrive(system, OPERATORS)
    page = operator.page
    expect(panel(page, "verdict")).to_contain_text("All well")

    # The key is revoked: the page says so by itself, and where.
    google.fail("key_invalid")
    system.api.bulk(system.plant(150))
    expect(panel(page, "verdict")).to_contain_text("The provider refuses", timeout=SOON)
    expect(panel(page, "lanes")).to_contain_text("paused by the system: auth", timeout=SOON)
    expect(panel(page, "failures")).to_contain_text(re.compile(r"\d+ × auth"), timeout=SOON)

    # The key is back: two presses.
    google.reset()
    panel(page, "lanes").get_by_role("button", name="Resume").click()
    page.wait_for_url("**/admin/")
    panel(page, "failures").get_by_role("button", name="Retry this cause").click()
    page.wait_for_url("**/admin/")
    system.await_success(150)
    expect(panel(page, "lanes")).not_to_contain_text("paused", timeout=SOON)
    expect(panel(page, "failures")).to_contain_text("all settled", timeout=SOON)
    expect(panel(page, "charts")).to_contain_text("150 succeeded", timeout=SOON)


@pytest.mark.timeout(300)
def test_an_operator_starts_a_run_watches_stops_and_resumes_it(start: Start, google: Google, arrive: Arrive) -> None:
    system = start(google)
    replace_worker(system, EMBEDDING_BATCH_SIZE="10")
    google.take(2)
    system.plant(300)
    page = arrive(system, OPERATORS).page

    panel(page, "runs").get_by_role("link", name="Start generate_embedding").click()
    page.get_by_role("button", name="Start").first.click()
    page.wait_for_url("**/admin/jobs/run/*/change/")
    page.goto(f"{system.house.url}/admin/")
    bar = panel(page, "runs").get_by_role("progressbar")
    early = float(bar.get_attribute("value"))
    page.wait_for_function(
        "early => Number(document.querySelector('#yb-panel-runs progress').value) > early", arg=early, timeout=SOON
    )
    panel(page, "runs").get_by_role("button", name="Stop").click()
    page.wait_for_url("**/admin/")
    expect(panel(page, "runs")).to_contain_text("stopped", timeout=SOON)
    panel(page, "runs").get_by_role("button", name="Resume").click()
    google.take(0)
    expect(panel(page, "runs")).to_contain_text("completed", timeout=60_000)
    assert system.without_fresh_vector() == 0


@pytest.mark.timeout(300)
def test_an_operator_finds_a_failed_job_by_name_reads_why_and_retries_it(
    start: Start, google: Google, arrive: Arrive
) -> None:
    system = start(google)
    name = f"Хатгал Кэмп {system.mark}"
    google.fail("400", marker=name)
    system.api.create(name=name)
    system.until(lambda: system.jobs() == {"dead": 1}, "the job is dead")
    google.reset()

    page = arrive(system, OPERATORS).page
    page.goto(f"{system.house.url}/admin/jobs/jobexecution/")
    page.fill("input[name=q]", "хатгал")
    page.press("input[name=q]", "Enter")
    page.locator("#result_list").get_by_role("link", name="dead").click()
    expect(page.locator("#content")).to_contain_text("invalid_input")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("body")).to_contain_text("The job waits again.")
    system.await_success(1)


@pytest.mark.timeout(300)
def test_an_operator_sees_a_worker_lost_and_its_job_taken_over(start: Start, google: Google, arrive: Arrive) -> None:
    system = start(google)
    google.take(3)
    page = arrive(system, OPERATORS).page
    system.api.bulk(system.plant(5))
    expect(panel(page, "workers")).to_contain_text("generate_embedding × 5", timeout=SOON)

    (first,) = system.workers
    system.kill(first)
    google.take(0)
    system.start_worker()
    expect(panel(page, "workers")).to_contain_text("lost", timeout=30_000)
    system.await_success(5)
    expect(panel(page, "verdict")).to_contain_text("A worker was lost", timeout=30_000)


@pytest.mark.timeout(300)
def test_a_reader_sees_the_same_and_has_no_button(start: Start, google: Google, arrive: Arrive) -> None:
    system = start(google)
    google.fail("400", marker=system.mark)
    system.api.create(name=f"Poison {system.mark}")
    system.until(lambda: system.jobs() == {"dead": 1}, "the job is dead")
    page = arrive(system, READERS).page

    for name in ("verdict", "cards", "runs", "lanes", "failures", "charts", "workers", "schedule"):
        expect(panel(page, name)).to_be_visible()
    expect(page.locator("#yb-dashboard form, #yb-dashboard button")).to_have_count(0)
    page.locator("#yb-panel-failures a").first.click()
    expect(page.locator("#content")).to_contain_text("invalid_input")
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)
    expect(page.get_by_role("button", name="Resolve")).to_have_count(0)


@pytest.mark.timeout(300)
def test_a_page_without_a_server_says_that_it_is_old(start: Start, arrive: Arrive) -> None:
    system = start()
    visitor = arrive(system, READERS)
    page = visitor.page
    page.route("**/admin/dashboard/live/**", lambda route: route.abort())
    expect(page.get_by_role("status")).to_contain_text("what you see is old", timeout=SOON)
    page.unroute("**/admin/dashboard/live/**")
    expect(page.get_by_role("status")).to_have_text("", timeout=SOON)
    visitor.complaints.clear()
