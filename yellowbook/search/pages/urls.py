"""Paths of the public pages."""

from django.templatetags.static import static
from django.urls import path, re_path, reverse_lazy
from django.views.generic import RedirectView

from yellowbook.search.pages import views

app_name = "public"

urlpatterns = [
    path("", views.home, name="home"),
    path("search", views.search, name="search"),
    path("search/", RedirectView.as_view(url=reverse_lazy("public:search"), query_string=True, permanent=True)),
    path("business/<uuid:pk>", views.business, name="business"),
    path("business/<uuid:pk>/", RedirectView.as_view(pattern_name="public:business", permanent=True)),
    path("sitemap.xml", views.sitemap, name="sitemap"),
    re_path(r"^sitemap-(?P<part>[0-9a-f]{1,2})\.xml\Z", views.sitemap_part, name="sitemap_part"),
    path("robots.txt", views.robots, name="robots"),
    path("favicon.ico", RedirectView.as_view(url=static("yellowbook/icon.svg")), name="favicon"),
]
