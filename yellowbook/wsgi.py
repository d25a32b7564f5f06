"""The WSGI entry point."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from yellowbook.blas import take_one_thread

take_one_thread()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yellowbook.settings")

application = get_wsgi_application()

# What was loaded stays as long as the process: to look for garbage in it costs some request 50 to 100 ms.
gc.collect()
gc.freeze()
