"""Who shows no pages loads none: workers."""

import os
import subprocess
import sys

SETUP = """
import sys
import django

django.setup()

def pages():
    return sorted(name for name in ("unfold.admin", "jobs.admin", "yellowbook.urls") if name in sys.modules)

print(pages())
from django.core.checks import run_checks
assert run_checks(tags=["admin"]) == []
print(pages())
from django.contrib import admin
from jobs.models import JobExecution
print(admin.site.is_registered(JobExecution))
"""


def test_pages_are_loaded_by_the_checks_and_not_before() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "yellowbook.settings"}
    told = subprocess.run([sys.executable, "-c", SETUP], env=environment, capture_output=True, text=True, check=False)
    assert told.stdout.splitlines() == ["[]", "['jobs.admin', 'unfold.admin']", "True"], told.stderr
