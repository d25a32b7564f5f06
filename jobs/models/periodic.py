"""Periodic work."""

from django.db import models

from jobs.models.job import JobExecution


class PeriodicTask(models.Model):
    """What the scheduler knows of one piece of periodic work; declared in code by `jobs.periodic`."""

    name = models.CharField(max_length=64, primary_key=True)
    enabled = models.BooleanField(db_default=True)
    next_due_at = models.DateTimeField()
    #: When it was last made a job, and which.
    last_started_at = models.DateTimeField(null=True, blank=True)
    last_job = models.ForeignKey(JobExecution, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    #: Due times that passed while nobody was there to notice; made good by one job.
    missed = models.PositiveIntegerField(db_default=0)

    class Meta:
        permissions = [("steer_periodictask", "Can run periodic work now and switch its schedule")]

    def __str__(self) -> str:
        return self.name
