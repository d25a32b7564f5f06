"""What happened when: kept when the jobs themselves are long deleted."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Step(models.TextChoices):
    """How long a time a row of history stands for."""

    MINUTE = "minute", "minute"
    HOUR = "hour", "hour"


class Ending(models.Model):
    """Attempts of one kind that ended together, in one way; merged into the tallies soon after.

    The transaction that ends them only adds a row, so that none waits for another.
    """

    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=64)
    outcome = models.CharField(max_length=64)
    jobs = models.PositiveIntegerField()
    #: For each job the bucket of `jobs.history.buckets` that its wait, from due to claimed, and its run, from claimed
    #: to ended, belong to. Only a job that succeeded counts as having waited; one that was called off did not run.
    waited = ArrayField(models.PositiveSmallIntegerField())
    ran = ArrayField(models.PositiveSmallIntegerField())

    def __str__(self) -> str:
        return f"{self.at} {self.kind} {self.outcome}: {self.jobs}"


class Tally(models.Model):
    """Attempts of one kind that ended in one way within a minute or an hour; kept by `jobs.history.tallies`."""

    step = models.CharField(max_length=6, choices=Step)
    #: The beginning of the minute or hour.
    at = models.DateTimeField()
    kind = models.CharField(max_length=64)
    #: As in `RunCount`; a failed attempt that is tried again is `retrying:` and the failure class.
    outcome = models.CharField(max_length=64)
    jobs = models.PositiveIntegerField()
    #: Histograms of their waits and runs: {bucket: jobs}, with the buckets that have any.
    waited = models.JSONField()
    ran = models.JSONField()

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(fields=["step", "at", "kind", "outcome"], name="jobs_tally_one_per_outcome")
        ]

    def __str__(self) -> str:
        return f"{self.at} {self.kind} {self.outcome}: {self.jobs}"


class Sample(models.Model):
    """What a gauge showed within a minute or an hour; the leader looks every so often (`jobs.history.gauges`)."""

    step = models.CharField(max_length=6, choices=Step)
    at = models.DateTimeField()
    gauge = models.CharField(max_length=64)
    #: What it was about, e.g. a kind of job; empty for a gauge of the whole system.
    label = models.CharField(max_length=64, blank=True)
    #: The last and the highest value of the time, and when that last one was read.
    value = models.FloatField()
    peak = models.FloatField()
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["step", "gauge", "label", "at"], name="jobs_sample_one_per_time")
        ]
        indexes = [models.Index(fields=["step", "at"], name="jobs_sample_at")]

    def __str__(self) -> str:
        return f"{self.at} {self.gauge} {self.label}: {self.value}"
