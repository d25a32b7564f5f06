"""A large directory with a long history, made by a few statements: for looking at pages and plans under load."""

from collections.abc import Callable, Mapping

from django.db import connection, transaction

from embeddings.current import current_model
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.providers.base import DIMENSIONS

#: Days over which the jobs ended.
DAYS = 7
#: One job in so many is dead, and one in so many of these has not been settled.
DEAD_ONE_IN, OPEN_ONE_IN = 50, 40
#: Jobs that wait, at most.
MOST_WAITING = 5_000

_BUSINESSES = """
INSERT INTO directory_business (id, external_id, name, category, description, address, city, phone, email, website,
       offers_online, status, created_at, updated_at)
SELECT gen_random_uuid(), 'load-' || number,
       (ARRAY['Хаан', 'Алтан', 'Blue Sky', 'Нарны', 'Steppe', 'Тэнгэр', 'Khatgal', 'Үүлэн'])[1 + number %% 8] || ' '
       || (ARRAY['кафе', 'hotel', 'зочид буудал', 'pharmacy', 'ресторан', 'bakery'])[1 + number %% 6] || ' ' || number,
       (ARRAY['Cafe', 'Hotel', 'Pharmacy', 'Restaurant', 'Bakery', 'Bank', 'School', 'Garage'])[1 + number %% 8],
       'Кофе, өдрийн хоол, ' || md5(number::text) || ' since ' || 1950 + number %% 70, 'Peace Avenue ' || number,
       (ARRAY['Ulaanbaatar', 'Darkhan', 'Erdenet', 'Mörön', ''])[1 + number %% 5], '', '', '', number %% 3 = 0,
       (ARRAY['published', 'published', 'published', 'draft'])[1 + number %% 4], now() - number * interval '1 minute',
       now() - number * interval '1 minute'
  FROM generate_series(1, %(businesses)s) AS number
"""

#: Unit vectors along one axis each: for counting and looking, not for searching.
_EMBEDDINGS = """
INSERT INTO embeddings_embedding (business_id, model, provider, task_type, text_hash, vector)
SELECT id, %(model)s, 'load', 'RETRIEVAL_DOCUMENT', text_hash,
       ('[' || repeat('0,', axis) || '1' || repeat(',0', %(dimensions)s - 1 - axis) || ']')::halfvec
  FROM (SELECT id, text_hash, (row_number() OVER ())::int %% %(dimensions)s AS axis FROM directory_business) AS business
 WHERE axis %% 50 <> 7
"""

_JOBS = """
WITH subject AS MATERIALIZED (
    SELECT id, name, row_number() OVER () AS number FROM directory_business
), job AS (
    SELECT number, number <= %(waiting)s AS waits,
           number %% %(dead)s = 0 AS dies,
           statement_timestamp() - number * interval '%(days)s days' / %(jobs)s AS ended_at
      FROM generate_series(1, %(jobs)s) AS number
)
INSERT INTO jobs_jobexecution (id, kind, subject, operation, priority, status, result, metadata, error_class, error,
       worker, created_at, next_attempt_at, started_at, finished_at)
SELECT gen_random_uuid(), %(kind)s, subject.id::text, (ARRAY['create', 'update', 'bulk'])[1 + job.number %% 3],
       job.number %% 3,
       CASE WHEN waits THEN 'queued' WHEN dies THEN 'dead' WHEN job.number %% 97 = 0 THEN 'cancelled'
            ELSE 'succeeded' END,
       CASE WHEN waits OR dies THEN '' WHEN job.number %% 97 = 0 THEN 'by a person'
            ELSE (ARRAY['embedded', 'embedded', 'unchanged', 'cached'])[1 + job.number %% 4] END,
       jsonb_build_object('triggered_by', 'load', 'source', 'cli', 'original_name', subject.name,
                          'triggered_at', to_char(ended_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
       CASE WHEN dies AND NOT waits THEN (ARRAY['network', 'server', 'invalid_input'])[1 + job.number %% 3] ELSE '' END,
       CASE WHEN dies AND NOT waits THEN 'it went wrong ' || job.number ELSE '' END,
       CASE WHEN waits THEN '' ELSE 'load:1-000000' END,
       ended_at - interval '2 s', ended_at - interval '2 s',
       CASE WHEN waits THEN NULL ELSE ended_at - interval '1 s' END, CASE WHEN waits THEN NULL ELSE ended_at END
  FROM job JOIN subject ON subject.number = 1 + job.number %% %(businesses)s
"""

