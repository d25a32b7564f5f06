"""What people have done to many rows at once, in the background."""

import uuid

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0007_job_searches"),
    ]

    operations = [
        migrations.CreateModel(
            name="BulkAction",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("action", models.CharField(max_length=40)),
                ("criteria", models.JSONField()),
                ("up_to", models.CharField(blank=True, db_default="", max_length=40)),
                ("requested_by", models.CharField(max_length=150)),
                ("source", models.CharField(max_length=16)),
                ("note", models.TextField(blank=True, db_default="")),
                ("per_second", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("working", "working"),
                            ("done", "done"),
                            ("stopped", "stopped"),
                            ("failed", "failed"),
                        ],
                        db_default="waiting",
                        max_length=10,
                    ),
                ),
                ("total", models.PositiveIntegerField()),
                ("done", models.PositiveIntegerField(db_default=0)),
                ("skipped", models.PositiveIntegerField(db_default=0)),
                ("reasons", models.JSONField(blank=True, db_default={})),
                ("cursor", models.CharField(blank=True, db_default="", max_length=100)),
                ("next_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True, db_default="")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-created_at", "id"], name="jobs_bulkaction_created"),
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "working"])),
                        fields=["id"],
                        name="jobs_bulkaction_under_way",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "working", "done", "stopped", "failed"])),
                        name="jobs_bulkaction_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at__isnull", True), ("state__in", ["waiting", "working"])),
                            models.Q(("finished_at__isnull", False), ("state__in", ["done", "stopped", "failed"])),
                            _connector="OR",
                        ),
                        name="jobs_bulkaction_ends_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("per_second__isnull", True), ("per_second__gte", 1), _connector="OR"),
                        name="jobs_bulkaction_some_per_second",
                    ),
                ],
            },
        ),
    ]
