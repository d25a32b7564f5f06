"""The benchmark measures what it says, also in small."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from embeddings.sketches import keeper as keeping
from embeddings.sketches.keeper import keeper
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
    assert Figure("x", 2.0, "ms").holds is None
    assert Figure("x", 2.0, "ms", limit=2.0).holds
    assert not Figure("x", 2.1, "ms", limit=2.0).holds
    assert Figure("x", 0.98, "", limit=0.98, at_least=True).holds
    assert not Figure("x", 0.97, "", limit=0.98, at_least=True).holds


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
