"""The ASGI entry point."""

import os

from django.core.asgi import get_asgi_application
from django.urls import get_resolver

from yellowbook.blas import take_one_thread

take_one_thread()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yellowbook.settings")

application = get_asgi_application()

# Otherwise the first request would load the addresses and all behind them.
get_resolver().url_patterns  # noqa: B018
