"""The first module that dramatiq loads in a worker process.

A worker that was forked by `manage.py rundramatiq` has all of Django already, but its log handlers hold the standard
error of the master, and dramatiq has put a pipe to the master in its place.
"""

import django
import dramatiq.worker
from django.apps import apps
from django.conf import settings
from django.utils.log import configure_logging

from jobs.process.allocator import keep_memory_small

keep_memory_small()

#: Seconds after which a consumer that lost Redis tries again (dramatiq's own default is 3).
dramatiq.worker.CONSUMER_RESTART_DELAY_SECS = 1.0

if apps.ready:
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
else:
    django.setup()
