"""`manage.py evaluate_search`."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from yellowbook.directory.models import Business
from yellowbook.search.evaluation.evaluate import Query, evaluate
from yellowbook.search.evaluation.scratch import fill

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = """name,category,description,address,city
Blue Sky Hotel,hotel,Rooms with a view,,Ramsey
Harbour Inn,hotel,Beds above the harbour,Quay 1,Peel
Smile Dental,dentist,Fillings and crowns,,
Corner Bakery,bakery,Bread and cakes,Hill 2,Peel
"""
QUERIES = [
    {"text": "hotel in ramsey", "kind": "lexical", "categories": ["hotel"]},
    {"text": "toothache", "kind": "paraphrase", "categories": ["dentist"]},
]


@pytest.fixture
def files(tmp_path):
    (tmp_path / "places.csv").write_text(ROWS)
    queries = tmp_path / "places-queries.json"
    queries.write_text(json.dumps(QUERIES))
    return queries


def test_it_measures_every_ranking_by_kind_and_names_with_slips(files):
    report = fill(files.with_name("places.csv"))
    assert (report.created, report.rejected) == (4, [])
    evaluation = evaluate([Query.read(each) for each in QUERIES])
    assert evaluation.businesses == 4
    assert set(evaluation.measured) == {"fused", "lexical", "semantic"}
    fused = evaluation.measured["fused"]
    assert set(fused) == {"lexical", "paraphrase", "all", "slips in names"}
    assert fused["lexical"].ndcg == pytest.approx(1)
    assert fused["all"].queries == 2
    assert fused["all"].ndcg == pytest.approx((fused["lexical"].ndcg + fused["paraphrase"].ndcg) / 2)
    assert fused["slips in names"].queries == 4
    assert fused["slips in names"].first == 1
    assert evaluation.p99 >= evaluation.p50 > 0


def test_the_directory_itself_is_not_touched(files):
    name = connection.settings_dict["NAME"]
    Business.objects.create(name="Ours", category="Cafe", address="Here")
    out = StringIO()
    try:
        call_command("evaluate_search", str(files), "--json", stdout=out)
    finally:
        # The test's own database is one that Django made; the command made its own beside it.
        assert connection.settings_dict["NAME"] == name
    told = json.loads(out.getvalue())
    assert told["businesses"] == 4
    assert list(Business.objects.values_list("name", flat=True)) == ["Ours"]


@pytest.mark.parametrize(
    ("content", "said"), [("no json", "can't be read"), ('[{"text": "x"}]', "categories"), ("[]", "There is no")]
)
def test_a_file_that_is_no_use_is_named(tmp_path, content, said):
    path = tmp_path / "some-queries.json"
    path.write_text(content)
    with pytest.raises(CommandError, match=said):
        call_command("evaluate_search", str(path))
