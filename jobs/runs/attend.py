"""Looking after runs under way: their workers never wait for jobs, and their end is noticed.

Workers attend to the runs of the batches that they finish, the leader to all of them about once a second. So a run goes
as fast as its workers, and one whose processes were all killed goes on when there are workers again.
"""

import time
from collections.abc import Iterable
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import F

from jobs import clock
from jobs.actor import Actor
from jobs.clean import clean
from jobs.clock import in_
from jobs.database import OPERATIONAL
from jobs.duties import Duty, register
from jobs.enqueue import enqueue_many
from jobs.kinds import Kind, get_kind
from jobs.lifecycle.steer import cancel_run, free_from_run
from jobs.models import Run
from jobs.runs.progress import processed
from jobs.runs.start import ACTIVE, State, feed_of
from jobs.states import Operation

log = structlog.get_logger(__name__)

#: Batches that wait for each batch that may be under way.
AHEAD = 4
#: Seconds between two looks of one process at one run.
MIN_PAUSE = 0.1
#: Seconds between two points of the rate's curve, and points that are kept.
SAMPLE_EVERY, SAMPLES = 5.0, 25
#: Subjects that are fed at a time where a run with pauses names no number.
BATCH_SIZE = 10

_last_look: dict[UUID, float] = {}


def attend(run_ids: Iterable[UUID]) -> None:
    """Feed runs and settle those that are over. Looked at a moment ago, a run is left alone."""
    now = time.monotonic()
    for run_id in run_ids:
        if now - _last_look.get(run_id, 0.0) >= MIN_PAUSE:
            _last_look[run_id] = now
            feed(run_id)
            settle(run_id)


def attend_all() -> None:
    """Feed, measure and settle every run under way; the leader's duty."""
    active = list(Run.objects.filter(state__in=ACTIVE).values_list("id", flat=True))
    for run_id in active:
        feed(run_id)
        _sample(run_id)
        settle(run_id)
    for run_id in set(_last_look) - set(active):
        _last_look.pop(run_id, None)


_FAIL = """
UPDATE jobs_run
   SET state = 'failed', error = %s, finished_at = statement_timestamp(),
       seconds_before = seconds_before + extract(epoch FROM statement_timestamp() - resumed_at)
 WHERE id = %s AND state = 'running'
"""


def feed(run_id: UUID) -> int:
    """Make the next jobs of a run, if it needs any; return how many subjects were fed. One feeder at a time."""
    try:
        with transaction.atomic():
            runs = Run.objects.select_for_update(no_key=True, skip_locked=True)
            run = runs.filter(id=run_id, state=State.RUNNING, fed_all=False).first()
            if run is None or (run.next_feed_at is not None and run.next_feed_at > clock.now()):
                return 0
            return _feed(run)
    except OPERATIONAL:
        raise
    except Exception as error:
        log.exception("run_failed", run_id=str(run_id))
        with connection.cursor() as cursor:
            cursor.execute(_FAIL, [clean(f"{type(error).__name__}: {error}"), run_id])
        return 0


def _feed(run: Run) -> int:
    kind = get_kind(run.kind)
    wanted = _room(run, kind)
    limit = run.options.get("limit")
    if limit:
        wanted = min(wanted, limit - run.made - run.skipped)
    if wanted <= 0:
        if limit and run.made + run.skipped >= limit:
            _note_fed(run, [], fed_all=True)
        return 0
    items = feed_of(kind).page(run.options, run_id=run.id, after=run.cursor, limit=wanted)
    if items:
        enqueue_many(
            run.kind,
            [item.subject for item in items],
            operation=Operation.BULK,
            priority=run.options.get("priority", "low"),
            actor=Actor(run.requested_by, run.source),
            extras=[item.extras for item in items],
            run=run,
        )
        run.refresh_from_db(fields=["made", "skipped"])
    _note_fed(run, [item.subject for item in items], fed_all=len(items) < wanted)
    return len(items)


def _room(run: Run, kind: Kind) -> int:
    """Return how many subjects may be fed now."""
    if run.options.get("delay"):
        return int(run.options.get("batch_size") or BATCH_SIZE)
    ahead = AHEAD * kind.batch_size * kind.concurrency
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM jobs_jobexecution"
            " WHERE run_id = %s AND status IN ('queued', 'retrying') LIMIT %s) AS waiting",
            [run.id, ahead],
        )
        waiting = int(cursor.fetchone()[0])
    return 0 if waiting > ahead // 2 else ahead - waiting


def _note_fed(run: Run, subjects: list[str], *, fed_all: bool) -> None:
    fed = run.made + run.skipped
    delay = run.options.get("delay")
    Run.objects.filter(id=run.id).update(
        cursor=subjects[-1] if subjects else run.cursor,
        fed_all=fed_all,
        total=fed if fed_all else max(run.total, fed),
        next_feed_at=in_(delay) if delay else None,
    )


_SETTLE = """
UPDATE jobs_run AS run
   SET state = CASE state WHEN 'stopping' THEN 'stopped' ELSE 'completed' END, finished_at = statement_timestamp(),
       total = CASE WHEN state = 'stopping' THEN total ELSE made + skipped END,
       seconds_before = seconds_before + extract(epoch FROM statement_timestamp() - resumed_at)
 WHERE id = %s AND (state = 'stopping' OR state = 'running' AND fed_all)
   AND NOT EXISTS (SELECT FROM jobs_jobexecution AS job
                    WHERE job.run_id = run.id AND job.status IN ('queued', 'retrying', 'running'))
"""


def call_off(run_id: UUID) -> None:
    """Call off what waits for a run that is stopping; what others asked for too leaves it and goes on waiting.

    Again and again until it is stopped: what was under way may come back to waiting.
    """
    with transaction.atomic():
        stopping = Run.objects.select_for_update(no_key=True).filter(id=run_id, state=State.STOPPING)
        if stopping.exists():
            cancel_run(run_id)
            stopping.update(made=F("made") - free_from_run(run_id))


def settle(run_id: UUID) -> bool:
    """End a run none of whose jobs is open any more; return whether it ended."""
    call_off(run_id)
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, [run_id])
        ended = bool(cursor.rowcount)
    if ended:
        log.info("run_ended", run_id=str(run_id))
    return ended


def _sample(run_id: UUID) -> None:
    """Add a point to the curve that the rate is read from."""
    run = Run.objects.only("id", "samples", "skipped").get(id=run_id)
    now = clock.now().timestamp()
    if not run.samples or now - run.samples[-1][0] >= SAMPLE_EVERY:
        point = [round(now, 3), processed(run)]
        Run.objects.filter(id=run_id).update(samples=[*run.samples, point][-SAMPLES:])


register(Duty("runs", 1.0, attend_all))
