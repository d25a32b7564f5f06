"""Where browsers may take the parts of pages from."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db


def policy(client: Client, path: str) -> dict[str, str]:
    header = client.get(path).headers["Content-Security-Policy"]
    return dict(each.strip().split(" ", 1) for each in header.split(";"))


@pytest.mark.parametrize("path", ["/api/yellow-books", "/api/schema", "/nothing", "/api/nothing"])
def test_outside_the_admin_no_script_or_style_may_stand_in_a_page(client: Client, path: str) -> None:
    found = policy(client, path)
    assert (found["default-src"], found["script-src"], found["style-src"]) == ("'none'", "'self'", "'self'")
    assert (found["frame-ancestors"], found["base-uri"]) == ("'none'", "'none'")


def test_the_admin_may_evaluate_and_set_styles_and_nothing_else_more(client: Client) -> None:
    found, strict = policy(client, "/admin/login/"), policy(client, "/api/schema")
    assert {name for name in found if found[name] != strict[name]} == {"script-src", "style-src"}
    assert "unsafe-inline" not in found["script-src"]


@pytest.mark.parametrize("path", ["/admin/", "/api/docs"])
def test_our_pages_have_no_script_in_them(client: Client, path: str) -> None:
    client.force_login(User.objects.create_superuser("admin"))
    page = client.get(path).content.decode()
    assert re.findall(r"<script(?![^>]*\b(?:src|type=\"application/json\"))[^>]*>", page) == []
    assert re.findall(r"\son[a-z]+=", page) == []
