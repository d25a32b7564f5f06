"""Paths of collections under `/api/`."""

from django.urls import path

from yellowbook.curation.api import views

urlpatterns = [
    path("collections", views.CollectionsView.as_view(), name="collections"),
    path("collections/regenerate", views.RegenerateView.as_view(), name="collections-regenerate"),
    path("collections/sets", views.CollectionSetsView.as_view(), name="collection-sets"),
    path("collections/sets/<uuid:id>", views.CollectionSetView.as_view(), name="collection-set"),
]
