"""Collections in the admin."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from yellowbook.curation.days import today
from yellowbook.curation.models import CollectionSet, FeaturedBusiness, Rule
from yellowbook.curation.names import NO_ANSWER
from yellowbook.curation.parameters import Parameters
from yellowbook.curation.services import regenerate
from yellowbook.directory.models import Business
from yellowbook.operators import OPERATORS, READERS

from .support import set_of, work

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "admin:curation_collectionset_changelist"


def member(client: Client, group: str) -> Client:
    """Log a member of a group in."""
    user = User.objects.create_user(group, is_staff=True)
    user.groups.add(Group.objects.get_or_create(name=group)[0])
    client.force_login(user)
    return client


def page_of(client: Client, row: CollectionSet) -> str:
    return client.get(reverse("admin:curation_collectionset_change", args=[row.pk])).content.decode()


def test_a_page_shows_the_collections_and_why_it_is_late(admin_client: Client, directory: None) -> None:
    row = regenerate("home", today(), Parameters(collections_count=3)).collection_set
    text = page_of(admin_client, row)
    assert "A job waits for a worker." in text
    assert "There are no collections yet" in text
    work()
    CollectionSet.objects.update(note=NO_ANSWER)
    text = page_of(admin_client, row)
    assert "Ready" in text
    assert NO_ANSWER in text
    assert "Hotel in Khatgal" in text
    assert "Khatgal: Hotel" in text
    assert len(re.findall(r"/admin/directory/business/[0-9a-f-]{36}/change/", text)) == 18


def test_a_set_is_made_anew_from_a_form(admin_client: Client, directory: None) -> None:
    path = reverse("admin:curation_regenerate")
    asked = admin_client.get(path + f"?surface=discovery&date={today()}").content.decode()
    assert '<option value="discovery" selected>' in asked
    given = {"surface": "discovery", "date": str(today()), "collections_count": "1", "category": "Hotel"}
    told = admin_client.post(path, given, follow=True).content.decode()
    assert "It is made in the background." in told
    work()
    row = set_of("discovery", today())
    assert row.parameters["filters"] == {"category": "Hotel"}
    assert (row.requested_by, row.collections.count()) == ("admin", 1)
    assert LogEntry.objects.get().object_id == str(row.pk)


def test_a_form_that_can_not_be_says_why(admin_client: Client) -> None:
    path = reverse("admin:curation_regenerate")
    assert admin_client.get(path + "?surface=moon&date=x").status_code == 200
    given = {"surface": "home", "date": "1999-01-01", "price_level": "7"}
    told = admin_client.post(path, given).content.decode()
    assert "Give a day at most 30 days from today." in told
    assert "less than or equal to 4" in told
    assert not CollectionSet.objects.exists()


def test_operators_have_sets_made_and_edit_rules_and_readers_look(client: Client, directory: None) -> None:
    path = reverse("admin:curation_regenerate")
    row = regenerate("home", today(), Parameters()).collection_set
    member(client, READERS)
    assert client.get(path).status_code == 403
    assert "Make anew" not in page_of(client, row)
    assert "Make collections" not in client.get(reverse(LIST)).content.decode()
    assert client.get(reverse("admin:curation_rule_add")).status_code == 403
    member(client, OPERATORS)
    assert client.get(path).status_code == 200
    assert "Make anew" in page_of(client, row)
    assert client.get(reverse("admin:curation_rule_add")).status_code == 200


def test_rules_are_edited_with_the_surfaces_and_occasions_there_are(admin_client: Client) -> None:
    path = reverse("admin:curation_rule_add")
    asked = admin_client.get(path).content.decode()
    assert "Tsagaan Sar" in asked
    given = {"title_mn": "Зочид буудал", "title_en": "Hotels", "surface": "home", "occasion": "naadam", "position": "1"}
    assert admin_client.post(path, given).status_code == 302
    assert Rule.objects.get().occasion == "naadam"
    wrong = {**given, "active_from": "2026-02-01", "active_until": "2026-01-01", "surface": "moon"}
    told = admin_client.post(path, wrong).content.decode()
    assert "moon is not one of the available choices" in told
    assert Rule.objects.count() == 1


def test_a_business_is_put_forward(admin_client: Client, directory: None) -> None:
    business = Business.objects.first()
    admin_client.post(reverse("admin:curation_featuredbusiness_add"), {"business": str(business.pk), "note": ""})
    assert FeaturedBusiness.objects.get().business == business


@pytest.mark.parametrize("model", ["collectionset", "rule", "featuredbusiness"])
def test_lists_cost_the_same_queries_for_any_length(
    admin_client: Client, directory: None, django_assert_max_num_queries: Any, model: str
) -> None:
    for surface in ("home", "discovery"):
        regenerate(surface, today(), Parameters())
    for business in Business.objects.all():
        FeaturedBusiness.objects.create(business=business)
        Rule.objects.create(title_mn=business.name, title_en=business.name)
    with django_assert_max_num_queries(10):
        assert admin_client.get(reverse(f"admin:curation_{model}_changelist")).status_code == 200
