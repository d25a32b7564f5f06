"""What must hold of similar businesses. What is marked is in motion: a job is going to see to it."""

from functools import partial
from typing import Final, LiteralString
from uuid import UUID

from django.utils.translation import gettext_noop

from embeddings.current import current_model
from embeddings.models import Embedding
from jobs.upkeep.audit import Finding, Invariant, register
from jobs.upkeep.scan import find, scan
from yellowbook.similarity.marks import COMPUTE_SIMILARITY, mark, mark_due, start_due
from yellowbook.similarity.models import Similarity

#: Seconds for which marks may wait for a job, and a changed neighbour for whoever tells: the leader looks every second.
GRACE: Final = 600.0
#: Lists that one repair has computed anew.
REPAIRED: Final = 100_000

#: In scans the row at hand is called `row`.
_LISTS_NOBODY: LiteralString = """
EXISTS (SELECT FROM unnest(row.neighbours) AS neighbour (id)
         WHERE NOT EXISTS (SELECT FROM directory_business AS business
                            WHERE business.id = neighbour.id AND business.status = 'published')
           AND NOT EXISTS (SELECT FROM similarity_mark AS mark WHERE mark.business_id = neighbour.id
                              AND mark.created_at > statement_timestamp() - %(grace)s * interval '1 second'))
AND NOT EXISTS (SELECT FROM similarity_mark AS mark WHERE mark.business_id = row.business_id AND mark.told_at IS NULL)
"""
_ROW: LiteralString = "row.business_id::text"

_NOT_COMPUTED: LiteralString = """
row.model = %(model)s
AND NOT EXISTS (SELECT FROM similarity_similarity AS computed
                 WHERE computed.business_id = row.business_id AND computed.model = row.model)
AND NOT EXISTS (SELECT FROM similarity_mark AS mark WHERE mark.business_id = row.business_id AND mark.told_at IS NULL)
AND row.created_at < statement_timestamp() - interval '2 hours'
"""

_FORGOTTEN: LiteralString = """
SELECT marked.category || ': since ' || date_trunc('second', marked.first)
  FROM (SELECT category, min(created_at) AS first FROM similarity_mark
         WHERE told_at IS NULL AND run_id IS NULL GROUP BY category) AS marked
 WHERE first < statement_timestamp() - %(grace)s * interval '1 second'
   AND NOT EXISTS (SELECT FROM jobs_jobexecution AS job
                    WHERE job.kind = %(kind)s AND job.subject = marked.category
                      AND job.status IN ('queued', 'retrying', 'running'))
   AND NOT EXISTS (SELECT FROM jobs_deadletter AS letter
                    WHERE letter.kind = %(kind)s AND letter.subject = marked.category AND letter.resolved_at IS NULL)
"""


def _listing_nobody(limit: int) -> Finding:
    return scan(Similarity, _LISTS_NOBODY, _ROW, limit, {"grace": GRACE})


def _not_computed(limit: int) -> Finding:
    return scan(Embedding, _NOT_COMPUTED, _ROW, limit, {"model": current_model()})


def _compute_again() -> int:
    found = scan(Similarity, _LISTS_NOBODY, _ROW, REPAIRED, {"grace": GRACE})
    return mark([UUID(each) for each in found.examples], listed=False)


register(
    Invariant(
        "similar_businesses_are_there",
        gettext_noop(
            "Every business that is listed as similar exists and is published, or the list is about to be"
            " computed anew."
        ),
        _listing_nobody,
        gettext_noop(
            "Has the lists computed anew. Readers never see such entries; see that nothing writes businesses unnoticed."
        ),
        _compute_again,
    )
)
register(
    Invariant(
        "similar_businesses_are_computed",
        gettext_noop(
            "Every business with a vector by the model in use has a list of similar ones, or is about to get one."
        ),
        _not_computed,
        gettext_noop("Has them computed."),
        mark_due,
    )
)
register(
    Invariant(
        "similarity_marks_have_job",
        gettext_noop(
            "Every category with changes that wait to be compared has a job, or a dead letter that nobody settled."
        ),
        partial(find, _FORGOTTEN, parameters={"grace": GRACE, "kind": COMPUTE_SIMILARITY}),
        gettext_noop("Makes the jobs, as the workers' scheduler should have done: see that one is alive."),
        lambda: len(start_due()),
    )
)
