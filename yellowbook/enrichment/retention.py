"""Previews are kept as long as the jobs that made them."""

from django.conf import settings

from jobs.upkeep.pruners import Pruner, register
from yellowbook.enrichment.preview import delete_previews

register(Pruner("enrichment_previews", lambda: settings.RETENTION_JOBS_DAYS, delete_previews))
