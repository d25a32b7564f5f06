"""The subjects of a run over all similar businesses: the categories, each of which is one job.

Options: those of every run.
"""

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from embeddings.current import current_model
from jobs.models import JobExecution
from jobs.runs.feeds import Estimate, Item, Options
from jobs.runs.forms import RunForm
from yellowbook.directory.models import Business
from yellowbook.similarity.marks import mark_categories


class CategoryFeed:
    """A `jobs.runs.feeds.Feed`."""

    form: type[RunForm] = RunForm

    def count(self, options: Options) -> int:
        """Return how many categories there are."""
        return _wanted(options).count()

    def page(self, options: Options, *, run_id: UUID, after: str, limit: int) -> list[Item]:
        """Mark all businesses of the next categories, in the order of their names, and return those."""
        made = JobExecution.objects.filter(run_id=run_id, subject=OuterRef("category"))
        wanted = _wanted(options).filter(~Exists(made))
        if after:
            wanted = wanted.filter(category__gt=after)
        categories = [each["category"] for each in wanted.order_by("category")[:limit]]
        mark_categories(categories, run_id=run_id)
        return [Item(category) for category in categories]

    def estimate(self, options: Options) -> Estimate:
        """Count; nothing is sent anywhere."""
        total = self.count(options)
        return Estimate(total=min(total, options.get("limit") or total))


def _wanted(options: Options) -> QuerySet[Business, Any]:
    businesses = Business.objects.filter(embeddings__model=current_model())
    if options.get("resume_from"):
        businesses = businesses.filter(category__gt=options["resume_from"])
    return businesses.order_by().values("category").distinct()
