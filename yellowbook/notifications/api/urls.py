"""Paths of notifications, below `/api/admin/`."""

from django.urls import path

from yellowbook.notifications.api import views

urlpatterns = [
    path("notifications", views.DeliveriesView.as_view(), name="notifications"),
    path("notifications/<uuid:id>", views.DeliveryView.as_view(), name="notification"),
    path("notifications/<uuid:id>/replay", views.ReplayDeliveryView.as_view(), name="notification-replay"),
]
