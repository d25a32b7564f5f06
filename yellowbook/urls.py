"""All paths of the project."""

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from jobs.api import errors, health

admin.autodiscover()

urlpatterns = [
    path("", include("yellowbook.search.pages.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/dashboard/", include("jobs.admin.dashboard")),
    path("admin/", admin.site.urls),
    path("api/", include("yellowbook.directory.api.urls")),
    path("api/", include("yellowbook.search.api.urls")),
    path("api/", include("yellowbook.similarity.api.urls")),
    path("api/", include("yellowbook.enrichment.api.urls")),
    path("api/", include("yellowbook.catalogue.api.urls")),
    path("api/", include("yellowbook.reminders.api.urls")),
    path("api/", include("yellowbook.recommendations.api.urls")),
    path("api/", include("yellowbook.curation.api.urls")),
    path("api/admin/", include("embeddings.api.urls")),
    path("api/admin/", include("jobs.api.urls")),
    path("api/admin/", include("jobs.alerts.urls")),
    path("api/admin/", include("yellowbook.notifications.api.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    re_path(r"^api(/[\s\S]*)?\Z", errors.not_found),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", health.metrics, name="metrics"),
]

handler400 = "yellowbook.errors.bad_request"
handler500 = "yellowbook.errors.server_error"
