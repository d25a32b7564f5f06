"""Paths of the embeddings API, below `/api/admin/`."""

from django.urls import path

from embeddings.api import runs, views

urlpatterns = [
    path("embeddings/bulk", views.BulkView.as_view(), name="embeddings-bulk"),
    path("embeddings/generate-one", views.GenerateOneView.as_view(), name="embeddings-generate-one"),
    path("embeddings/generate-all", runs.GenerateAllView.as_view(), name="embeddings-generate-all"),
    path("embeddings/status", runs.StatusView.as_view(), name="embeddings-status"),
    path("embeddings/stop", runs.StopView.as_view(), name="embeddings-stop"),
    path("embeddings/stats", views.StatsView.as_view(), name="embeddings-stats"),
]
