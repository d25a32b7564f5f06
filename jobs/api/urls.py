"""Paths of the jobs API, below `/api/admin/`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from jobs.api import bulk, deadletters, runs, views

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("jobs", views.JobViewSet, basename="job")

urlpatterns = [
    *router.urls,
    path("dlq", deadletters.DeadLettersView.as_view(), name="dlq"),
    path("dlq/causes", deadletters.CausesView.as_view(), name="dlq-causes"),
    path("dlq/retry", deadletters.RetryManyView.as_view(), name="dlq-retry-many"),
    path("dlq/retry/<uuid:job_id>", deadletters.RetryOneView.as_view(), name="dlq-retry"),
    path("dlq/<uuid:job_id>", deadletters.DeadLetterView.as_view(), name="dlq-entry"),
    path("dlq/<uuid:job_id>/resolve", deadletters.ResolveView.as_view(), name="dlq-resolve"),
    path("runs", runs.RunListView.as_view(), name="runs"),
    path("runs/<uuid:run_id>", runs.RunView.as_view(), name="run"),
    path("runs/<uuid:run_id>/stop", runs.StopRunView.as_view(), name="run-stop"),
    path("runs/<uuid:run_id>/resume", runs.ResumeRunView.as_view(), name="run-resume"),
    path("bulk-actions", bulk.BulkActionListView.as_view(), name="bulk-actions"),
    path("bulk-actions/<uuid:bulk_action_id>", bulk.BulkActionView.as_view(), name="bulk-action"),
    path("bulk-actions/<uuid:bulk_action_id>/stop", bulk.StopBulkActionView.as_view(), name="bulk-action-stop"),
    path("workers", views.WorkerListView.as_view(), name="workers"),
    path("lanes", views.LaneListView.as_view(), name="lanes"),
    path("lanes/<str:kind>/pause", views.PauseLaneView.as_view(), name="lane-pause"),
    path("lanes/<str:kind>/resume", views.ResumeLaneView.as_view(), name="lane-resume"),
]
