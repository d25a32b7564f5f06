"""What the last audit found."""

from django.db import models


class AuditResult(models.Model):
    """One invariant, as it was found when it was last checked."""

    name = models.CharField(max_length=64, primary_key=True)
    #: When it was last checked to the end, and what that found; empty when it never was.
    checked_at = models.DateTimeField(null=True, blank=True)
    count = models.PositiveBigIntegerField(null=True, blank=True)
    examples = models.JSONField(db_default=[], blank=True)
    seconds = models.FloatField(null=True, blank=True)
    #: Why the last try to check it came to nothing; empty when it did not.
    error = models.TextField(db_default="", blank=True)

    class Meta:
        verbose_name = "invariant"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
