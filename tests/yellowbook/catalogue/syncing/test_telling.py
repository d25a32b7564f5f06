"""A seller is told what came of a sync."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.yellowbook.catalogue.syncing.support import page, shop, sitemap, source_at, sync
from yellowbook.catalogue.models import Seller
from yellowbook.catalogue.syncing.telling import recipient, signing_secret
from yellowbook.notifications.models import Delivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(site, settings):
    settings.CATALOGUE_ALLOW_PRIVATE = True
    source = source_at(site.url + "/")
    Seller.objects.update(webhook_url="https://nomin.mn/hook", notification_email="info@nomin.mn")
    return source


def test_a_summary_is_sent_by_webhook_and_by_mail(site, source):
    nameless = shop("Хаяггүй")
    del nameless["address"]
    site.serve("/", page(shop("Хан бууз"), nameless))
    sitemap(site, "/", "/away")
    site.redirect("/away", "http://example.com/")
    done = sync(source)
    webhook, mail = Delivery.objects.order_by("-channel")
    assert (webhook.channel, mail.channel) == ("webhook", "email")
    assert {each.event for each in (webhook, mail)} == {"catalogue.completed"}
    assert webhook.payload["sync_id"] == str(done.pk)
    assert (webhook.payload["listings"]["new"], webhook.payload["listings"]["rejected"]) == (1, 1)
    assert [each["name"] for each in webhook.payload["invalid"]] == ["Хаяггүй"]
    assert [each["url"] for each in webhook.payload["failed_pages"]] == [site.url + "/away"]
    assert "1 new, 0 changed" in mail.body
    assert "Хаяггүй: address" in mail.body


def test_a_sync_that_fails_is_told_too(site, source):
    site.serve("/robots.txt", b"User-agent: *\nDisallow: /\n")
    sync(source)
    assert set(Delivery.objects.values_list("event", flat=True)) == {"catalogue.failed"}
    assert "robots.txt" in Delivery.objects.first().payload["error"]


def test_a_seller_who_can_not_be_reached_is_not_told(site, source):
    Seller.objects.update(webhook_url="", notification_email="")
    site.serve("/", page(shop("Хан бууз")))
    sync(source)
    assert not Delivery.objects.exists()


def test_the_key_is_the_sellers_own_and_can_be_renewed(source):
    seller = source.seller
    other = Seller.objects.create(name="Another")
    first = signing_secret(seller)
    assert first.startswith("whsec_")
    assert first not in {signing_secret(Seller.objects.get(pk=other.pk)), ""}
    told = StringIO()
    call_command("webhook_secret", str(seller.pk), stdout=told)
    assert told.getvalue().strip() == signing_secret(Seller.objects.get(pk=seller.pk))
    renewed = StringIO()
    call_command("webhook_secret", str(seller.pk), "--renew", stdout=renewed)
    assert renewed.getvalue() != told.getvalue()
    assert recipient(str(seller.pk)).secret == renewed.getvalue().strip()
    assert recipient("00000000-0000-0000-0000-000000000000") is None
    with pytest.raises(CommandError, match="no seller"):
        call_command("webhook_secret", "00000000-0000-0000-0000-000000000000")
