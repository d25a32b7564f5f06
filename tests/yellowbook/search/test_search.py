"""Searching."""

import threading
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from django.db import connection, transaction

from embeddings import query
from embeddings.calls import embed_texts
from embeddings.current import current_model
from jobs import shared
from jobs.errors import AuthError, NetworkError
from tests.yellowbook.search.conftest import embed, found, names
from yellowbook.directory.models import Business
from yellowbook.directory.services import delete_business, update_business
from yellowbook.search.filters import Filters
from yellowbook.search.lexical import statement, understood
from yellowbook.search.rank import Ranking, Reason
from yellowbook.search.search import normalised

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def places(put) -> dict[str, Business]:
    made = [
        put("Хатгал Кэмп", "Жуулчны бааз", city="Хатгал", price_level=2, description="Нуурын эрэг дээрх гэр буудал"),
        put("Blue Sky Hotel", "Hotel", city="Ulaanbaatar", price_level=4, description="Rooms with a view"),
        put("Номин Супермаркет", "Дэлгүүр", city="Улаанбаатар", price_level=1),
        put("Smile Dental", "Dentist", city="Ulaanbaatar", description="Fillings, crowns and toothache"),
        put("Sky Bakery", "Bakery", city="Ulaanbaatar", description="Bread and cakes"),
    ]
    return {business.name: business for business in made}


class TestRanking:
    @pytest.mark.parametrize(
        ("text", "first"),
        [
            ("Хатгал Кэмп", "Хатгал Кэмп"),
            ("Khatgal kemp", "Хатгал Кэмп"),
            ("khatgal camp", "Хатгал Кэмп"),
            ("Nomin supermarket", "Номин Супермаркет"),
            ("blue sky", "Blue Sky Hotel"),
            ("Smlie Dentla", "Smile Dental"),
            ("Хаттал", "Хатгал Кэмп"),
            ("hotels", "Blue Sky Hotel"),
            ("toothache", "Smile Dental"),
            ("bread", "Sky Bakery"),
        ],
    )
    def test_the_one_that_is_meant_comes_first(self, places, text, first):
        assert names(text)[0] == first

    def test_reasons_tell_why(self, places):
        def why(text: str) -> tuple[Reason, ...]:
            return found(text).results[0].why

        assert Reason.NAME in why("Blue Sky Hotel")
        assert Reason.SPELLING in why("Smlie Dentla")
        assert Reason.WORDS in why("crowns")
        assert Reason.MEANING in why("crowns")

    def test_scores_fall_and_are_shares(self, places):
        scores = [result.score for result in found("sky hotel").results]
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score <= 1 for score in scores)

    def test_nothing_but_stop_words_or_signs_is_no_error(self, places):
        assert found("the").ranking is Ranking.FUSED
        assert len(found("!?").results) == 5

    def test_an_empty_directory_has_no_answer(self):
        assert names("anything") == []


class TestFilters:
    def test_only_what_fits_is_found_and_pages_are_full(self, put):
        for number in range(30):
            put(f"Far {number}", "Hotel", city="Darkhan")
            put(f"Near {number}", "Cafe", city="Erdenet", price_level=1 + number % 4)
        assert len(names("hotel", city="Erdenet")) == 10
        assert all(name.startswith("Near") for name in names("hotel", city="Erdenet"))
        assert len(names("hotel", city="Erdenet", price_level=2)) == 8
        assert names("hotel", category="Hotel", city="Erdenet") == []

    @pytest.mark.parametrize("status", ["draft", "pending", "unpublished"])
    def test_only_published_ones_are_found(self, put, status):
        put("Secret Hotel", "Hotel", status=status)
        assert names("Secret Hotel") == []


class TestFreshness:
    def test_what_is_deleted_or_unpublished_is_gone_at_once_whatever_was_kept(self, places):
        assert found("sky").cached is False
        assert found("sky").cached is True
        delete_business(places["Blue Sky Hotel"].pk)
        assert "Blue Sky Hotel" not in names("sky")
        names("sky")
        update_business(places["Sky Bakery"].pk, {"status": "unpublished"})
        assert "Sky Bakery" not in names("sky")

    def test_even_a_kept_answer_never_shows_what_is_not_published(self, places):
        names("sky")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE directory_business SET status = 'draft' WHERE name = 'Sky Bakery'")
        answer = found("sky")
        assert answer.cached
        assert "Sky Bakery" not in [result.business.name for result in answer.results]
        assert len(answer.results) == 4

    def test_what_is_new_is_found_by_its_words_before_it_has_a_vector(self, places):
        names("giraffe")
        business = Business(name="Giraffe House", category="Zoo", address="Hill")
        business.save()
        assert names("giraffe")[0] == "Giraffe House"
        before = found("giraffe")
        assert before.cached
        embed()
        assert not found("giraffe").cached

    def test_a_phone_number_outdates_nothing_and_shows_at_once(self, places):
        names("sky bakery")
        update_business(places["Sky Bakery"].pk, {"phone": "70001122"})
        answer = found("sky bakery")
        assert answer.cached
        assert answer.results[0].business.phone == "70001122"


