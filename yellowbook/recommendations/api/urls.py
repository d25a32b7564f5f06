"""Paths of recommendations under `/api/`."""

from django.urls import path

from yellowbook.recommendations.api import opinions, views

urlpatterns = [
    path("taste-profile", views.ProfileView.as_view(), name="taste-profile"),
    path("taste-profile/questions", views.QuestionsView.as_view(), name="taste-questions"),
    path("taste-profile/opinions", opinions.OpinionsView.as_view(), name="opinions"),
    path("taste-profile/opinions/<str:id>", opinions.OpinionView.as_view(), name="opinion"),
    path("recommendations", views.RecommendationsView.as_view(), name="recommendations"),
]
