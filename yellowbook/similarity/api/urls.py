"""Paths of similar businesses under `/api/`."""

from django.urls import path

from yellowbook.similarity.api.views import SimilarView

urlpatterns = [path("yellow-books/<str:id>/similar", SimilarView.as_view(), name="business-similar")]
