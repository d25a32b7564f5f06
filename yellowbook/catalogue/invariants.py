"""What must hold of listings: one on its way has a job that leads it on, or a dead letter that says why not."""

from functools import partial
from typing import Final, LiteralString
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_noop

from jobs.enqueue import enqueue_many
from jobs.states import Operation
from jobs.upkeep.audit import Invariant, register
from jobs.upkeep.scan import find
from yellowbook.catalogue.models import Listing
from yellowbook.catalogue.stages.kinds import INDEX_BUSINESS, QUALITY_CONTROL

#: The job of each stage that a listing can be left behind in; the leader looks after those that wait for a vector.
_JOBS: Final = {Listing.Stage.QUALITY: QUALITY_CONTROL, Listing.Stage.INDEXING: INDEX_BUSINESS}
#: Listings that one repair leads on.
REPAIRED: Final = 10_000

_LEFT_BEHIND: LiteralString = """
SELECT listing.id::text
  FROM catalogue_listing AS listing
  JOIN unnest(%(stages)s::text[], %(kinds)s::text[]) AS job_of (stage, kind) ON job_of.stage = listing.stage
 WHERE NOT EXISTS (SELECT FROM jobs_jobexecution AS job
                    WHERE job.kind = job_of.kind AND job.subject = listing.id::text
                      AND job.status IN ('queued', 'retrying', 'running'))
   AND NOT EXISTS (SELECT FROM jobs_deadletter AS letter
                    WHERE letter.kind = job_of.kind AND letter.subject = listing.id::text
                      AND letter.resolved_at IS NULL)
"""

_left_behind = partial(find, _LEFT_BEHIND, parameters={"stages": list(_JOBS), "kinds": list(_JOBS.values())})


def _lead_on() -> int:
    found = [UUID(example) for example in _left_behind(REPAIRED).examples]
    made = 0
    for stage, kind in _JOBS.items():
        with transaction.atomic():
            rows = Listing.objects.select_for_update(no_key=True).filter(pk__in=found, stage=stage).order_by("pk")
            listings = list(rows.values_list("pk", "name"))
            extras = [{"original_name": name} for _, name in listings]
            enqueue_many(kind, [pk for pk, _ in listings], operation=Operation.UPDATE, extras=extras)
        made += len(listings)
    return made


register(
    Invariant(
        "listings_on_their_way_have_job",
        gettext_noop("Every listing on its way to the directory has a job, or a dead letter that nobody settled."),
        _left_behind,
        gettext_noop("Makes their jobs again: somebody cancelled or settled the ones that they had."),
        _lead_on,
    )
)
