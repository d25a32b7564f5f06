"""What must hold once nothing waits or runs any more, whatever happened before.

The same check ends the soak and every flow of the fault suite: each business has the vector of its last text, or a dead
letter that says why not; no job is stuck; attempts are counted right; nothing was embedded again that was not in flight
when something broke.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

import numpy as np
import orjson

from embeddings.prepare import prepare
from embeddings.providers.base import DIMENSIONS
from embeddings.standin.damage import OF_VECTORS
from embeddings.standin.service import ON_CONNECTION
from embeddings.standin.vectors import Vectors

#: Runs a statement of SQL and returns its rows.
Sql = Callable[..., list[tuple[Any, ...]]]

#: Least cosine between a stored vector and the one that the stand-in makes of the text: half precision costs 1e-7.
SAME = 0.9999
#: Tokens that the provider reads of a text.
MAX_TOKENS = 2048
#: Findings of one sort that are told; the rest is counted.
SHOWN = 5

_UNFINISHED = "SELECT count(*) FROM jobs_jobexecution WHERE status IN ('queued', 'running', 'retrying')"

_STUCK = {
    "jobs that wait or run": _UNFINISHED,
    "leases left behind": "SELECT count(*) FROM jobs_lease",
    "finished jobs with a lease": "SELECT count(*) FROM jobs_jobexecution WHERE lease_id IS NOT NULL",
    "jobs ended without a time": "SELECT count(*) FROM jobs_jobexecution WHERE finished_at IS NULL",
}

#: Businesses whose last text has no vector. A dead job accounts for one when it was claimed after the last save.
_LOST = """
SELECT business.id::text, business.name,
       (SELECT string_agg(job.status || ' ' || job.result || job.error_class, ', ' ORDER BY job.created_at)
          FROM jobs_jobexecution AS job WHERE job.subject = business.id::text)
  FROM directory_business AS business
 WHERE NOT EXISTS (SELECT FROM embeddings_embedding AS stored
                    WHERE stored.business_id = business.id AND stored.text_hash = business.text_hash)
   AND NOT EXISTS (SELECT FROM jobs_jobexecution AS job JOIN jobs_deadletter AS letter ON letter.job_id = job.id
                    WHERE job.subject = business.id::text AND job.status = 'dead'
                      AND job.started_at >= business.updated_at AND letter.resolved_at IS NULL)
"""

_BAD_LETTERS = {
    "dead jobs without an open dead letter": """
SELECT count(*) FROM jobs_jobexecution AS job WHERE status = 'dead'
   AND NOT EXISTS (SELECT FROM jobs_deadletter WHERE job_id = job.id AND resolved_at IS NULL)
""",
    "open dead letters of jobs that are not dead": """
SELECT count(*) FROM jobs_deadletter AS letter JOIN jobs_jobexecution AS job ON job.id = letter.job_id
 WHERE letter.resolved_at IS NULL AND job.status <> 'dead'
""",
    "dead letters that do not say why": """
SELECT count(*) FROM jobs_deadletter
 WHERE error_class = '' OR failure_reason = '' OR error_details ->> 'message' <> failure_reason
""",
    "dead letters with a wrong number of attempts": """
SELECT count(*) FROM jobs_deadletter AS letter
 WHERE letter.resolved_at IS NULL AND attempts <> (SELECT count(*) FROM jobs_attempt WHERE job_id = letter.job_id)
""",
}

#: Jobs with what their failed attempts say: how many there are, how many of them were rate limits, and the highest
#: number of the others, which are numbered from 1 without a gap.
_ATTEMPTS = """
SELECT job.id::text, job.status, job.attempt, job.rate_limits, job.max_retries, job.error_class = 'rate_limited',
       count(failed.id), count(failed.id) FILTER (WHERE failed.error_class = 'rate_limited'),
       coalesce(max(failed.number) FILTER (WHERE failed.error_class <> 'rate_limited'), 0)
  FROM jobs_jobexecution AS job LEFT JOIN jobs_attempt AS failed ON failed.job_id = job.id
 GROUP BY job.id
"""

_VECTORS = """
SELECT business.name, concat_ws(E'\\n', business.name, business.category, business.description, business.address),
       stored.text_hash, stored.model, stored.vector::text
  FROM embeddings_embedding AS stored JOIN directory_business AS business ON business.id = stored.business_id
 WHERE stored.text_hash = business.text_hash
