"""Arrays reach PostgreSQL as they are."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.arrays import text_array, uuid_array

#: What PostgreSQL can keep: no character zero, no half of a surrogate pair.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
#: The database is only asked, so that what one example leaves behind can't change the next.
asked_only = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_back(array, type_name):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{type_name}[]", [array])
        return cursor.fetchone()[0]


@pytest.mark.django_db
@asked_only
@given(st.lists(TEXTS | st.sampled_from(["", "NULL", '"', "\\", "{}", "a,b", " a "])))
def test_texts(texts):
    assert read_back(text_array(texts), "text") == texts


@pytest.mark.django_db
@asked_only
@given(st.lists(st.uuids()))
def test_ids(ids):
    assert read_back(uuid_array(ids), "uuid") == ids
