"""Systems of real processes for the flows."""

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from tests.flows.database import template_database
from tests.flows.house import Houses
from tests.flows.sizes import FULL, FULL_TIMEOUT, SMALL, TIMEOUT, Sizes
from tests.flows.standin import StandIn
from tests.flows.system import System
from tests.flows.trouble import Google, figures, steered
from yellowbook.fleet.environment import clean_environment

#: Flows that the everyday run leaves to `--full-size`; what they show, tests with fewer processes show as well.
ONLY_AT_FULL_SIZE = frozenset(
    {
        "test_a_benchmark_in_small_says_and_draws_what_it_measured",
        "test_a_bulk_run_is_finished_though_redis_forgets_everything_in_its_middle",
        "test_a_business_that_is_gone_is_not_found",
        "test_a_bulk_whose_every_text_is_rejected_pauses_the_lane_and_one_retry_completes_all",
        "test_a_busy_server_is_left_alone_for_as_long_as_it_asks_but_no_shorter_than_the_table_says",
        "test_a_daily_quota_opens_the_lane_by_itself_at_its_end",
        "test_a_fault_that_passes_costs_one_more_call",
        "test_a_job_that_is_claimed_five_times_and_never_ends_is_poisoned",
        "test_a_missed_day_is_made_good_once_by_two_workers_though_one_is_killed_and_titles_wait_for_nobody",
        "test_a_model_is_filled_in_switched_to_under_saves_rolled_back_and_dropped",
        "test_a_paused_lane_is_probed_and_opens_when_the_key_is_back",
        "test_a_quota_is_kept_its_reserve_is_for_urgent_work_and_waiting_costs_nothing",
        "test_a_worker_killed_in_the_middle_of_a_batch_leaves_no_row_undone_and_none_done_twice",
        "test_messages_delivered_five_times_to_hosts_with_different_clocks_do_everything_once",
        "test_a_reader_that_goes_away_is_no_error",
        "test_a_site_goes_live_though_a_worker_is_killed_in_every_stage",
        "test_a_reminder_arrives_once_though_redis_was_away_and_a_worker_is_killed_while_it_sends",
        "test_a_refusal_in_spite_of_the_budget_makes_everybody_wait_until_the_lane_is_resumed",
        "test_a_thousand_by_the_bulk_endpoint_cost_twelve_calls_at_most",
        "test_a_worker_whose_grace_runs_out_gives_back_what_it_has_in_hand",
        "test_an_urgent_save_overtakes_a_bulk_run",
        "test_another_worker_leads_when_the_leader_is_killed",
        "test_answers_in_the_wrong_number_shift_no_vector_to_another_business",
        "test_at_a_terminal_it_follows_and_ctrl_c_and_yes_stop_the_run_that_the_printed_command_resumes",
        "test_everything_works_behind_pgbouncer_and_leaves_nothing_in_its_sessions",
        "test_what_a_host_that_disappears_had_in_hand_is_done_by_another_which_leads_from_then_on",
        "test_inline_and_interrupted_it_gives_back_what_it_holds_and_the_printed_command_does_the_rest",
        "test_killed_inline_its_run_is_taken_up_by_the_next_one",
        "test_of_two_starts_at_once_one_runs_every_time",
        "test_readers_find_at_a_replica_what_was_saved_at_the_primary_and_are_sent_elsewhere_when_it_is_gone",
        "test_stopped_and_resumed_at_any_point_each_business_is_embedded_once",
        "test_two_workers_never_embed_a_text_twice",
        "test_where_it_begins_what_exists_and_force_do_what_they_say",
        "test_a_business_is_embedded_through_rabbitmq_which_is_stopped_and_whose_worker_is_killed",
        "test_a_save_without_redis_is_enriched_once_it_is_back",
        "test_a_taste_is_embedded_and_recommended_from_though_redis_and_the_provider_go_away",
        "test_a_saved_business_is_enriched_once_and_again_by_a_run_with_another_prompt",
        "test_while_the_model_is_away_it_says_delayed_and_catches_up_by_itself",
        "test_a_rate_limit_makes_everybody_wait_for_as_long_as_it_asks_but_no_shorter_than_a_minute",
        "test_a_run_is_exact_while_rows_are_added_changed_and_deleted_under_it",
        "test_a_thousand_saves_while_the_worker_is_busy_cost_twelve_calls_at_most",
        "test_after_faults_at_random_every_business_is_embedded_or_dead_for_a_reason_and_all_counters_agree",
        "test_another_leads_while_the_leader_is_frozen",
        "test_a_page_without_a_server_says_that_it_is_old",
        "test_an_operator_sees_a_worker_lost_and_its_job_taken_over",
        "test_ctrl_c_and_no_leave_the_run_to_the_workers",
        "test_faults_that_pass_are_tried_three_times_more_at_growing_distances",
        "test_operators_who_retry_the_same_dead_letters_at_once_requeue_each_of_them_once",
        "test_the_end_under_a_quota_is_foretold_to_within_15_percent",
    }
)
#: Both SDKs of Google.
SDKS = ("gemini", "google-generativeai")
SYSTEMS = pytest.StashKey[list[System]]()
#: Name of the property of a report that holds what `figures` returned.
FIGURES = "figures"


