"""What the last audit found, in the admin."""

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from jobs.admin.base import ReadOnlyAdmin
from jobs.upkeep.audit import invariants
from jobs.upkeep.models import AuditResult


@admin.register(AuditResult)
class AuditResultAdmin(ReadOnlyAdmin):
    """Invariants, those that are violated first."""

    list_display = ["name", "shown_title", "shown_state", "count", "shown_examples", "checked_at", "seconds"]
    fields = ["name", "shown_title", "shown_remedy", "count", "examples", "checked_at", "seconds", "error"]
    readonly_fields = ["shown_title", "shown_remedy"]
    ordering = ["-count", "name"]

    @admin.display(description=_("what must hold"))
    def shown_title(self, result: AuditResult) -> str:
        """Return the invariant as a sentence."""
        return next((gettext(each.title) for each in invariants() if each.name == result.name), "-")

    @admin.display(description=_("what to do"))
    def shown_remedy(self, result: AuditResult) -> str:
        """Return what mends it."""
        found = next((each for each in invariants() if each.name == result.name), None)
        if found is None:
            return "-"
        remedy = gettext(found.remedy)
        return f"manage.py check_invariants --repair: {remedy}" if found.repair else remedy

    @admin.display(description=_("state"), ordering="count")
    def shown_state(self, result: AuditResult) -> str:
        """Return in a word whether it holds."""
        if result.error:
            return gettext("not checked")
        return gettext("violated") if result.count else gettext("holds")

    @admin.display(description=_("for example"))
    def shown_examples(self, result: AuditResult) -> str:
        """Return the first example."""
        return str(result.examples[0]) if result.examples else "-"
