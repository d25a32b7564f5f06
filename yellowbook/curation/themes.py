"""What the collections of a surface and day may be about: editors' rules, occasions, clusters."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import MD5, Cast, Concat

from embeddings.blocks import as_uuids
from yellowbook.curation.candidates import clusters, recently_shown
from yellowbook.curation.choosing import Label, Theme, Titles
from yellowbook.curation.models import Collection, Rule
from yellowbook.curation.occasions import occasions_of
from yellowbook.curation.parameters import Narrowed, Parameters, featured
from yellowbook.curation.surfaces import Source, Surface
from yellowbook.directory.models import Business

#: Clusters for each collection that is wanted: what is left over is for those that come to nothing.
CLUSTERS_EACH: Final = 3
#: Businesses that are no collection when they are fewer, unless an editor or an occasion asks for them.
FEWEST: Final = 3
#: Businesses of a cluster, the best ones, whose fields say what it is about.
LOOKED_AT: Final = 50
#: Share of them that have a field's value, from which on that says something about the cluster.
DOMINANT: Final = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose themes are asked for."""

    surface: Surface
    day: date
    parameters: Parameters

    @property
    def most(self) -> int:
        """Candidates that are enough, whoever is taken already."""
        return self.parameters.collections_count * self.parameters.businesses_per_collection

    @property
    def businesses(self) -> QuerySet[Business]:
        """Those that may be chosen."""
        return self.parameters.filters.businesses()


def themes_of(asked: Asked) -> Iterator[Theme]:
    """Yield the themes of a surface's sources, one source after the other; each is only asked when its turn comes."""
    return chain.from_iterable(_SOURCES[source](asked) for source in asked.surface.sources)


def _by_rules(asked: Asked, *, occasions_only: bool = False) -> Iterator[Theme]:
    on = [occasion.name for occasion in occasions_of(asked.day)]
    rules = Rule.objects.filter(
        Q(active_from=None) | Q(active_from__lte=asked.day),
        Q(active_until=None) | Q(active_until__gte=asked.day),
        is_active=True,
        surface__in=["", asked.surface.name],
        occasion__in=on if occasions_only else ["", *on],
    )
    for rule in rules.order_by("position", "created_at", "pk"):
        wanted = Narrowed.model_construct(
            category=rule.category or None,
            city=rule.city or None,
            price_level=rule.price_level,
            tag=rule.tag or None,
            featured=rule.featured_only,
        )
        yield Theme(
            kind=Collection.Theme.RULE,
            candidates=_in_turn(asked, asked.businesses & wanted.businesses()),
            titles=Titles(mn=rule.title_mn, en=rule.title_en, by=Collection.TitledBy.EDITOR),
            rule_id=rule.pk,
        )


def _by_occasion_rules(asked: Asked) -> Iterator[Theme]:
    return _by_rules(asked, occasions_only=True)


def _by_occasions(asked: Asked) -> Iterator[Theme]:
    categories = set(asked.businesses.order_by().values_list("category", flat=True).distinct())
    for occasion in occasions_of(asked.day):
        for proposal in occasion.proposals:
            suiting = Q(category__in=[each for each in categories if proposal.suits(each)])
            tagged = Q(search_document__tags__overlap=list(proposal.tags))
            yield Theme(
                kind=Collection.Theme.OCCASION,
                candidates=_in_turn(asked, asked.businesses.filter(suiting | tagged)),
                titles=Titles(mn=proposal.mn, en=proposal.en, by=Collection.TitledBy.TEMPLATE),
            )


def _in_turn(asked: Asked, businesses: QuerySet[Business]) -> list[UUID]:
    """Return businesses: what is featured first, what was shown lately last, else in another order every day."""
    shown = recently_shown(asked.surface, asked.day).filter(business_id=OuterRef("pk"))
    of_day = MD5(Concat(Cast("pk", TextField()), Value(str(asked.day))))
    ordered = businesses.annotate(is_featured=Exists(featured()), was_shown=Exists(shown), turn=of_day).order_by(
        "-is_featured", "was_shown", "turn", "pk"
    )
    return list(ordered.values_list("pk", flat=True)[: asked.most])


def _by_clusters(asked: Asked) -> Iterator[Theme]:
    """Yield what clusters are about, the closest ones first.

    Clusters that are labelled alike are one theme, which comes again, for who is left of it, when all had their turn.
    """
    size, count = asked.parameters.businesses_per_collection, asked.parameters.collections_count
    found = clusters(asked.businesses, CLUSTERS_EACH * count, of_about=size, surface=asked.surface, day=asked.day)
    members = sorted(found.members(), key=lambda each: -float(each[1][:size].mean()))
    best = [as_uuids(ids[: max(asked.most, LOOKED_AT)]) for ids, _ in members]
    alike: dict[tuple[str, ...], tuple[Label, list[UUID]]] = {}
    for ids, label in zip(best, _labels([each[:LOOKED_AT] for each in best]), strict=True):
        alike.setdefault((*label.categories[:1], label.city), (label, []))[1].extend(ids)
    for _ in range(count):
        for label, ids in alike.values():
            yield Theme(kind=Collection.Theme.CLUSTER, candidates=ids[: asked.most], fewest=FEWEST, label=label)


def _labels(groups: Sequence[Sequence[UUID]]) -> list[Label]:
    """Say what the businesses of each group have in common; one query."""
    columns = ("pk", "category", "city", "search_document__tags")
    every = [pk for group in groups for pk in group]
    told = {pk: rest for pk, *rest in Business.objects.filter(pk__in=every).values_list(*columns)}
    return [_label([told[pk] for pk in group if pk in told]) for group in groups]


def _label(rows: Sequence[Sequence[object]]) -> Label:
    categories = Counter(str(category) for category, _, _ in rows)
    cities = Counter(str(city) for _, city, _ in rows)
    tags = Counter(str(tag) for _, _, of_one in rows for tag in (of_one if isinstance(of_one, list) else ()))
    return Label(
        categories=tuple(_frequent(categories))[:3],
        city=next((city for city in _frequent(cities) if cities[city] >= DOMINANT * len(rows)), ""),
        tags=tuple(tag for tag in _frequent(tags) if tags[tag] >= DOMINANT * len(rows))[:3],
    )


def _frequent(values: Counter[str]) -> list[str]:
    return sorted((value for value in values if value), key=lambda value: (-values[value], value))


_SOURCES: Final[dict[Source, Callable[[Asked], Iterator[Theme]]]] = {
    Source.RULES: _by_rules,
    Source.OCCASION_RULES: _by_occasion_rules,
    Source.OCCASIONS: _by_occasions,
    Source.CLUSTERS: _by_clusters,
}
