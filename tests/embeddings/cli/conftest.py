"""The command with everything real but terminals: businesses, the local provider, and a worker when there is one."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from jobs import workers
from jobs.models import JobExecution
from yellowbook.directory.models import Business


@dataclass(frozen=True)
class Answer:
    """What the command said on both streams, and its exit code."""

    out: str
    err: str
    code: int

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it said to programs: every line is an object."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def names(self) -> list[str]:
        return [event["event"] for event in self.events]


def embed(*arguments: str) -> Answer:
    """Run the command; a usage error has the code that a shell sees."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("embed_businesses", *arguments, stdout=out, stderr=err, no_color=True)
    except SystemExit as left:
        return Answer(out.getvalue(), err.getvalue(), int(left.code or 0))
    except CommandError as error:
        return Answer(out.getvalue(), str(error), 2)
    return Answer(out.getvalue(), err.getvalue(), 0)


@pytest.fixture(scope="session", autouse=True)
def _static_root() -> None:
    """Have the directory that whitenoise warns about where `collectstatic` never ran."""
    django_settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def plant() -> Callable[..., list[str]]:
    """Make businesses without jobs; their ids, in order."""

    def make(number: int, **changes: Any) -> list[str]:
        rows = [
            Business(**{"name": f"Номин {each}", "category": "Кафе", "address": f"Гудамж {each}", **changes})
            for each in range(number)
        ]
        Business.objects.bulk_create(rows)
        JobExecution.objects.all().delete()
        return sorted(str(row.pk) for row in rows)

    return make


@pytest.fixture
def worker(db: None) -> None:
    """A worker that beats; nobody works."""
    workers.enter_registry(1)
