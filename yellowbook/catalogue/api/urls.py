"""Paths of the catalogues under `/api/`."""

from django.urls import path

from yellowbook.catalogue.api import views

urlpatterns = [
    path("catalogue/sellers", views.SellersView.as_view(), name="sellers"),
    path("catalogue/sellers/<uuid:id>", views.SellerView.as_view(), name="seller"),
    path("catalogue/sources", views.SourcesView.as_view(), name="sources"),
    path("catalogue/sources/<uuid:id>", views.SourceView.as_view(), name="source"),
    path("catalogue/sources/<uuid:id>/sync", views.SyncNowView.as_view(), name="source-sync"),
    path("catalogue/syncs", views.SyncsView.as_view(), name="syncs"),
    path("catalogue/syncs/<uuid:id>", views.SyncView.as_view(), name="sync"),
    path("catalogue/listings", views.ListingsView.as_view(), name="listings"),
    path("catalogue/listings/<uuid:id>", views.ListingView.as_view(), name="listing"),
    path("catalogue/listings/<uuid:id>/approve", views.ApproveView.as_view(), name="listing-approve"),
    path("catalogue/listings/<uuid:id>/reject", views.RejectView.as_view(), name="listing-reject"),
]
