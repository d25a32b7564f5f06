"""Trying a paused lane again, in a worker: the one place where a lane's state leads to a network call."""

import structlog

from jobs.clean import clean
from jobs.errors import JobError
from jobs.kinds import Kind
from jobs.lifecycle import circuit

log = structlog.get_logger(__name__)


def try_again(kind: Kind) -> None:
    """Probe a paused lane when its time has come, and open it when the probe succeeds. Costs no job."""
    if not circuit.probe_is_due(kind) or kind.probe is None:
        return
    try:
        kind.probe()
    except JobError as error:
        log.warning("probe_failed", lane=kind.name, error_class=str(error.error_class), error=clean(error.message))
    except Exception:
        # A defect of the probe must not keep the worker from its other lanes; the next probe may tell more.
        log.exception("probe_broken", lane=kind.name)
    else:
        circuit.reopen(kind)
