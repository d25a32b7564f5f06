"""Sellers, the catalogues that they publish, and what was read of them."""

import uuid
from typing import Any, Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from jobs.states import Priority


class Seller(models.Model):
    """Whoever publishes catalogues."""

    class Tier(models.TextChoices):
        """What a seller has paid for."""

        STANDARD = "standard", _("standard")
        #: Jobs of its catalogues go before those of others.
        PREMIUM = "premium", _("premium")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    #: Sees this seller and what belongs to it, by the user's own API token.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="sellers"
    )
    contact = models.CharField(max_length=300, blank=True, default="")
    #: Where it is told of syncs: by signed webhook (`syncing.telling`) and by e-mail.
    webhook_url = models.URLField(max_length=1_000, blank=True, default="")
    notification_email = models.EmailField(blank=True, default="")
    #: Counts the keys that sign its webhooks; a new number makes a new key.
    webhook_key = models.PositiveIntegerField(db_default=1)
    tier = models.CharField(max_length=10, choices=Tier, default=Tier.STANDARD)
    #: Requests to the seller's sites, over all of them.
    requests_per_minute = models.PositiveIntegerField(
        default=120, validators=[MinValueValidator(1), MaxValueValidator(6_000)]
    )
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.name)

    @property
    def priority(self) -> Priority:
        """The priority of the jobs of its catalogues."""
        return Priority.HIGH if self.tier == self.Tier.PREMIUM else Priority.NORMAL


