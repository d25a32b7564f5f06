import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import yellowbook.directory.fields
import yellowbook.reminders.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("directory", "0003_operators_see_bulk_actions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Occasion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("title", yellowbook.directory.fields.LineField(max_length=200)),
                ("date", models.DateField(validators=[yellowbook.reminders.models.validate_day])),
                ("time", models.TimeField()),
                ("time_zone", models.CharField(max_length=64, validators=[yellowbook.reminders.models.validate_zone])),
                (
                    "recurrence",
                    models.CharField(
                        choices=[
                            ("none", "once"),
                            ("weekly", "every week"),
                            ("monthly", "every month"),
                            ("yearly", "every year"),
                        ],
                        default="none",
                        max_length=10,
                    ),
                ),
                (
                    "offsets",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(),
                        default=yellowbook.reminders.models.default_offsets,
                        size=None,
                        validators=[yellowbook.reminders.models.validate_offsets],
                    ),
                ),
                (
                    "channels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(choices=[("push", "push"), ("email", "e-mail")], max_length=10),
                        default=yellowbook.reminders.models.default_channels,
                        size=None,
                        validators=[yellowbook.reminders.models.validate_channels],
                    ),
                ),
                ("plan_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "business",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="directory.business",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="occasions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PushSubscription",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("endpoint", models.CharField(max_length=2000, unique=True)),
                ("p256dh", models.CharField(max_length=100)),
                ("auth", models.CharField(max_length=50)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="push_subscriptions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Schedule",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("occurrence", models.DateField()),
                ("offset", models.SmallIntegerField()),
                ("channel", models.CharField(choices=[("push", "push"), ("email", "e-mail")], max_length=10)),
                ("due_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("queued", "queued"),
                            ("delayed", "delayed"),
                            ("sent", "sent"),
                            ("skipped", "skipped"),
                            ("cancelled", "cancelled"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "occasion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="schedules", to="reminders.occasion"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DeliveryRecord",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "outcome",
                    models.CharField(
                        choices=[("delayed", "delayed"), ("sent", "sent"), ("failed", "failed")], max_length=10
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("last_status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("last_error", models.TextField(blank=True, default="")),
                ("reached", models.JSONField(blank=True, default=list)),
                ("first_attempt_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "schedule",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="delivery", to="reminders.schedule"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="occasion",
            index=models.Index(fields=["owner", "-created_at"], name="reminders_occasion_owner"),
        ),
        migrations.AddIndex(
            model_name="occasion",
            index=models.Index(fields=["-created_at", "-id"], name="reminders_occasion_at"),
        ),
        migrations.AddIndex(
            model_name="occasion",
            index=models.Index(
                condition=models.Q(("plan_at__isnull", False)), fields=["plan_at"], name="reminders_occasion_plan"
            ),
        ),
        migrations.AddConstraint(
            model_name="occasion",
            constraint=models.CheckConstraint(
                condition=models.Q(("recurrence__in", ["none", "weekly", "monthly", "yearly"])),
                name="reminders_occasion_recurrence_known",
            ),
        ),
        migrations.AddIndex(
            model_name="pushsubscription",
            index=models.Index(fields=["-created_at", "-id"], name="reminders_subscription_at"),
        ),
        migrations.AddIndex(
            model_name="schedule",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["due_at"], name="reminders_schedule_due"
            ),
        ),
        migrations.AddIndex(
            model_name="schedule",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "delayed"])),
                fields=["due_at"],
                name="reminders_schedule_under_way",
            ),
        ),
        migrations.AddIndex(
            model_name="schedule",
            index=models.Index(fields=["-due_at", "-id"], name="reminders_schedule_at"),
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.UniqueConstraint(
                fields=("occasion", "occurrence", "offset", "channel"), name="reminders_schedule_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["waiting", "queued", "delayed", "sent", "skipped", "cancelled", "failed"])
                ),
                name="reminders_schedule_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["push", "email"])), name="reminders_schedule_channel_known"
            ),
        ),
        migrations.AddIndex(
            model_name="deliveryrecord",
            index=models.Index(fields=["-first_attempt_at", "-id"], name="reminders_delivery_at"),
        ),
        migrations.AddConstraint(
            model_name="deliveryrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["delayed", "sent", "failed"])),
                name="reminders_delivery_outcome_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="deliveryrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", "sent"), ("sent_at__isnull", False)),
                    models.Q(models.Q(("outcome", "sent"), _negated=True), ("sent_at", None)),
                    _connector="OR",
                ),
                name="reminders_delivery_sent_at",
            ),
        ),
    ]