_ATTEMPTS = """
INSERT INTO jobs_attempt (job_id, number, started_at, finished_at, error_class, error, worker)
SELECT id, 1, started_at, finished_at, error_class, error, worker FROM jobs_jobexecution WHERE status = 'dead'
"""

_DEAD_LETTERS = """
INSERT INTO jobs_deadletter (job_id, kind, subject, payload, error_class, failure_reason, error_details, attempts,
       enqueued_at, last_attempt_at, created_at, fingerprint, resolution, resolved_at, resolved_by)
SELECT id, kind, subject, jsonb_build_object('job_id', id, 'kind', kind, 'business_id', subject, 'metadata', metadata),
       error_class, error, jsonb_build_object('message', error, 'stack', '', 'status_code', null), 1, created_at,
       started_at, finished_at, left(md5(error_class || right(error, 1)), 16),
       CASE WHEN open THEN '' ELSE 'resolved' END, CASE WHEN open THEN NULL ELSE finished_at END,
       CASE WHEN open THEN '' ELSE 'load' END
  FROM (SELECT *, row_number() OVER (ORDER BY finished_at DESC) %% %(open)s = 0 AS open
          FROM jobs_jobexecution WHERE status = 'dead') AS job
"""

#: What the transactions that end jobs would have written, with a few waits and run times for all.
_TALLIES = """
INSERT INTO jobs_tally (step, at, kind, outcome, jobs, waited, ran)
SELECT step, date_trunc(step, finished_at), kind,
       CASE status WHEN 'succeeded' THEN result WHEN 'dead' THEN 'dead:' || error_class ELSE status END, count(*),
       jsonb_build_object(15, count(*) / 3, 16, count(*) / 3, 18, count(*) - 2 * (count(*) / 3)),
       jsonb_build_object(12, count(*) / 2, 13, count(*) - count(*) / 2)
  FROM jobs_jobexecution, unnest(ARRAY['minute', 'hour']) AS step
 WHERE finished_at > CASE step WHEN 'minute' THEN now() - interval '2 days' ELSE '-infinity' END
 GROUP BY 1, 2, 3, 4
"""

_SAMPLES = """
INSERT INTO jobs_sample (step, at, gauge, label, value, peak, read_at)
SELECT step, at, 'waiting', %(kind)s, (extract(epoch FROM at) / 60)::int %% 400, 400, at
  FROM (SELECT 'minute' AS step, generate_series(date_trunc('minute', now()) - interval '1 day',
                                                 date_trunc('minute', now()), interval '1 minute') AS at
         UNION ALL
        SELECT 'hour', generate_series(date_trunc('hour', now()) - interval '7 days', date_trunc('hour', now()),
                                       interval '1 hour')) AS moment
"""


def populate(businesses: int, jobs: int, say: Callable[[str], object]) -> None:
    """Fill an empty database; all or nothing. `say` is told what comes next."""
    with transaction.atomic():
        steps = {f"{businesses:,} businesses": _BUSINESSES, "their vectors": _EMBEDDINGS}
        given: dict[str, int | str] = {"businesses": businesses, "model": current_model(), "dimensions": DIMENSIONS}
        _run(steps, given, say)
        populate_jobs(businesses, jobs, say)
    say("statistics")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def populate_jobs(businesses: int, jobs: int, say: Callable[[str], object]) -> None:
    """Give the businesses, of which there are so many, a history of jobs where there is none; all or nothing."""
    given: dict[str, int | str] = {
        "businesses": businesses,
        "jobs": jobs,
        "waiting": min(MOST_WAITING, jobs // 100, businesses),
        "dead": DEAD_ONE_IN,
        "open": OPEN_ONE_IN,
        "days": DAYS,
        "kind": GENERATE_EMBEDDING,
    }
    steps = {
        f"{jobs:,} jobs": _JOBS,
        "failed attempts": _ATTEMPTS,
        "dead letters": _DEAD_LETTERS,
        "tallies": _TALLIES,
        "samples": _SAMPLES,
    }
    _run(steps, given, say)


def _run(steps: Mapping[str, str], given: Mapping[str, int | str], say: Callable[[str], object]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for name, statement in steps.items():
            say(name)
            cursor.execute(statement, given)