"""


def unfinished(sql: Sql) -> int:
    """Return how many jobs wait or run."""
    ((number,),) = sql(_UNFINISHED)
    return int(number)


def findings(sql: Sql, embedded: Mapping[str, int], *, in_flight: int) -> list[str]:
    """Return what is wrong in a system that has settled; nothing if all is well.

    `embedded` says how often each text got a good vector from the provider, `in_flight` how many texts were on their
    way when something broke.
    """
    return [*stuck(sql), *lost(sql), *badly_buried(sql), *miscounted(sql), *strangers(sql), *again(embedded, in_flight)]


def stuck(sql: Sql) -> list[str]:
    """Jobs that are not over, and what is left of those that are."""
    return _counted(sql, _STUCK)


def lost(sql: Sql) -> list[str]:
    """Businesses that have neither the vector of their last text nor a dead letter for it."""
    return _listed(
        f"{name} ({business_id}) has no vector of its last text and no dead letter; its jobs: {jobs}"
        for business_id, name, jobs in sql(_LOST)
    )


def badly_buried(sql: Sql) -> list[str]:
    """Dead jobs and dead letters that do not match."""
    return _counted(sql, _BAD_LETTERS)


def miscounted(sql: Sql) -> list[str]:
    """Jobs whose attempt, rate limits and failed attempts do not add up; none of them retried by a person."""
    return _listed(
        f"job {row[0]} is {row[1]} at attempt {row[2]} with {row[3]} rate limits, but failed {row[6]} times, {row[7]}"
        f" of them rate limits, the last with number {row[8]}"
        for row in sql(_ATTEMPTS)
        if not _adds_up(*row[1:])
    )


def _adds_up(
    status: str,
    attempt: int,
    rate_limits: int,
    max_retries: int,
    limited: bool,
    failed: int,
    limits: int,
    last: int,
) -> bool:
    """Tell whether a job's counters say what its failed attempts say."""
    ordinary = failed - limits
    if limits != rate_limits or last != ordinary or attempt > max_retries + 1:
        return False
    if status == "dead":
        return ordinary == attempt - limited
    if status == "cancelled":  # called off while it waited, or in place of a retry, or of its death
        return ordinary in (attempt, attempt - 1)
    return ordinary == attempt - 1


def strangers(sql: Sql) -> list[str]:
    """Stored vectors that are not those of the text beside them."""
    vectors = Vectors()
    rows = sql(_VECTORS)
    wanted = vectors.of([prepare(row[1], max_tokens=MAX_TOKENS).text for row in rows], _model(rows), DIMENSIONS)
    wrong = []
    for (name, text, text_hash, _, stored), made in zip(rows, wanted, strict=True):
        if sha256(text.encode()).hexdigest() != text_hash:
            wrong.append(f"{name} has a hash of another text than its own")
        elif _cosine(orjson.loads(stored), orjson.loads(made)) < SAME:
            wrong.append(f"{name} has the vector of another text than its own")
    return _listed(wrong)


def _model(rows: list[tuple[Any, ...]]) -> str:
    """Return the one model of the vectors."""
    models = {row[3] for row in rows}
    if len(models) > 1:
        raise ValueError(f"vectors of several models: {', '.join(sorted(models))}")
    return str(models.pop()) if models else ""


def _cosine(one: list[float], other: list[float]) -> float:
    a, b = np.array(one), np.array(other)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def again(embedded: Mapping[str, int], in_flight: int) -> list[str]:
    """Texts that were embedded more than once, when they are more than what was in flight."""
    repeated = sum(number - 1 for number in embedded.values())
    if repeated <= in_flight:
        return []
    return [f"{repeated} texts were embedded again, but only {in_flight} were in flight when something broke"]


def embedded_texts(calls: Iterable[Mapping[str, Any]], field: str = "text") -> Counter[str]:
    """Return how often each text got a good vector, from the stand-in's log; `sha256` counts hashes instead.

    Faults of single vectors are about the first text, as they are without a marker.
    """
    count: Counter[str] = Counter()
    for call in calls:
        if call["fault"] in OF_VECTORS:
            count.update(call[field][1:])
        elif call["status"] == 200 and call["fault"] is None:
            count.update(call[field])
    return count


def unheard(sql: Sql, calls: Iterable[Mapping[str, Any]]) -> int:
    """Return how many texts went in calls that were given up although the stand-in was about to answer them."""
    ((failed,),) = sql("SELECT count(*) FROM jobs_attempt WHERE error_class = 'network'")
    return max(0, int(failed) - sum(int(call["texts"]) for call in calls if call["fault"] in ON_CONNECTION))


def _counted(sql: Sql, questions: Mapping[str, str]) -> list[str]:
    """Ask for numbers that should be zero."""
    found = [(what, int(sql(question)[0][0])) for what, question in questions.items()]
    return [f"{number} {what}" for what, number in found if number]


def _listed(told: Iterable[str]) -> list[str]:
    """Return the first of many, and how many more there are."""
    everything = list(told)
    more = len(everything) - SHOWN
    return everything if more <= 0 else [*everything[:SHOWN], f"... and {more} more like it"]
