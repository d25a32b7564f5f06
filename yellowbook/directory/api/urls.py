"""Paths of the directory under `/api/`."""

from django.urls import path

from yellowbook.directory.api.imports import ImportView
from yellowbook.directory.api.views import BusinessesView, BusinessView

urlpatterns = [
    path("yellow-books", BusinessesView.as_view(), name="businesses"),
    path("yellow-books/import", ImportView.as_view(), name="businesses-import"),
    path("yellow-books/<str:id>", BusinessView.as_view(), name="business"),
]
