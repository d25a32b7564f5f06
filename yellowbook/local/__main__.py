"""Lets `python -m yellowbook.local` work; see `yellowbook.local.commands`."""

import signal
import sys

# The imports take a moment, and a Ctrl-C in it shall end the process as quietly as later on.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from yellowbook.local.commands import main  # noqa: E402

sys.exit(main())
