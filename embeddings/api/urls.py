"""Paths of the embeddings API, below `/api/admin/`."""

from django.urls import path

from embeddings.api import views

urlpatterns = [
    path("embeddings/bulk", views.BulkView.as_view(), name="embeddings-bulk"),
    path("embeddings/generate-one", views.GenerateOneView.as_view(), name="embeddings-generate-one"),
    path("embeddings/stats", views.StatsView.as_view(), name="embeddings-stats"),
]
