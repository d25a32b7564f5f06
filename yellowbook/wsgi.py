"""The WSGI entry point."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from yellowbook.blas import take_one_thread

take_one_thread()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yellowbook.settings")

application = get_wsgi_application()

# Otherwise the first request would load the addresses and all behind them.
get_resolver().url_patterns  # noqa: B018

# What was loaded stays as long as the process: to look for garbage in it costs some request 50 to 100 ms.
gc.collect()
gc.freeze()
