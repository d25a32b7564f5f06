"""How many threads the linear algebra of one process takes."""

import os
from typing import Final

#: For a process that answers requests: others need the cores, PostgreSQL to begin with. A second thread of OpenBLAS
#: makes a search no faster, and its waiting in a loop makes slow ones slower.
ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1"}


def take_one_thread() -> None:
    """Have matrix products take one thread, unless the environment says otherwise; call it before numpy is imported."""
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
