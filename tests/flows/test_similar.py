"""Similar businesses, from the save to the list."""

import pytest

from tests.flows.conftest import Start

pytestmark = pytest.mark.flow


def test_a_saved_business_soon_has_similar_ones_and_a_deleted_one_is_gone_from_them(start: Start) -> None:
    system = start()
    system.house.follow_similar()
    one = system.api.create(name="Номин ресторан", description="Монгол хоол")
    other = system.api.create(name="Номин ресторан 2", description="Монгол хоол")

    # Either may have been compared before the other one was there; whoever comes last finds the other.
    system.until(lambda: system.api.similar(one["id"]) + system.api.similar(other["id"]), "one is similar to the other")
    system.api.delete(other["id"])

    assert system.api.similar(one["id"]) == []
    anew = "SELECT FROM similarity_similarity WHERE neighbours = '{}' AND candidates = 0"
    system.until(lambda: system.sql(anew), "the list is computed anew")
