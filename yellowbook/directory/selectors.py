"""Reading businesses."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import connection
from django.db.models import QuerySet
from psycopg import sql

from jobs.arrays import uuid_array
from yellowbook.directory.models import Business, BusinessStatus
from yellowbook.directory.text import TEXT_FIELDS, clean_text

_COLUMNS: Final = {field.attname: sql.Identifier(str(field.column)) for field in Business._meta.concrete_fields}
_PUBLISHED_BY_ID: Final = sql.SQL("SELECT {columns} FROM {table} WHERE id = ANY(%s::uuid[]) AND status = %s").format(
    columns=sql.SQL(", ").join(list(_COLUMNS.values())), table=sql.Identifier(Business._meta.db_table)
)


def published() -> QuerySet[Business]:
    """Return the businesses that everybody may see."""
    return Business.objects.filter(status=BusinessStatus.PUBLISHED)


def published_by_id(ids: Collection[UUID]) -> dict[UUID, Business]:
    """Return those of some businesses that everybody may see, by id, in no order; one query.

    For pages of search results: Django takes longer to compose the statement than PostgreSQL to run it.
    """
    with connection.cursor() as cursor:
        # The ids as one text: psycopg takes longer for each UUID than PostgreSQL.
        cursor.execute(_PUBLISHED_BY_ID, [uuid_array(ids), BusinessStatus.PUBLISHED])
        rows = cursor.fetchall()
    return {(found := Business.from_db(connection.alias, list(_COLUMNS), row)).pk: found for row in rows}


def visible_to(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Business]:
    """Return what `user` may see: staff everything, everybody else what is published."""
    return Business.objects.all() if getattr(user, "is_staff", False) else published()


def named_like(businesses: QuerySet[Business], query: str) -> QuerySet[Business]:
    """Keep those of `businesses` whose name contains every word of `query`, in any case and any alphabet."""
    for word in clean_text(query).split():
        businesses = businesses.filter(name__icontains=word)
    return businesses


def stored_text(business_id: UUID) -> dict[str, str] | None:
    """Return the text fields of a row as the database has them and lock it against other writers; None if it is gone.

    Call it inside a transaction. The lock lets others still refer to the row (store a vector for it).
    """
    rows = Business.objects.select_for_update(no_key=True).filter(pk=business_id)
    stored: dict[str, str] | None = rows.values(*TEXT_FIELDS).first()
    return stored
