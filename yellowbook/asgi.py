"""The ASGI entry point."""

import os

from django.core.asgi import get_asgi_application

from yellowbook.blas import take_one_thread

take_one_thread()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yellowbook.settings")

application = get_asgi_application()
