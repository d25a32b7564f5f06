"""How fast, and how many at once, somebody is asked."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from yellowbook.catalogue.models import Turn
from yellowbook.catalogue.syncing.turns import AT_ONCE, BURST, WHILE_BUSY, give_back, take

pytestmark = pytest.mark.django_db


def test_a_burst_is_let_through_and_then_one_after_another():
    assert [take({"seller:1": 60.0}) for _ in range(BURST)] == [0.0] * BURST
    wait = take({"seller:1": 60.0})
    assert 59 < wait <= 60
    assert take({"seller:2": 60.0}) == 0.0
    Turn.objects.filter(key="seller:1").update(full_at=Turn.objects.get(key="seller:1").full_at - timedelta(seconds=60))
    assert take({"seller:1": 60.0}) == 0.0


def test_who_has_to_wait_for_one_takes_no_turn_with_the_other():
    for _ in range(BURST):
        take({"host:a": 60.0})
    before = Turn.objects.create(key="seller:1", full_at=Now())
    before.refresh_from_db()
    assert take({"host:a": 60.0, "seller:1": 60.0}) > 0
    assert Turn.objects.get(key="seller:1").full_at == before.full_at


def test_a_host_is_asked_a_few_times_at_once():
    assert [take({"host:a": 0.001}, most={"host:a"}) for _ in range(AT_ONCE)] == [0.0] * AT_ONCE
    assert take({"host:a": 0.001}, most={"host:a"}) == WHILE_BUSY
    give_back("host:a")
    assert take({"host:a": 0.001}, most={"host:a"}) == 0.0
    # One that was lost with its worker is not waited for.
    turn = Turn.objects.get(key="host:a")
    turn.busy_until = [moment - timedelta(hours=1) for moment in turn.busy_until]
    turn.save()
    assert take({"host:a": 0.001}, most={"host:a"}) == 0.0
    give_back("host:unknown")