class TestQueries:
    def test_spellings_of_one_query_are_one(self):
        assert normalised("  Blue\tSKY \n") == normalised("blue sky") == "blue sky"

    @pytest.fixture
    def as_if_it_cost(self, monkeypatch):
        monkeypatch.setattr("embeddings.providers.local.LocalProvider.needs_key", True)

    def test_a_hundred_equal_queries_at_once_embed_once(self, places, monkeypatch, as_if_it_cost):
        calls = []

        def counted(texts, task, provider):
            calls.append(texts)
            threading.Event().wait(0.1)
            return embed_texts(texts, task, provider)

        monkeypatch.setattr(query, "embed_texts", counted)
        vectors = []

        def ask() -> None:
            vectors.append(query.embed_query("a stampede"))
            connection.close()

        threads = [threading.Thread(target=ask) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(calls) == 1
        assert len(vectors) == 100
        assert all((vector == vectors[0]).all() for vector in vectors)

    def test_who_can_not_share_a_process_shares_redis(self, places, monkeypatch, as_if_it_cost):
        first = query.embed_query("across processes")
        monkeypatch.setattr(query, "embed_texts", None)
        assert (query.embed_query("across processes") == first).all()

    def test_what_costs_nothing_is_not_shared(self, places):
        assert query.embed_query("free of charge") is not None
        assert shared.shared.get(f"query:{current_model()}:{sha256(b'free of charge').hexdigest()}") is None

    def test_a_process_that_died_over_a_query_holds_nobody_up_for_long(self, places, settings, as_if_it_cost):
        settings.SEARCH_TIMEOUT = 0.2
        key = f"query:{current_model()}:{sha256(b'left behind').hexdigest()}"
        assert shared.shared.claim(f"{key}:claim", seconds=0.2)
        assert query.embed_query("left behind") is not None or query.embed_query("left behind") is not None


class TestDegradation:
    @pytest.fixture
    def refuse(self, monkeypatch):
        calls = []

        def refuse(error):
            def call(*_):
                calls.append(error)
                raise error

            monkeypatch.setattr(query, "embed_texts", call)
            return calls

        return refuse

    @pytest.mark.parametrize("error", [NetworkError("no answer"), AuthError("bad key")])
    def test_without_the_provider_words_alone_decide_and_the_answer_says_so(self, places, refuse, error):
        calls = refuse(error)
        answer = found("blue sky")
        assert answer.ranking is Ranking.LEXICAL
        assert answer.results[0].business.name == "Blue Sky Hotel"
        again = found("blue sky")
        assert again.ranking is Ranking.LEXICAL
        assert not again.cached
        # It is not asked again at once.
        assert len(calls) == 1

    def test_when_the_provider_is_back_answers_are_whole_again(self, places, refuse, monkeypatch):
        refuse(NetworkError("no answer"))
        assert found("blue sky").ranking is Ranking.LEXICAL
        monkeypatch.undo()
        query._rests_until.clear()
        assert found("blue sky").ranking is Ranking.FUSED

    def test_without_redis_it_answers_the_same(self, places, settings):
        expected = names("blue sky")
        settings.REDIS_URL = "unix:///nonexistent/yellowbook.sock"
        shared._client.cache_clear()
        try:
            for _ in range(2):
                answer = found("blue sky")
                assert [result.business.name for result in answer.results] == expected
                assert not answer.cached
        finally:
            shared._client.cache_clear()


class TestPlan:
    @pytest.mark.parametrize("narrowed", [{}, {"category": "Hotel"}, {"city": "Хатгал", "price_level": 4}])
    def test_the_index_finds_words_and_what_narrows_them_at_once(self, places, narrowed):
        """So that a search for hotels in Khatgal does not look at every hotel."""
        sql, given = statement(understood("hotel").words, Filters(**narrowed), 10)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", given)
            conditions = [
                node["Index Cond"]
                for node in nodes(cursor.fetchone()[0][0]["Plan"])
                if node.get("Index Name") == "search_document_narrowed"
            ]
        assert len(conditions) == 1
        assert "words @@" in conditions[0]
        assert all(str(value) in conditions[0] for value in narrowed.values())


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the steps of a plan."""
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)
