"""What holds for every test; the servers come from `tests.plugin`, which is loaded earlier."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.test import TransactionTestCase
from hypothesis import settings

# How long an example takes depends on the machine.
settings.register_profile("yellowbook", deadline=None)
settings.load_profile("yellowbook")

#: Rows that migrations made, which no test changes.
KEPT = ("django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions")

#: Foreign keys are checked at the end of the statement, so the order of the tables does not matter.
_EMPTY = f"""
DO $$
DECLARE
    name regclass;
    used boolean;
BEGIN
    FOR name IN SELECT oid FROM pg_class
                 WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
                   AND relname NOT IN ({", ".join(f"'{each}'" for each in KEPT)})
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', name) INTO used;
        IF used THEN
            EXECUTE format('DELETE FROM %s', name);
        END IF;
    END LOOP;
END $$
"""


def empty_tables(test: TransactionTestCase) -> None:
    """Delete all rows but those of migrations: in milliseconds, where Django's flush takes a fifth of a second."""
    for alias in test._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        with connections[alias].cursor() as cursor:
            cursor.execute(_EMPTY)


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    """Empty the tables in our own way after each test that commits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield
