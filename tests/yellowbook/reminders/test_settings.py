"""The settings of reminders."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from yellowbook.env import Env

from .conftest import VAPID_KEY, base64


def test_a_key_of_push_messages_is_taken() -> None:
    assert Env({"KEY": VAPID_KEY}).vapid_key("KEY") == VAPID_KEY
    assert Env({}).vapid_key("KEY") == ""


@pytest.mark.parametrize(
    "key", ["x", base64(b"\x00" * 32), base64(b"\xff" * 32), base64(b"\x01" * 31), VAPID_KEY + "AA", "ы" * 43]
)
def test_what_is_no_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"KEY=\(secret\) is not valid"):
        Env({"KEY": key}).vapid_key("KEY")
