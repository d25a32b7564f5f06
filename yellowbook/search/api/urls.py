"""Paths of search under `/api/`."""

from django.urls import path

from yellowbook.search.api.views import SearchView

urlpatterns = [path("search", SearchView.as_view(), name="search")]
