"""Made-up data for load tests."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from jobs.history.tallies import counted
from jobs.models import DeadLetter, JobExecution, Step
from tests.jobs.support import long_ago
from yellowbook.directory.models import Business

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_empty_database_is_filled_with_what_belongs_together() -> None:
    call_command("populate", businesses=300, jobs=2_000)
    assert (Business.objects.count(), JobExecution.objects.count()) == (300, 2_000)
    dead = JobExecution.objects.filter(status="dead").count()
    assert dead == DeadLetter.objects.count() > 20
    ended = JobExecution.objects.filter(finished_at__isnull=False).count()
    assert sum(each.count.jobs for each in counted({Step.HOUR: long_ago(30 * 86_400)})[Step.HOUR]) == ended


def test_a_database_that_is_not_empty_is_left_alone() -> None:
    Business.objects.create(name="Mine", category="Cafe", address="Here")
    with pytest.raises(CommandError, match="not empty"):
        call_command("populate", businesses=1, jobs=1)
    assert Business.objects.count() == 1
