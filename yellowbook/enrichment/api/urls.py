"""Paths of enrichment under `/api/`."""

from django.urls import path

from yellowbook.enrichment.api.views import EnrichmentView, ProcessView

urlpatterns = [
    path("yellow-books/<str:id>/enrichment", EnrichmentView.as_view(), name="business-enrichment"),
    path("yellow-books/<str:id>/process", ProcessView.as_view(), name="business-process"),
]