class Start(Protocol):
    """Starts a system whose Google is the stand-in; without one it embeds with the local provider."""

    def __call__(self, standin: StandIn | None = None) -> System: ...


@pytest.fixture(scope="session")
def sizes(request: pytest.FixtureRequest) -> Sizes:
    """How large the failure flows are."""
    return FULL if request.config.getoption("--full-size") else SMALL


@pytest.fixture(scope="session")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    """Databases, Redis and web servers, kept for all flows."""
    server_url, directory = os.environ["DATABASE_URL"], tmp_path_factory.mktemp("template")
    with (
        template_database(server_url, clean_environment(), directory) as template,
        Houses(template) as kept,
    ):
        yield kept


@pytest.fixture(scope="session")
def running_standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    directory = tmp_path_factory.mktemp("standin")
    with StandIn({**clean_environment(), "VAR_DIR": str(directory)}, directory) as standin:
        yield standin


@pytest.fixture
def standin(running_standin: StandIn) -> StandIn:
    """The stand-in for Google's API, with nothing in its log and no delay."""
    running_standin.reset()
    return running_standin


@pytest.fixture
def google(standin: StandIn) -> Iterator[Google]:
    """The stand-in with all its levers."""
    with steered(standin) as google:
        yield google


@pytest.fixture
def start(houses: Houses, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts a system that is stopped, and its traces removed, with the test."""
    systems = request.node.stash.setdefault(SYSTEMS, [])
    with ExitStack() as stack:

        def started(standin: StandIn | None = None) -> System:
            house = houses.of(standin.settings if standin else {"EMBEDDING_PROVIDER": "local"})
            system = System(house)
            systems.append(system)
            return stack.enter_context(system)

        yield started


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give flows more time than other tests: the first one waits for all servers, and full size takes minutes."""
    for item in items:
        if item.get_closest_marker("flow"):
            large = config.getoption("--full-size") and "sizes" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.timeout(FULL_TIMEOUT if large else TIMEOUT))
    if not config.getoption("--full-size"):
        keep_everyday_flows(config, items)


def keep_everyday_flows(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only the full size runs: the longest flows, and all cases but one of those that have several.

    Starting real processes is most of a flow's time, and the everyday run has to end within minutes.
    """
    seen: dict[str, int] = {}
    left_out: list[pytest.Item] = []
    for item in sorted(items, key=lambda item: item.nodeid):
        if not item.get_closest_marker("flow"):
            continue
        name = item.nodeid.partition("[")[0]
        provider = getattr(getattr(item, "callspec", None), "params", {}).get("provider")
        turn = SDKS[len(seen) % len(SDKS)] if name not in seen else None
        if name.rpartition("::")[2] in ONLY_AT_FULL_SIZE or name in seen or provider not in {None, turn}:
            left_out.append(item)
        else:
            seen[name] = len(seen)
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the ends of the logs with a flow that failed, before they are gone; note the figures of one of full size."""
    report = yield
    if report.when == "call" and item.config.getoption("--full-size") and "sizes" in getattr(item, "fixturenames", ()):
        for system in item.stash.get(SYSTEMS, []):
            report.user_properties.append((FIGURES, figures(system)))
    if report.failed and report.when == "call":
        for system in item.stash.get(SYSTEMS, []):
            report.sections.extend(system.house.report())
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures of the flows of full size."""
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        for name, value in report.user_properties:
            if name == FIGURES:
                terminalreporter.write_line(f"{report.nodeid.partition('::')[2]}: {report.duration:.0f} s, {value}")
