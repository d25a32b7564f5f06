"""Similar businesses on the public page of a business."""

import pytest
from django.test import Client

from tests.yellowbook.similarity.conftest import put, unit, work
from yellowbook.directory.models import Business
from yellowbook.directory.services import delete_business, update_business

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def three() -> list[Business]:
    each = [{"name": name} for name in ("Кафе Нэг", "Кафе <b>Хоёр</b>", "Кафе Гурав")]
    made = put([unit(1), unit(1, 0.1), unit(1, 0.2)], each=each)
    work()
    return made


def page(business: Business) -> str:
    answer = Client().get(f"/business/{business.pk}", headers={"accept-language": "mn"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_names_them_and_links_to_them(three):
    shown = page(three[0])
    assert "Төстэй байгууллагууд" in shown
    assert "Кафе &lt;b&gt;Хоёр&lt;/b&gt;" in shown
    assert f'href="/business/{three[2].pk}"' in shown


def test_who_is_deleted_or_unpublished_is_gone_at_once(three):
    update_business(three[1].pk, {"status": "unpublished"})
    delete_business(three[2].pk)
    shown = page(three[0])
    assert str(three[1].pk) not in shown
    assert str(three[2].pk) not in shown
    assert "Төстэй байгууллагууд" not in shown
