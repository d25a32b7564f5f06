"""Measures one section on the servers that the environment names, which are the benchmark's own.

`manage.py benchmark` starts both. The arguments are the section's name and the scale. Each figure is printed as a JSON
object on a line of its own, and goes to the command.
"""

import gc
import json
import sys
from dataclasses import asdict

import django

if __name__ == "__main__":
    django.setup()
    from django.conf import settings
    from django.test.utils import override_settings

    from jobs.quiet import only_warnings
    from jobs.redis import PATIENT, connect
    from yellowbook.benchmarks.measure import Scale, all_sections
    from yellowbook.search.evaluation.scratch import scratch_database

    name, factor = sys.argv[1:]
    section = next(each for each in all_sections() if each.name == name)
    # As in `yellowbook.wsgi`: what was loaded is not searched for garbage at the expense of what is measured.
    gc.collect()
    gc.freeze()
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # else the client warns that it is missing
    connect(timeout=PATIENT).flushall()
    with (
        scratch_database(),
        override_settings(ALLOWED_HOSTS=["testserver"]),
        only_warnings("jobs", "embeddings", "yellowbook"),
    ):
        for figure in section.figures(Scale(float(factor))):
            sys.stdout.write(json.dumps(asdict(figure)) + "\n")
            sys.stdout.flush()
