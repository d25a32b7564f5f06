"""The index: always what the rows say."""

import io

import pytest
from django.db import connection, transaction

from tests.yellowbook.directory.conftest import values
from yellowbook.directory.importer import import_file
from yellowbook.directory.models import Business
from yellowbook.directory.services import delete_business, update_business
from yellowbook.search.index import hashes_of
from yellowbook.search.models import Change, Document, Term
from yellowbook.search.refresh import mend, recount, refresh
from yellowbook.search.version import current_version, merge_changes
from yellowbook.search.words import term_of

pytestmark = pytest.mark.django_db(transaction=True)


def save(**changes) -> Business:
    business = Business(**values(**changes))
    business.save()
    return business


def words_of(business: Business) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT words::text FROM search_document WHERE business_id = %s", [business.pk])
        row = cursor.fetchone()
    return row[0] if row else ""


def test_a_save_indexes_the_words_of_all_fields_with_their_weights():
    business = save(name="Хатгал Кэмп", category="Hotel", description="Pizza", address="Нуур", city="Мөрөн")
    indexed = dict(word.split(":") for word in words_of(business).replace("'", "").split())
    assert indexed.items() >= {"hatgal": "1A", "kemp": "2A", "hutel": "3B", "murun": "4C", "nur": "5C"}.items()
    assert indexed["piza"] == "6"
    document = Document.objects.get(business=business)
    assert document.name_terms == ["hatgal", "kemp"]
    assert (document.category, document.city, document.text_hash) == ("Hotel", "Мөрөн", business.text_hash)


@pytest.mark.parametrize("status", ["draft", "pending", "unpublished"])
def test_only_published_ones_have_a_document(status):
    assert words_of(save(status=status)) == ""
    business = save()
    assert words_of(business)
    update_business(business.pk, {"status": status})
    assert words_of(business) == ""
    update_business(business.pk, {"status": "published"})
    assert words_of(business)


def test_a_document_goes_with_its_business():
    business = save()
    delete_business(business.pk)
    assert not Document.objects.exists()


def test_every_change_of_what_is_found_is_a_new_version_and_no_other_is():
    business = save()
    versions = [current_version()]

    def moved() -> bool:
        versions.append(current_version())
        return versions[-1] != versions[-2]

    update_business(business.pk, {"phone": "77112233"})
    assert not moved()
    for change in ({"name": "Өөр"}, {"city": "Дархан"}, {"price_level": 2}, {"status": "unpublished"}):
        update_business(business.pk, change)
        assert moved(), change
    delete_business(business.pk)
    assert moved()


def test_a_change_that_is_undone_is_none():
    save()
    before = current_version()
    with transaction.atomic():
        save(name="Never")
        transaction.set_rollback(True)
    assert current_version() == before
    assert Document.objects.count() == 1


def test_merging_changes_keeps_the_version():
    for number in range(3):
        save(name=f"Shop {number}")
    before = current_version()
    assert Change.objects.count() == 3
    merge_changes()
    merge_changes()
    assert Change.objects.count() == 1
    assert current_version() == before


def test_new_words_of_names_are_found_with_slips_those_of_descriptions_are_not():
    save(name="Номин", description="хямдрал")
    assert Term.objects.get(term=term_of("номин")).slips == [*hashes_of(term_of("номин"))]
    assert Term.objects.get(term=term_of("хямдрал")).slips == []
    save(name="Хямдрал")
    assert Term.objects.get(term=term_of("хямдрал")).slips


def test_a_refresh_mends_what_was_written_past_the_models():
    kept, changed, gone = save(name="Kept"), save(name="Changed"), save(name="Gone")
    (added,) = Business.objects.bulk_create([Business(**values(name="Added"))])
    Business.objects.filter(pk=changed.pk).update(name="Other")
    Business.objects.filter(pk=gone.pk).update(status="draft")
    before = words_of(kept)
    assert refresh() == 3
    assert "uther" in words_of(changed)
    assert "aded" in words_of(added)
    assert words_of(gone) == ""
    assert words_of(kept) == before
    assert mend() == 0


def test_a_recount_counts_the_documents_of_every_word_and_forgets_words_without_any():
    for number in range(3):
        save(name=f"Zebra {number}")
    alone = save(name="Quagga")
    Term.objects.filter(term="zebra").delete()
    recount()
    assert dict(Term.objects.filter(term__in=["zebra", term_of("quagga")]).values_list("term", "documents")) == {
        "zebra": 3,
        term_of("quagga"): 1,
    }
    assert Term.objects.get(term="zebra").slips == [*hashes_of("zebra")]
    delete_business(alone.pk)
    recount()
    assert not Term.objects.filter(term=term_of("quagga")).exists()


def test_an_import_indexes_its_rows_in_a_few_statements(django_assert_max_num_queries):
    rows = "name,category,address\n" + "".join(f"Shop {n},Cafe,Street {n}\n" for n in range(300))
    with django_assert_max_num_queries(25):
        import_file(io.BytesIO(rows.encode()), "csv")
    assert Document.objects.count() == 300
