"""Finds rare combinations of the filters of jobs; built while the table is in use.

The statistics tell the planner which combinations are rare: otherwise it takes the columns for independent of each
other, and looks for a handful of old rows by reading all jobs from the newest on. In return an index goes that
`jobs_job_run` makes superfluous, so that a claim writes no more indexes than before.
"""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

ADD = """
CREATE STATISTICS IF NOT EXISTS jobs_job_filters_together (mcv)
    ON operation, priority, kind, status FROM jobs_jobexecution
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("jobs", "0008_bulk_actions"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="jobexecution",
            index=models.Index(fields=["operation", "priority", "kind", "status"], name="jobs_job_filters"),
        ),
        migrations.AlterField(
            model_name="jobexecution",
            name="run",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="jobs",
                to="jobs.run",
            ),
        ),
        migrations.RunSQL(ADD, "DROP STATISTICS IF EXISTS jobs_job_filters_together"),
    ]
