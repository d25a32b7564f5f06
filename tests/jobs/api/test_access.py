"""Who gets in, and how every refusal looks."""

import json

import pytest
from django.contrib.auth.models import User
from knox.models import AuthToken
from rest_framework.test import APIClient

from tests.jobs.support import NOBODY, put

from .conftest import error_of

pytestmark = pytest.mark.django_db
JOBS = "/api/admin/jobs"

STAFF_ONLY = [
    ("get", "/api/admin/jobs"),
    ("get", f"/api/admin/jobs/{NOBODY}"),
    ("post", f"/api/admin/jobs/{NOBODY}/cancel"),
    ("post", f"/api/admin/jobs/{NOBODY}/retry"),
    ("get", "/api/admin/bulk-actions"),
    ("get", f"/api/admin/bulk-actions/{NOBODY}"),
    ("post", f"/api/admin/bulk-actions/{NOBODY}/stop"),
    ("get", "/api/admin/workers"),
    ("get", "/api/admin/lanes"),
    ("post", "/api/admin/lanes/generate_embedding/pause"),
    ("post", "/api/admin/lanes/generate_embedding/resume"),
    ("post", "/api/admin/embeddings/bulk"),
    ("post", "/api/admin/embeddings/generate-one"),
    ("get", "/api/admin/embeddings/stats"),
]


@pytest.fixture
def anybody() -> APIClient:
    return APIClient()


@pytest.mark.parametrize(("method", "path"), STAFF_ONLY)
def test_a_stranger_is_asked_for_a_token_and_a_customer_is_refused(anybody, method, path) -> None:
    response = getattr(anybody, method)(path)
    assert error_of(response, 401)["code"] == "not_authenticated"
    assert response["WWW-Authenticate"].startswith("Bearer")
    customer = User.objects.create_user("customer")
    anybody.credentials(HTTP_AUTHORIZATION=f"Bearer {AuthToken.objects.create(customer)[1]}")
    assert error_of(getattr(anybody, method)(path), 403)["code"] == "permission_denied"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Token", "token"])
def test_a_token_is_accepted_in_both_forms(anybody, token, scheme) -> None:
    anybody.credentials(HTTP_AUTHORIZATION=f"{scheme} {token}")
    assert anybody.get(JOBS).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer x",
        "Bearer " + "a" * 64,
        "Bearer " + "a" * 5000,
        "Bearer тэмдэг-токен",
        "Bearer \xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8",
        "Token \x00\x00\x00\x00\x00\x00\x00\x00",
        "Bearer '; DROP TABLE users; --",
        "Bearer %00%00%00%00%00",
        "Basic YWRtaW46YWRtaW4=",
        "Nonsense",
        "",
    ],
)
def test_a_malformed_token_is_a_401_and_never_a_500(anybody, header) -> None:
    # What a server hands on: the bytes of the header as Latin-1.
    anybody.credentials(HTTP_AUTHORIZATION=header.encode().decode("latin-1"))
    error_of(anybody.get(JOBS), 401)


def test_a_token_that_was_revoked_or_whose_owner_was_shut_out_opens_nothing(anybody, staff, token) -> None:
    anybody.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert anybody.get(JOBS).status_code == 200
    User.objects.filter(pk=staff.pk).update(is_active=False)
    error_of(anybody.get(JOBS), 401)
    User.objects.filter(pk=staff.pk).update(is_active=True)
    AuthToken.objects.all().delete()
    error_of(anybody.get(JOBS), 401)


def test_a_session_reads_and_writes_only_with_the_csrf_token(staff, kind) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(staff)
    job = put(kind, "a", "queued")
    assert client.get(JOBS).status_code == 200
    error_of(client.post(f"{JOBS}/{job.id}/cancel"), 403)
    job.refresh_from_db()
    assert job.status == "queued"


class TestEnvelope:
    """One form for every error."""

    @pytest.mark.parametrize("method", ["put", "patch", "delete", "post"])
    def test_405(self, api, method) -> None:
        assert error_of(getattr(api, method)(JOBS), 405)["code"] == "method_not_allowed"

    @pytest.mark.parametrize(
        "path", ["/api", "/api/", "/api/nonsense", "/api/admin/", "/api/admin/jobs/x/y/z", "/api/ө"]
    )
    @pytest.mark.parametrize("method", ["get", "post", "delete"])
    def test_404(self, api, method, path) -> None:
        assert error_of(getattr(api, method)(path), 404)["code"] == "not_found"

    def test_415(self, api) -> None:
        response = api.post("/api/admin/embeddings/bulk", data="<ids/>", content_type="application/xml")
        assert error_of(response, 415)["code"] == "unsupported_media_type"

    @pytest.mark.parametrize(
        "body",
        ["", "{", "[1", "nonsense", '{"a": NaN}', "\x00", '"\\ud800"', "1" * 5000, "[" * 200_000, "\xff"],
        ids=lambda body: repr(body[:10]),
    )
    @pytest.mark.parametrize("path", ["/api/admin/embeddings/bulk", "/api/admin/embeddings/generate-one"])
    def test_a_body_that_can_not_be_read_is_a_400(self, api, path, body) -> None:
        data = body.encode("latin-1")
        error_of(api.post(path, data=data, content_type="application/json"), 400)

    def test_a_body_of_more_than_four_megabytes_is_a_413(self, api) -> None:
        data = json.dumps({"business_ids": ["x" * 5_000_000]})
        response = api.post("/api/admin/embeddings/bulk", data=data, content_type="application/json")
        assert error_of(response, 413)["code"] == "too_large"

    @pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense"])
    def test_a_client_that_wants_something_else_than_json_gets_an_error_in_json(self, api, accept) -> None:
        response = api.get(JOBS, HTTP_ACCEPT=accept)
        assert response["Content-Type"].startswith("application/json")
        assert response.status_code in (200, 406)


class TestTrailingSlash:
    """It makes no difference, for any method."""

    @pytest.mark.parametrize(
        "path",
        ["/api/admin/jobs", "/api/admin/lanes", "/api/admin/workers", "/health/live", "/health/ready", "/metrics"],
    )
    def test_of_reading(self, api, path) -> None:
        assert api.get(path).status_code == api.get(f"{path}/").status_code == 200

    def test_of_a_post_with_a_body(self, api, kind) -> None:
        body = {"reason": "kept"}
        assert api.post(f"/api/admin/lanes/{kind.name}/pause/", body).json()["pause_reason"] == "kept"
        job = put(kind, "a", "queued")
        assert api.post(f"{JOBS}/{job.id}/cancel/").json()["status"] == "cancelled"

    def test_of_a_path_that_leads_nowhere(self, api) -> None:
        error_of(api.post("/api/nonsense/"), 404)
