"""The benchmark measures what it says, also in small."""

import re
from io import StringIO
from math import inf

import pytest
from django.core.management import CommandError, call_command

from embeddings.sketches import keeper as keeping
from embeddings.sketches.keeper import keeper
from yellowbook.benchmarks.chart import HOLDS, OVER, share, write_chart
from yellowbook.benchmarks.measure import Figure, Scale, Section, all_sections, register
from yellowbook.benchmarks.sections import search, similar
from yellowbook.directory.models import Business
from yellowbook.similarity.models import Similarity

pytestmark = pytest.mark.django_db(transaction=True)


def named(figures):
    return {figure.name: figure for figure in figures}


def test_searches_are_measured_with_what_they_find(monkeypatch):
    monkeypatch.setattr(search, "WARM_UP", 3)
    monkeypatch.setattr(keeping, "PAYS_FROM", 100)
    try:
        figures = named(search.measure(Scale(0.003)))
    finally:
        keeper.forget()
    assert Business.objects.count() == 300
    for name in ("", " by category", " by city", " by price"):
        # Fewer vectors than candidates: nothing can be missed.
        assert figures[f"recall@10{name}"].value == 1.0
        assert figures[f"recall@10{name}"].holds
        assert figures[f"300 businesses, search{name or ','}{', p50' if name else ' p50'}"].value > 0
    assert figures["sketches of 300 vectors made"].value > 0


def test_lists_of_all_businesses_are_computed(monkeypatch):
    monkeypatch.setattr(similar, "SIZES", {100: 60.0, 400: 60.0})
    figures = named(similar.measure(Scale(0.5)))
    assert Similarity.objects.count() == 200
    assert figures["similar businesses of 200"].holds
    assert figures["similar businesses of 50"].holds


def test_a_figure_is_held_against_its_limit():
    assert Figure("x", 2.0, "ms", 1.0).holds is None
    assert Figure("x", 2.0, "ms", 1.0, limit=2.0).holds
    assert not Figure("x", 2.1, "ms", 1.0, limit=2.0).holds
    assert Figure("x", 0.98, "", 1.0, limit=0.98, at_least=True).holds
    assert not Figure("x", 0.97, "", 1.0, limit=0.98, at_least=True).holds


def test_a_figure_is_a_multiple_of_its_reference():
    assert Figure("x", 3.0, "ms", 2.0).ratio == 1.5
    assert Figure("x", 3.0, "ms", 0.0).ratio is None
    assert Figure.of_peer("x", 3.0, "ms").ratio == 1.0


def test_two_figures_of_a_section_have_two_names():
    section = Section("twice", "", lambda scale: iter([Figure.of_peer("x", 1.0, "s")] * 2))
    with pytest.raises(ValueError, match="'twice' has two figures that are named 'x'"):
        list(section.figures(Scale()))


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Figure("x", 1.0, "s", 1.0, limit=4.0), 0.25),
        (Figure("x", 5.0, "s", 1.0, limit=4.0), 1.25),
        (Figure("x", 20.0, "/s", 1.0, limit=10.0, at_least=True), 0.5),
        (Figure("x", 0.0, "/s", 1.0, limit=10.0, at_least=True), inf),
        (Figure("x", 0, "", 1.0, limit=0), 0.0),
        (Figure("x", 1, "", 1.0, limit=0), inf),
    ],
)
def test_a_share_of_the_limit_is_at_most_1_as_long_as_it_holds(figure, expected):
    assert share(figure) == expected
    assert (share(figure) <= 1) is figure.holds


def test_a_chart_has_a_bar_for_each_figure_with_a_limit_beside_its_name(tmp_path):
    figures = [Figure(f"figure {number}", number, "s", 1.0, limit=4.0) for number in range(1, 7)]
    measured = {"one": figures[:3], "none": [Figure.of_peer("free", 1.0, "s")], "other": figures[3:]}
    write_chart(tmp_path / "chart.svg", {"processor": "any", "cores": "2"}, measured)
    drawn = (tmp_path / "chart.svg").read_text()
    told = [text for text in re.findall("<!-- (.*?) -->", drawn) if not re.fullmatch(r"[0-9.]+", text)]
    assert [text for text in told if text.startswith("figure")] == [figure.name for figure in figures]
    assert [text for text in told if "≤" in text] == [f"{number} s ≤ 4" for number in range(1, 7)]
    assert [text for text in told if text in measured] == ["one", "other"]
    assert drawn.count(f"fill: {HOLDS}") == 4
    assert drawn.count(f"fill: {OVER}") == 2


def test_sections_are_known_by_name():
    names = [section.name for section in all_sections()]
    assert names == [
        "core",
        "cost",
        "fresh",
        "growth",
        "memory",
        "pipeline",
        "quota",
        "saves",
        "search",
        "similar",
        "vectors",
    ]
    with pytest.raises(ValueError, match="'search' is already declared"):
        register(Section("search", "another", lambda scale: iter(())))
    with pytest.raises(CommandError, match="no section nonsense: expected some of core, cost, fresh"):
        call_command("benchmark", "nonsense", stdout=StringIO())
