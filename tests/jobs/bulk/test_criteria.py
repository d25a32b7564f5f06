"""Which rows a bulk action is about: the cut-off, and the words of each door."""

import pytest

from jobs.bulk.actions import UnknownAction, all_actions, get_action, register
from jobs.bulk.criteria import rows_of
from jobs.bulk.job_actions import CANCEL_JOBS
from jobs.bulk.keyset import ByNumber, ByTime
from jobs.bulk.letters import RETRY_LETTERS
from jobs.kinds import Kind
from jobs.models import BulkAction, DeadLetter, JobExecution
from tests.jobs.admin.support import bury
from tests.jobs.support import waiting

pytestmark = pytest.mark.django_db(transaction=True)


def bulk(action, criteria, up_to: str = "") -> BulkAction:
    return BulkAction(action=action.name, criteria=criteria, up_to=up_to, total=0)


def test_the_filter_of_a_list_finds_what_the_list_shows(kind: Kind) -> None:
    letters = bury(kind, "a", "b", name="Номин")
    bury(kind, "c", name="other")
    found = rows_of(bulk(RETRY_LETTERS, {"admin": {"q": ["номин"], "state": ["unresolved"]}}))
    assert {letter.pk for letter in found} == {letter.pk for letter in letters}


def test_a_filter_of_jobs_finds_jobs_until_the_cut_off(kind: Kind) -> None:
    early = waiting(kind, "a", "b")
    up_to = CANCEL_JOBS.keyset.newest(JobExecution.objects.all())
    waiting(kind, "c")
    asked = bulk(CANCEL_JOBS, {"admin": {"status__exact": ["queued"], "kind": [kind.name]}}, up_to)
    assert {job.pk for job in rows_of(asked)} == {job.pk for job in early}


def test_a_filter_that_no_list_understands_is_an_error_and_never_all(kind: Kind) -> None:
    bury(kind, "a")
    with pytest.raises(Exception, match="eror_class"):
        rows_of(bulk(RETRY_LETTERS, {"admin": {"eror_class": ["auth"]}}))
    with pytest.raises(LookupError, match="window"):
        rows_of(bulk(RETRY_LETTERS, {"window": {}}))
    assert not rows_of(bulk(RETRY_LETTERS, {"ids": []})).exists()


@pytest.mark.parametrize("text", ["", "x", "-1", str(2**63), "1.5"])
def test_a_number_that_is_no_cut_off_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        ByNumber().until(DeadLetter.objects.all(), text)


@pytest.mark.parametrize("text", ["", "x", "2026-01-01T00:00:00", "12"])
def test_a_time_that_is_no_cut_off_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        ByTime().until(JobExecution.objects.all(), text)


def test_actions_have_one_name_each() -> None:
    assert [action.name for action in all_actions()] == [
        "cancel_jobs",
        "resolve_dead_letters",
        "retry_dead_letters",
        "retry_jobs",
    ]
    assert register(RETRY_LETTERS) is get_action("retry_dead_letters")
    with pytest.raises(UnknownAction, match="cancel_jobs"):
        get_action("nonsense")
