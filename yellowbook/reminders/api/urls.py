"""Paths of reminders under `/api/`."""

from django.urls import path

from yellowbook.reminders.api import subscriptions, views

urlpatterns = [
    path("reminders/occasions", views.OccasionsView.as_view(), name="occasions"),
    path("reminders/occasions/<uuid:id>", views.OccasionView.as_view(), name="occasion"),
    path("reminders/schedules", views.SchedulesView.as_view(), name="reminder-schedules"),
    path("reminders/push-key", subscriptions.PushKeyView.as_view(), name="push-key"),
    path("reminders/push-subscriptions", subscriptions.SubscriptionsView.as_view(), name="push-subscriptions"),
    path("reminders/push-subscriptions/<uuid:id>", subscriptions.SubscriptionView.as_view(), name="push-subscription"),
]