class CatalogueSource(models.Model):
    """A catalogue on the web: a site, a page of one, a sitemap or a feed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="sources")
    url = models.URLField(max_length=1_000)
    #: Hours from the end of one sync to the beginning of the next.
    interval_hours = models.PositiveIntegerField(
        default=24, validators=[MinValueValidator(1), MaxValueValidator(8_760)]
    )
    #: Whether its pages are rendered in Chromium before they are read.
    needs_javascript = models.BooleanField(default=False)
    #: Whether it is synced by itself.
    is_active = models.BooleanField(default=True)
    last_synced_at = models.DateTimeField(null=True, blank=True)
    next_sync_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seller", "url"], name="catalogue_source_url_of_seller")]
        indexes = [models.Index(fields=["next_sync_at"], condition=Q(is_active=True), name="catalogue_source_due")]

    def __str__(self) -> str:
        return str(self.url)


class Sync(models.Model):
    """One going over a source, from its first page to the summary."""

    class State(models.TextChoices):
        """Where it stands."""

        #: The pages are being found.
        DISCOVERING = "discovering", _("discovering")
        #: The pages are being read.
        READING = "reading", _("reading")
        COMPLETED = "completed", _("completed")
        #: No page could be found or read; `error` says why.
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    UNDER_WAY: Final = (State.DISCOVERING, State.READING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(CatalogueSource, on_delete=models.CASCADE, related_name="syncs")
    state = models.CharField(max_length=12, choices=State, db_default=State.DISCOVERING)
    requested_by = models.CharField(max_length=150)
    #: The site's robots.txt, as it was when the sync began.
    robots = models.TextField(db_default="", blank=True)
    error = models.TextField(db_default="", blank=True)
    #: Listings by what became of them; see `syncing.merge.Merged`.
    new = models.PositiveIntegerField(db_default=0)
    changed = models.PositiveIntegerField(db_default=0)
    unchanged = models.PositiveIntegerField(db_default=0)
    rejected = models.PositiveIntegerField(db_default=0)
    #: Known when it is over.
    vanished = models.PositiveIntegerField(db_default=0)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source"],
                condition=Q(state__in=["discovering", "reading"]),
                name="catalogue_one_sync_of_source",
            )
        ]
        indexes = [models.Index(fields=["source", "-started_at"], name="catalogue_sync_of_source")]

    def __str__(self) -> str:
        return f"{self.source} {self.state}"


class Page(models.Model):
    """A page of a source, with what is needed to ask for it again."""

    class State(models.TextChoices):
        """What became of it in the sync that it was last part of."""

        WAITING = "waiting", _("waiting")
        READ = "read", _("read")
        #: The site said that nothing has changed, or sent the same again.
        UNCHANGED = "unchanged", _("unchanged")
        #: Could not be read; `error` says why. Its listings count as seen.
        FAILED = "failed", _("failed")
        #: The site says that there is no such page.
        GONE = "gone", _("gone")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(CatalogueSource, on_delete=models.CASCADE, related_name="pages")
    #: The last sync that it was part of.
    sync = models.ForeignKey(Sync, on_delete=models.SET_NULL, null=True, related_name="pages")
    url = models.CharField(max_length=2_048)
    state = models.CharField(max_length=10, choices=State, db_default=State.WAITING)
    error = models.TextField(db_default="", blank=True)
    etag = models.CharField(max_length=500, db_default="", blank=True)
    last_modified = models.CharField(max_length=100, db_default="", blank=True)
    #: Of the bytes that were read, for sites without validators.
    body_hash = models.CharField(max_length=64, db_default="", blank=True)
    #: External ids of the listings on it, and further pages that it names, when it was last read.
    told = ArrayField(models.CharField(max_length=200), default=list)
    links = ArrayField(models.CharField(max_length=2_048), default=list)
    #: How many of them the attempt under way has merged.
    merged = models.PositiveIntegerField(db_default=0)
    #: What could not be read on it, for people.
    problems = models.JSONField(default=list, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "url"], name="catalogue_page_of_source")]
        indexes = [models.Index(fields=["sync", "state"], name="catalogue_page_of_sync")]

    def __str__(self) -> str:
        return str(self.url)


class Listing(models.Model):
    """A business as a source tells of it, on its way into the directory."""

    class Stage(models.TextChoices):
        """Where it is, and so who has the next step."""

        #: What the page says makes no business; the seller has the next step.
        INVALID = "invalid", _("invalid")
        #: Its text is being embedded.
        EMBEDDING = "embedding", _("embedding")
        #: It is being checked.
        QUALITY = "quality", _("quality control")
        #: A person has to decide.
        REVIEW = "review", _("review")
        REJECTED = "rejected", _("rejected")
        #: It is being published.
        INDEXING = "indexing", _("indexing")
        LIVE = "live", _("live")
        #: A person has taken it out of sight, or deleted its business; syncs leave that alone.
        HELD = "held", _("held back")
        #: The source has not told of it in several syncs.
        VANISHED = "vanished", _("vanished")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(CatalogueSource, on_delete=models.CASCADE, related_name="listings")
    page = models.ForeignKey(Page, on_delete=models.SET_NULL, null=True, related_name="listings")
    #: The item's stable id on the site (`extract.identity`).
    external_id = models.CharField(max_length=200)
    business = models.OneToOneField(
        "directory.Business", on_delete=models.SET_NULL, null=True, blank=True, related_name="listing"
    )
    stage = models.CharField(max_length=10, choices=Stage)
    #: Why it is where it is, for people.
    reason = models.TextField(db_default="", blank=True)
    name = models.CharField(max_length=200)
    #: What was read last, by field, and its hash.
    told = models.JSONField(default=dict)
    told_hash = models.CharField(max_length=64)
    #: What syncs have written into the business, by field. What differs there now was written by a person, and stays.
    written = models.JSONField(default=dict)
    #: {"url", "parser", "fetched_at"} of what was read last.
    provenance = models.JSONField(default=dict)
    #: The verdict of quality control: `quality.verdict.Verdict`, by field; empty before the first one.
    verdict = models.JSONField(default=dict, blank=True)
    #: Syncs in a row that have not told of it.
    missed = models.PositiveSmallIntegerField(db_default=0)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="catalogue_listing_of_source"),
            models.CheckConstraint(condition=~Q(told_hash=""), name="catalogue_listing_hashed"),
        ]
        indexes = [models.Index(fields=["stage", "updated_at"], name="catalogue_listing_stage")]

    def __str__(self) -> str:
        return str(self.name)

    def edited(self, current: dict[str, Any]) -> set[str]:
        """Return the fields of a business that a person has changed since a sync wrote them."""
        return {name for name, value in self.written.items() if current[name] != value}


class Turn(models.Model):
    """Whose turn it is to be asked: a host, or all sites of a seller. Only `syncing.turns` reads and writes these."""

    #: `host:example.mn` or `seller:<id>`.
    key = models.CharField(max_length=300, primary_key=True)
    #: When the bucket is full again: the theoretical arrival time of the generic cell rate algorithm.
    full_at = models.DateTimeField()
    #: When each request under way is taken for lost, if it does not end before.
    busy_until = ArrayField(models.DateTimeField(), default=list)

    def __str__(self) -> str:
        return str(self.key)
