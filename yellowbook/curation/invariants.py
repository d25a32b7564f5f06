"""What must hold of sets."""

from functools import partial
from typing import LiteralString

from django.utils.translation import gettext_noop

from jobs.upkeep.audit import Invariant, register
from jobs.upkeep.scan import find
from yellowbook.curation.models import CollectionSet
from yellowbook.curation.names import CURATE_COLLECTIONS
from yellowbook.curation.services import repair

#: The sets that are still to be made, for a day that may be looked at, and have nothing that will.
_LOST: LiteralString = """
  FROM curation_collectionset AS wanted
 WHERE wanted.made < wanted.wanted
   AND wanted.date >= current_date - 1
   AND NOT EXISTS (SELECT FROM jobs_jobexecution AS job
                    WHERE job.kind = %(kind)s AND job.subject = wanted.id::text
                      AND job.status IN ('queued', 'retrying', 'running'))
   AND NOT EXISTS (SELECT FROM jobs_deadletter AS letter
                    WHERE letter.kind = %(kind)s AND letter.subject = wanted.id::text AND letter.resolved_at IS NULL)
"""
_PARAMETERS = {"kind": CURATE_COLLECTIONS}


def mend() -> int:
    """Make jobs for the sets that have none; return how many."""
    return repair(list(CollectionSet.objects.raw("SELECT wanted.*" + _LOST, _PARAMETERS)))


register(
    Invariant(
        "wanted_collections_have_job",
        gettext_noop("Every set of collections still to be made has a job, or a dead letter that nobody settled."),
        partial(find, "SELECT wanted.id::text" + _LOST, parameters=_PARAMETERS),
        gettext_noop("Makes jobs for them."),
        mend,
    )
)
