"""Paths of the jobs API, below `/api/admin/`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from jobs.api import views

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("jobs", views.JobViewSet, basename="job")

urlpatterns = [
    *router.urls,
    path("workers", views.WorkerListView.as_view(), name="workers"),
    path("lanes", views.LaneListView.as_view(), name="lanes"),
    path("lanes/<str:kind>/pause", views.PauseLaneView.as_view(), name="lane-pause"),
    path("lanes/<str:kind>/resume", views.ResumeLaneView.as_view(), name="lane-resume"),
]
