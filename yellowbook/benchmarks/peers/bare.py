"""A web server's Django with nothing of ours: the apps that `startproject` gives, and one page."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=[
        *("django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes"),
        *("django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles"),
    ],
    ROOT_URLCONF=__name__,
)


def page(request: HttpRequest) -> HttpResponse:
    """Answer."""
    return HttpResponse("It works.")


urlpatterns = [path("", page)]
application = get_wsgi_application()
