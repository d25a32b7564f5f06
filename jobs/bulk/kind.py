"""The kind of job that works bulk actions off. A lane of its own: it holds up no other work, and none holds it up."""

from jobs.bulk import job_actions, letters, steer  # noqa: F401 they declare the actions, and the leader's duty
from jobs.bulk.start import BULK_ACTION
from jobs.bulk.work import work_on
from jobs.kinds import Kind, register

register(
    Kind(
        name=BULK_ACTION,
        handler=work_on,
        subject_name="bulk_action_id",
        subject_model="jobs.BulkAction",
        batch_size=1,
        concurrency=2,
    )
)
