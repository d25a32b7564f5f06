"""Paths of the alerts API, below `/api/admin/`."""

from django.urls import path

from jobs.alerts.api import AlertListView

urlpatterns = [path("alerts", AlertListView.as_view(), name="alerts")]
