"""The text of the answers: what is embedded of a profile, and nothing else is ever sent to a provider."""

from yellowbook.recommendations.models import TasteProfile
from yellowbook.recommendations.occasions import occasions


def text_of(profile: TasteProfile) -> str:
    """Return a line each of categories, of occasions in both languages, and of the user's own words; empty for none.

    Prices and cities say nothing about what a business is: they are compared as they are.
    """
    known = occasions()
    named = [known[name] for name in profile.occasions if name in known]
    lines = [", ".join(profile.categories), ", ".join(f"{each.mn}, {each.en}" for each in named), profile.about]
    return "\n".join(line for line in lines if line)
