"""What a maker makes of a business, cleaned and ready to be stored."""

from dataclasses import dataclass

from yellowbook.enrichment.hours import Hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The fields of an `Enrichment` of the same names."""

    maker: str
    prompt_version: str
    model: str = ""
    blocked_reason: str = ""
    tags: tuple[str, ...] = ()
    free_tags: tuple[str, ...] = ()
    summary_mn: str = ""
    summary_en: str = ""
    opening_hours: Hours | None = None
