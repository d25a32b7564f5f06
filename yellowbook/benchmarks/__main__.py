"""Measures on the servers that the environment names, which are the benchmark's own: `manage.py benchmark` starts them.

The one argument is its options as JSON. Each figure is printed as a JSON object on a line of its own, and goes to the
command.
"""

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

    options = json.loads(sys.argv[1])
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # else the client warns that it is missing
    for section in all_sections():
        if section.name in options["sections"]:
            connect(timeout=PATIENT).flushall()
            with (
                scratch_database(),
                override_settings(ALLOWED_HOSTS=["testserver"]),
                only_warnings("jobs", "embeddings", "yellowbook"),
            ):
                for figure in section.measure(Scale(options["scale"])):
                    sys.stdout.write(json.dumps({"section": section.name, **asdict(figure)}) + "\n")
                    sys.stdout.flush()
