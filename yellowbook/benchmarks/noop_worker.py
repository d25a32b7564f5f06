"""What workers load in place of `jobs.boot` to have the kind that does nothing."""

import jobs.boot  # noqa: F401 sets Django up
from yellowbook.benchmarks.noop import declare

declare()
