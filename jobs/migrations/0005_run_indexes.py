from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Built without blocking writers: the table of jobs may be large."""

    atomic = False

    dependencies = [("jobs", "0004_runs_under_way")]

    operations = [
        AddIndexConcurrently(
            "jobexecution",
            models.Index(condition=Q(run__isnull=False), fields=["run", "subject"], name="jobs_job_run_subject"),
        ),
        AddIndexConcurrently(
            "jobexecution",
            models.Index(
                condition=Q(("run__isnull", False), models.Q(("error_class", ""), _negated=True)),
                fields=["run", "-started_at"],
                name="jobs_job_run_errors",
            ),
        ),
    ]
