"""The panel on a business's page in the admin, its forms, and the list."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from embeddings.standin.faults import Rule
from embeddings.standin.service import StandIn
from jobs.models import Lane
from yellowbook.directory.models import Business
from yellowbook.enrichment.models import EditorTags, Enrichment

from .conftest import Answer, jobs_of, save, work

pytestmark = pytest.mark.django_db(transaction=True)


def page(client: Client, business: Business) -> str:
    return client.get(reverse("admin:directory_business_change", args=[business.pk])).content.decode()


def test_a_page_shows_what_was_made_and_by_whom(admin_client: Client, answer: Answer) -> None:
    business = save()
    work()
    text = page(admin_client, business)
    assert "A restaurant with Mongolian food." in text
    assert "Wi-Fi, Mongolian cuisine, тахилгат уул" in text
    assert "gemini-2.5-flash, enrichment-2" in text


@pytest.mark.parametrize("fault", ["500", "key_invalid"])
def test_a_page_says_why_it_is_delayed(admin_client: Client, answer: Answer, standin: StandIn, fault: str) -> None:
    standin.faults.add(Rule(fault=fault))
    business = save()
    work()
    text = page(admin_client, business)
    assert "Delayed" in text
    told = "it is tried again by itself" if fault == "500" else "somebody has to retry it"
    assert told in text


def test_a_paused_lane_delays(admin_client: Client, answer: Answer) -> None:
    business = save()
    Lane.objects.update_or_create(kind="enrich_business", defaults={"paused_at": business.created_at})
    assert "Its lane is paused." in page(admin_client, business)


def test_the_button_makes_a_job(admin_client: Client, answer: Answer) -> None:
    business = save()
    work()
    before = len(jobs_of(business))
    response = admin_client.post(reverse("admin:enrichment_enrich", args=[business.pk]), follow=True)
    assert "It is enriched in the background." in response.content.decode()
    assert len(jobs_of(business)) == before + 1
    draft = save(status="draft")
    told = admin_client.post(reverse("admin:enrichment_enrich", args=[draft.pk]), follow=True).content.decode()
    assert "Only published businesses are enriched." in told


def test_an_editor_gives_tags_and_takes_them_back(admin_client: Client, answer: Answer) -> None:
    business = save()
    path = reverse("admin:enrichment_tags", args=[business.pk])
    text = admin_client.post(path, {"tags": "Зогсоолтой, , намуухан"}, follow=True).content.decode()
    assert "Parking, намуухан" in text
    assert EditorTags.objects.get().tags == ["parking", "намуухан"]
    refused = admin_client.post(path, {"tags": "x" * 41}, follow=True).content.decode()
    assert "1 to 40 characters" in refused
    assert EditorTags.objects.get().tags == ["parking", "намуухан"]
    admin_client.post(path, {"take_back": "1"})
    assert not EditorTags.objects.exists()
    assert LogEntry.objects.count() == 2


def test_who_may_not_change_businesses_sees_no_forms_and_can_send_none(answer: Answer, client: Client) -> None:
    business = save()
    reader = User.objects.create_user("r", is_staff=True)
    reader.user_permissions.add(*Permission.objects.filter(codename__in=["view_business", "view_enrichment"]))
    client.force_login(reader)
    assert "Enrich now" not in page(client, business)
    for name in ("enrichment_enrich", "enrichment_tags"):
        assert client.post(reverse(f"admin:{name}", args=[business.pk])).status_code == 403
        assert client.get(reverse(f"admin:{name}", args=[business.pk])).status_code == 405


def test_the_list_costs_the_same_queries_for_any_length(
    admin_client: Client, rules: None, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        save(name=f"Номин {number}")
    work()
    assert Enrichment.objects.count() == 12
    with django_assert_max_num_queries(9):
        assert "Номин 11" in admin_client.get(reverse("admin:enrichment_enrichment_changelist")).content.decode()
